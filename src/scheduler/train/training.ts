import type { Backend } from '../../backend/backend.ts';
import { type Bytes, bytesOf } from '../../core/arrays.ts';
import { check, flag, whole } from '../../core/checks.ts';
import type { TypedArray } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { expectValue, optionsOf } from '../../core/options.ts';
import type { AnySamples } from '../../data/batches.ts';
import type { Plan } from '../../graph/plan.ts';
import type { Tensor } from '../../graph/trace.ts';
import type { Variable } from '../../graph/variable.ts';
import { readIfThere } from '../../io/file.ts';
import type { FrozenModel } from '../../model/frozen.ts';
import { type Arrays, type ArraysOf, mapFields, type ResultsOf, unnamed } from '../../model/signature.ts';
import type { Model, Values } from '../../nn/module.ts';
import { Backends } from '../choose/backends.ts';
import { Chooser } from '../choose/chooser.ts';
import { Lanes } from '../turns/lanes.ts';
import type { FitPosition } from './checkpoint.ts';
import { type Place, TrainingCore } from './core.ts';
import { type EvaluateOptions, evaluateOn, type PredictOptions, predictOn } from './evaluate.ts';
import { feedOf } from './feed.ts';
import { fieldsOf } from './fields.ts';
import { Broken } from './finite.ts';
import { fitSteps } from './fit.ts';
import {
  checkData,
  checkFit,
  checkTraining,
  type FitOptions,
  type StepReport,
  type TrainingOptions,
} from './fit-options.ts';
import { type EpochReport, History } from './history.ts';
import { Hold, type Holder } from './hold.ts';
import { Keeper } from './keeping.ts';
import { type NamedArrays, Reading, readVariables } from './reading.ts';
import type { Recovery } from './recovery.ts';
import type { Fill } from './step-program.ts';
import type { TrainingCost } from './training-cost.ts';
import type { Evaluation } from './validation-options.ts';

/** Options of training.freeze(). */
export interface FreezeOptions {
  /** Take the mean of the weights that the training keeps (see `average` of train) instead of the weights; false if not given. */
  readonly average?: boolean;
}

/** A fit under way: its steps, to be looped over, and what its epochs came to. */
export interface Fit extends AsyncGenerator<StepReport, void, void> {
  /** The epochs that ended so far, with those before where it went on from a checkpoint. */
  readonly history: readonly EpochReport[];
  /** Makes all steps that are left; the history then. */
  finish(): Promise<readonly EpochReport[]>;
}

const checkFreeze = optionsOf<FreezeOptions>('freeze', { average: flag });
const number = check('a number', (x) => typeof x === 'number');

/** A model being trained. */
export class Training<I extends Values = Tensor, O extends Values = Tensor, T extends Values = Tensor> {
  private readonly core: TrainingCore;
  private readonly keeper: Keeper;
  private readonly reading: Reading;
  private readonly held = new Hold();
  private disposed = false;

  constructor(place: Place | Backend, source: Model<I, O> | FrozenModel<I, O>, given: TrainingOptions<O, T>) {
    const options = checkTraining(given);
    this.core = new TrainingCore('lanes' in place ? place : placeOn(place), source, options);
    this.keeper = new Keeper(this.core);
    this.reading = new Reading(this.core);
  }

  /** What it runs on now. */
  get backend(): Backend {
    return this.core.stepper.backend;
  }

  /** What broke so far, and how it was got over. */
  get recoveries(): readonly Recovery[] {
    return this.core.stepper.recoveries;
  }

  /** Steps made so far. */
  get step(): number {
    return this.core.stepper.step;
  }

  /** What it cost so far: arithmetic, bytes, time by section, waiting, snapshots, checkpoints, recoveries. */
  cost(): TrainingCost {
    return this.core.stepper.cost();
  }

  /** The plan now compiled, with its costs; undefined before the first step. */
  get plan(): Plan | undefined {
    return this.core.stepper.current?.train.plan;
  }

