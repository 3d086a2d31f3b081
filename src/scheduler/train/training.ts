import type { Backend } from '../../backend/backend.ts';
import { checkSlotArray } from '../../backend/program.ts';
import { type Bytes, bytesOf } from '../../core/arrays.ts';
import { atOnce } from '../../core/callbacks.ts';
import { whole } from '../../core/checks.ts';
import { fail } from '../../core/errors.ts';
import { expectValue } from '../../core/options.ts';
import { Random } from '../../core/random.ts';
import { sameShape, showShape } from '../../core/shape.ts';
import { batchOrder, type DataSet } from '../../data/index.ts';
import type { Parameter } from '../../graph/parameter.ts';
import type { Plan } from '../../graph/plan.ts';
import { checkWritable, readIfThere, writeWhole } from '../../io/file.ts';
import { seal } from '../../io/seal.ts';
import { FrozenModel } from '../../model/frozen.ts';
import type { Model } from '../../nn/module.ts';
import type { TensorType } from '../../ops/op.ts';
import { type Recipe, recipeOf } from '../../plans/recipe.ts';
import { type TrainPlan, trainPlan, trainSlots } from '../../plans/train.ts';
import { Backends } from '../choose/backends.ts';
import { Chooser } from '../choose/chooser.ts';
import { Lanes } from '../turns/lanes.ts';
import {
  type CheckpointModel,
  checkPosition,
  decodeCheckpoint,
  encodeCheckpoint,
  type FitPosition,
} from './checkpoint.ts';
import { printOf } from './data-print.ts';
import { notFinite } from './diagnose.ts';
import { Broken } from './finite.ts';
import {
  type CheckpointOptions,
  checkData,
  checkFit,
  checkTarget,
  checkTraining,
  type FitOptions,
  type StepReport,
  type TrainingOptions,
} from './fit-options.ts';
import { type Snapshot, stateSlots } from './snapshots.ts';
import { type Batch, type Build, type Fill, type Recovery, Stepper } from './stepper.ts';
import type { TrainingCost } from './training-cost.ts';

/** Where a training runs, and beside what. */
export interface Place {
  readonly backends: Backends;
  readonly lanes: Lanes;
  readonly chooser: Chooser;
}

/** Who has the training in hand: a fit, which may rest between two steps, or a call. */
interface Holder {
  readonly what: string;
  rests: boolean;
  ended: boolean;
}

/** A model being trained. */
export class Training {
  private readonly model: Model;
  private readonly options: TrainingOptions;
  private readonly initial: ((p: Parameter) => Float32Array) | undefined;
  private readonly lanes: Lanes;
  private readonly stepper: Stepper;
  private inputType: TensorType | undefined;
  private recipe: Recipe | undefined;
  private readonly watches: boolean;
  private holder: Holder | undefined;
  private disposed = false;

  constructor(place: Place | Backend, source: Model | FrozenModel, given: TrainingOptions) {
    const options = checkTraining(given);
    const { backends, lanes, chooser } = 'lanes' in place ? place : placeOn(place);
    this.lanes = lanes;
    this.options = options;
    this.model = source instanceof FrozenModel ? source.model : source;
    this.initial = source instanceof FrozenModel ? (p) => source.values(p) : undefined;
    const shape = options.input ?? (source instanceof FrozenModel ? source.input.shape : undefined);
    this.inputType = shape && { dtype: 'f32', shape };
    const { recovery = {}, terminateOnNaN = true } = options;
    this.watches = terminateOnNaN;
    this.stepper = new Stepper(
      backends,
      chooser,
      options.optimizer,
      options.seed ?? 0,
      recovery || undefined,
    );
  }

  /** What it runs on now. */
  get backend(): Backend {
    return this.stepper.backend;
  }

  /** What broke so far, and how it was got over. */
  get recoveries(): readonly Recovery[] {
    return this.stepper.recoveries;
  }

  /** Steps made so far. */
  get step(): number {
    return this.stepper.step;
  }

  /** What it cost so far: arithmetic, bytes, time by section, waiting, snapshots, checkpoints, recoveries. */
  cost(): TrainingCost {
    return this.stepper.cost();
  }

  /** The plan now compiled, with its costs; undefined before the first step. */
  get plan(): Plan | undefined {
    return this.stepper.current?.train.plan;
  }

  /**
   * Trains, and reports after each step. Each epoch takes every sample once, in a seeded order; the last batch of an epoch
   * may be smaller (`dropLast` leaves it out). Stop by leaving the loop or by the signal: the
   * weights are those of the last whole step, and training can go on with another fit. As long as a
   * loop is open, other calls that change the training are refused ('busy'); stop() ends one that nobody can end any more.
   *
   * Throws NotFiniteError where the loss, a gradient or a weight is NaN or infinite, and stands before that step then.
   */
  async *fit(data: DataSet, options: FitOptions): AsyncGenerator<StepReport, void, void> {
    const checked = checkFit(options);
    checkData(data, checked.batchSize);
    const holder = this.hold('fit()');
    try {
      for await (const report of this.steps(data, checked)) {
        const ended = () => fail('aborted', `this fit ended after step ${report.step}: stop() was called`);
        if (holder.ended) ended();
        holder.rests = true;
        yield report;
        holder.rests = false;
        if (holder.ended) ended();
      }
    } catch (error) {
      throw await this.explained(error);
    } finally {
      this.release(holder);
    }
  }

  private async *steps(data: DataSet, options: FitOptions): AsyncGenerator<StepReport, void, void> {
    const { batchSize, epochs = 1, seed = 0, shuffle = true, lossEvery = 1, signal, checkpoint } = options;
    const { terminateOnNaN = this.watches, dropLast = false } = options;
    const sound = (report: StepReport): StepReport => {
      if (terminateOnNaN && !Number.isFinite(report.loss)) throw new Broken();
      return report;
    };
    if (checkpoint) await checkWritable(checkpoint.path);
    const { train } = await this.prepare(data.input, batchSize);
    checkTarget(data, train.plan.slots[trainSlots.target]);
    const where = {
      ...{ batchSize, seed, shuffle, dropLast, samples: data.length },
      data: checkpoint && (await printOf(data)),
    };
    const perEpoch = Math[dropLast ? 'floor' : 'ceil'](data.length / batchSize);
    const steps = perEpoch * epochs;
    let done = await this.begin(checkpoint, where);
    await this.stepper.watch(terminateOnNaN);
    let onItsWay: Promise<StepReport> | undefined;
    let order: Uint32Array | undefined;
    for (; done < steps; done++) {
      const epoch = Math.floor(done / perEpoch);
      if (signal?.aborted) {
        if (checkpoint) await this.write(checkpoint.path, { ...where, done });
        else await this.lanes.upkeep(() => this.stepper.check());
        fail('aborted', `training was stopped after ${done} of ${steps} steps; the weights are intact`, {
          cause: signal.reason,
        });
      }
      if (!order || done % perEpoch === 0) order = batchOrder(data.length, { seed, epoch, shuffle });
      const at = (done % perEpoch) * batchSize;
      const samples = order.subarray(at, at + batchSize);
      if (this.stepper.current?.batch !== samples.length) {
        // Losses on their way come from the program that is about to go.
        await onItsWay?.catch(() => undefined);
        await this.lanes.upkeep(() => this.prepare(data.input, samples.length));
      }
      const wanted = (done + 1) % lossEvery === 0 || done + 1 === steps;
      const { loss } = await this.make(
        { fill: (input, target) => data.gather(samples, input, target), samples, epoch: epoch + 1 },
        { loss: wanted, wait: lossEvery === 1 },
      );
      if (checkpoint && ((done + 1) % checkpoint.everySteps === 0 || done + 1 === steps))
        await this.write(checkpoint.path, { ...where, done: done + 1 });
      // The last update has no loss after it that would tell.
      if (terminateOnNaN && done + 1 === steps) await this.lanes.upkeep(() => this.stepper.check());
      if (loss) {
        const now = { step: this.step, epoch: epoch + 1, steps, done: done + 1 };
        const report = loss.then((value) => ({ ...now, loss: value }));
        if (lossEvery === 1) yield sound(await report);
        else {
          // If the caller leaves before it comes, nobody waits for it.
          report.catch(() => undefined);
          if (onItsWay) yield sound(await onItsWay);
          onItsWay = report;
        }
      }
      await this.lanes.betweenSteps();
    }
    if (onItsWay) yield sound(await onItsWay);
  }