  /**
   * Trains, and reports after each step. Each epoch takes every sample once, in a seeded order; the last batch of an epoch
   * may be smaller (`dropLast` leaves it out). Of a stream, an epoch is a pass, in the order that it has. Stop by leaving the loop or by the signal: the
   * weights are those of the last whole step, and training can go on with another fit. As long as a
   * loop is open, other calls that change the training are refused ('busy'); stop() ends one that nobody can end any more.
   * Who needs no loop awaits `fit(...).finish()`.
   *
   * Throws NotFiniteError where the loss, a gradient or a weight is NaN or infinite, and stands before that step then.
   */
  fit(data: AnySamples, options: FitOptions): Fit {
    const history = new History();
    const steps = this.steps(data, options, history);
    const finish = async () => {
      for await (const _ of steps);
      return history.epochs;
    };
    return Object.assign(steps, { history: history.epochs, finish });
  }

  private async *steps(
    data: AnySamples,
    options: FitOptions,
    history: History,
  ): AsyncGenerator<StepReport, void, void> {
    const checked = checkFit(options);
    checkData(data, checked.batchSize);
    const feed = feedOf(data, checked);
    const holder = this.hold('fit()');
    try {
      for await (const report of fitSteps(this.core, this.keeper, feed, checked, history)) {
        const ended = () => fail('aborted', `this fit ended after step ${report.step}: stop() was called`);
        if (holder.ended) ended();
        holder.rests = true;
        yield report;
        holder.rests = false;
        if (holder.ended) ended();
      }
    } catch (error) {
      throw await this.core.explained(error);
    } finally {
      feed.close();
      this.held.release(holder);
    }
  }

  /**
   * Makes one step on one batch of the caller's, by name where inputs or targets have names, and returns its loss. Throws NotFiniteError where that, or what was found of the
   * steps before, is NaN or infinite; the training stands before that step then.
   */
  async stepOn(input: ArraysOf<I>, target: ArraysOf<T>, batchSize: number): Promise<number> {
    expectValue('stepOn', 'batchSize', batchSize, whole(1));
    const { core } = this;
    const { stepper } = core;
    const inputs = core.signature('stepOn');
    const holder = this.hold('stepOn()');
    try {
      const { train } = await core.prepare({ inputs }, batchSize);
      const xs = fieldsOf(train, 'input', input);
      const ts = fieldsOf(train, 'target', target);
      await stepper.watch(core.watches);
      // Copies, where the step may have to be made again.
      const keep = (arrays: Arrays) => (stepper.keeps ? mapFields(arrays, (a) => a.slice()) : arrays);
      const [x, t] = [keep(xs), keep(ts)];
      const fill: Fill = (intoInputs, intoTargets) => {
        for (const name in x) intoInputs[name].set(x[name]);
        for (const name in t) intoTargets[name].set(t[name]);
      };
      const loss = await (await core.make({ fill }, { loss: true, wait: true })).loss!;
      if (core.watches && !Number.isFinite(loss)) throw new Broken();
      return loss;
    } catch (error) {
      throw await core.explained(error);
    } finally {
      this.held.release(holder);
    }
  }

  /**
   * The loss on samples that the model does not learn from, as they would have it all in one batch, whatever the size of batches: a mean
   * counts samples by their weights (of class, or of their own), a sum adds up. Dropout is off, nothing changes, and no
   * model is frozen for it. Also between the steps of a fit.
   * Throws 'unsupported' where model or loss do different things for different numbers of samples.
   */
  async evaluate(data: AnySamples, options?: EvaluateOptions): Promise<Evaluation> {
    this.alive();
    return evaluateOn(this.core, data, options);
  }

  /**
   * What the model as it is now makes of all samples, in order: count x output size, by name where its outputs have names. Targets play no
   * part, and a stream needs none. Dropout is off, nothing changes, and no model is frozen for it. Throws as evaluate().
   */
  async predict(data: AnySamples, options?: PredictOptions): Promise<ResultsOf<O>> {
    this.alive();
    return unnamed('output', await predictOn(this.core, data, options)) as ResultsOf<O>;
  }