  /**
   * Makes one step on one batch of the caller's and returns its loss. Throws NotFiniteError where that, or what was found of the
   * steps before, is NaN or infinite; the training stands before that step then.
   */
  async stepOn(input: Float32Array, target: Float32Array | Int32Array, batchSize: number): Promise<number> {
    expectValue('stepOn', 'batchSize', batchSize, whole(1));
    const type = this.typeFor('stepOn');
    const holder = this.hold('stepOn()');
    try {
      const { plan } = (await this.prepare(type, batchSize)).train;
      checkSlotArray(plan, plan.slots[trainSlots.input], input, 'write');
      checkSlotArray(plan, plan.slots[trainSlots.target], target, 'write');
      await this.stepper.watch(this.watches);
      // Copies, where the step may have to be made again.
      const [x, t] = this.stepper.keeps ? [input.slice(), target.slice()] : [input, target];
      const fill: Fill = (intoInput, intoTarget) => {
        intoInput.set(x);
        intoTarget.set(t);
      };
      const loss = await (await this.make({ fill }, { loss: true, wait: true })).loss!;
      if (this.watches && !Number.isFinite(loss)) throw new Broken();
      return loss;
    } catch (error) {
      throw await this.explained(error);
    } finally {
      this.release(holder);
    }
  }

  /**
   * Ends a fit that is open: between two steps at once, else after the step under way. Whoever still asks it for a step gets
   * 'aborted'. The weights are those of the last whole step.
   */
  stop(): void {
    const { holder } = this;
    if (!holder) return;
    holder.ended = true;
    if (holder.rests) this.holder = undefined;
  }

  /** The weights as they are now, for inference, quantization or further training. */
  async freeze(): Promise<FrozenModel> {
    this.alive();
    const { train } = this.stepper.current ?? (await this.prepare(this.typeFor('freeze'), 1));
    const flat = await this.stepper.read(trainSlots.parameters);
    if (this.stepper.isBroken(flat)) throw await this.explained(new Broken());
    const values = new Map(
      train.parameters.map(({ parameter, offset }) => [
        parameter,
        flat.slice(offset, offset + parameter.size),
      ]),
    );
    return new FrozenModel(this.model, this.inputType!, train.parameters, values);
  }

  /** Writes weights, optimizer state, step and seeds to a file, which is replaced whole. Throws 'io_failed'. */
  async save(path: string): Promise<void> {
    await this.write(path);
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
    const model = await this.checkpointModel();
    // In its turn, so that no step comes between the parts of the state.
    const file = await this.lanes
      .upkeep(async () => encodeCheckpoint({ snapshot: await this.stepper.state(), position }, model))
      .catch(async (error) => {
        throw await this.explained(error);
      });
    await seal(file);
    return file;
  }

  /** Goes on from the bytes of a checkpoint; errors as load(). */
  async restore(source: Bytes): Promise<void> {
    const file = bytesOf('restore', source);
    const holder = this.hold('restore()');
    try {
      const { snapshot } = await decodeCheckpoint(file, await this.checkpointModel());
      await this.stepper.restore(snapshot);
    } finally {
      this.release(holder);
    }
  }

  /** Gives back its memory; calls after it throw 'disposed'. */
  dispose(): void {
    this.disposed = true;
    this.stepper.dispose();
  }

  /** dispose(), for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** One step in its turn, and the snapshot after it, where it is time for one, in another. */
  private async make(
    batch: Batch,
    how: { loss: boolean; wait: boolean },
  ): Promise<{ loss: Promise<number> | undefined }> {
    const asked = performance.now();
    const made = await this.lanes.training(() => {
      this.stepper.meter.waitingMs += performance.now() - asked;
      return this.stepper.make(batch, how);
    });
    if (this.stepper.snapshotIsDue) {
      await this.lanes.betweenSteps();
      await this.lanes.upkeep(() => this.stepper.takeSnapshot());
    }
    return made;
  }

  private async write(path: string, position?: FitPosition): Promise<void> {
    const start = performance.now();
    await writeWhole(path, await this.checkpoint(position));
    const { checkpoints } = this.stepper.meter;
    checkpoints.written++;
    checkpoints.ms += performance.now() - start;
  }

  /** Where a fit begins: at 0, or where its checkpoint says. */
  private async begin(
    options: CheckpointOptions | undefined,
    where: Omit<FitPosition, 'done'>,
  ): Promise<number> {
    const file = options?.resume ? await readIfThere(options.path) : undefined;
    if (!file) return 0;
    const { snapshot, position } = await decodeCheckpoint(file, await this.checkpointModel());
    const { done } = checkPosition(position, where);
    await this.stepper.restore(snapshot);
    return done;
  }

  private async checkpointModel(): Promise<CheckpointModel> {
    this.alive();
    const { optimizer, seed = 0 } = this.options;
    const { train } = this.stepper.current ?? (await this.prepare(this.typeFor('a checkpoint'), 1));
    const { model, inputType } = this;
    this.recipe ??= recipeOf(model, { input: inputType! }, this.options);
    return { train, optimizer, seed, recipe: this.recipe };
  }

  private typeFor(what: string): TensorType {
    return (
      this.inputType ??
      fail(
        'invalid_argument',
        `${what} needs the input shape: train first, or pass { input: [...] } to train()`,
      )
    );
  }

  /** The program for a batch size; weights and moments move over when the size changes. */
  private async prepare(type: TensorType, batch: number): Promise<Build> {
    const known = this.inputType;
    if (known && (known.dtype !== type.dtype || !sameShape(known.shape, type.shape)))
      fail(
        'shape_mismatch',
        `this training takes samples of shape ${showShape(known.shape)}, got ${showShape(type.shape)}`,
      );
    if (this.stepper.current?.batch === batch) return this.stepper.current;
    const build = { train: trainPlan(this.model, type, batch, this.options), batch };
    await this.stepper.prepare(build, () => this.initialState(build.train));
    this.inputType = type;
    return build;
  }

  /** Before the first step: the model's initial or frozen values, and moments of zero. */
  private initialState(train: TrainPlan): Snapshot {
    const states = Object.fromEntries(
      stateSlots(train.plan.slots).map(({ name }) => [
        name,
        name === trainSlots.parameters ? this.initialValues(train) : new Float32Array(train.flatLength),
      ]),
    );
    return { step: 0, states };
  }

  private initialValues({ parameters, flatLength }: TrainPlan): Float32Array {
    const flat = new Float32Array(flatLength);
    parameters.forEach(({ name, parameter, offset }, i) => {
      const view = flat.subarray(offset, offset + parameter.size);
      if (this.initial) view.set(this.initial(parameter));
      else
        atOnce(
          `the initializer of '${name}'`,
          parameter.initialize(new Random(this.options.seed ?? 0, i), view, parameter.shape),
        );
    });
    return flat;
  }

  private hold(what: string): Holder {
    this.alive();
    const { holder } = this;
    if (holder)
      fail(
        'busy',
        holder.rests
          ? `a fit() of this training is open after step ${this.step}: leave its loop (break), call return() on what it gave, or end it with training.stop()`
          : `this training is already running ${holder.what}; await that first`,
      );
    this.holder = { what, rests: false, ended: false };
    return this.holder;
  }

  private release(holder: Holder): void {
    if (this.holder === holder) this.holder = undefined;
  }

  /** The error that callers get: for what is not finite, where that began, with the training put before it. */
  private async explained(error: unknown): Promise<unknown> {
    if (!(error instanceof Broken)) return error;
    return this.lanes.upkeep(async () => {
      const broken = await this.stepper.rollBack();
      const { train, batch: size } = this.stepper.current!;
      const { backend, model, options, inputType } = this;
      const again = { ...{ backend, model, size, options }, input: inputType!, parameters: train.parameters };
      return notFinite(again, broken);
    });
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