  /**
   * Tells schedules that ask for it (`optim.reduceOnPlateau`) what was measured after the steps so far, such as the loss on a
   * validation set. It is kept in checkpoints.
   */
  observe(value: number): void {
    this.alive();
    expectValue('observe', 'value', value, number);
    this.core.stepper.observe(value);
  }

  /**
   * Ends a fit that is open: between two steps at once, else after the step under way. Whoever still asks it for a step gets
   * 'aborted'. The weights are those of the last whole step.
   */
  stop(): void {
    this.held.end();
  }

  /**
   * The weights and buffers as they are now, as the model sees them (see `bind`), for inference, quantization or further training. With
   * `average` the weights are the mean that the training keeps, and buffers those of the model. Throws 'invalid_argument' where it keeps none.
   */
  async freeze(options?: FreezeOptions): Promise<FrozenModel<I, O>> {
    this.alive();
    const { average = false } = checkFreeze(options);
    const { core } = this;
    const { variables } = (await core.prepared('freeze')).train;
    const read = await readVariables(core, variables, average);
    if (read.some((values) => core.stepper.isBroken(values))) throw await core.explained(new Broken());
    const values = variables.map(({ variable }, i): [Variable, TypedArray] => [variable, read[i]]);
    return core.frozen(variables, new Map(values)) as FrozenModel<I, O>;
  }

  /** The values of a parameter or buffer, by its name in the state dict, as they are now. Throws 'invalid_argument' for another name. */
  async read(name: string): Promise<TypedArray> {
    this.alive();
    return this.reading.variable(name);
  }

  /** The values of all parameters by their names, as they are now. */
  async parameters(): Promise<NamedArrays> {
    this.alive();
    return this.reading.parameters();
  }

  /**
   * The gradient of a parameter in the last step, by its name in the state dict: added up over micro-batches and clipped by value, but not
   * by norm. Throws 'invalid_argument' for another name, for a parameter that is not trained, and before the first step.
   */
  async gradient(name: string): Promise<Float32Array> {
    this.alive();
    return this.reading.gradient(name);
  }

  /** The gradients of all trained parameters in the last step, by their names. Errors as gradient(). */
  async gradients(): Promise<Readonly<Record<string, Float32Array>>> {
    this.alive();
    return this.reading.gradients();
  }

  /** Writes weights, optimizer state, step and seeds to a file, which is replaced whole. Throws 'io_failed'. */
  async save(path: string): Promise<void> {
    this.alive();
    await this.keeper.write(path);
  }

  /**
   * Goes on from a file that save() or a fit has written. Throws 'io_failed', 'invalid_data' for a damaged file and
   * 'shape_mismatch' or 'invalid_argument' for another model's, optimizer's or seed's; the training is then as it was.
   */
  async load(path: string): Promise<void> {
    const file = (await readIfThere(path)) ?? fail('io_failed', `there is no file ${path}`);
    await this.restore(file);
  }

  /** The bytes of a checkpoint, for hosts without files. */
  async checkpoint(position?: FitPosition): Promise<Uint8Array<ArrayBuffer>> {
    this.alive();
    return this.keeper.encode({ position });
  }

  /** Goes on from the bytes of a checkpoint; errors as load(). */
  async restore(source: Bytes): Promise<void> {
    const file = bytesOf('restore', source);
    const holder = this.hold('restore()');
    try {
      const { snapshot } = await this.keeper.decode(file);
      await this.core.stepper.restore(snapshot);
    } finally {
      this.held.release(holder);
    }
  }

  /** Gives back its memory; calls after it throw 'disposed'. */
  dispose(): void {
    this.disposed = true;
    this.core.stepper.dispose();
  }

  /** dispose(), for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  private hold(what: string): Holder {
    this.alive();
    return this.held.take(what, this.step);
  }

  private alive(): void {
    if (this.disposed) fail('disposed', 'this training was disposed; call engine.train() again');
  }
}

/** A place of its own, for a training without an engine. */
function placeOn(backend: Backend): Place {
  const backends = new Backends(backend);
  return { backends, lanes: new Lanes(), chooser: new Chooser(backends, false) };
}
