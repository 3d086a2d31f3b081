import type { Backend } from '../backend/backend.ts';
import { checkSlotArray } from '../backend/program.ts';
import { type Bytes, bytesOf } from '../core/arrays.ts';
import { fail } from '../core/errors.ts';
import { Random } from '../core/random.ts';
import { sameShape, showShape } from '../core/shape.ts';
import { batchOrder, type DataSet } from '../data/index.ts';
import type { Parameter } from '../graph/parameter.ts';
import type { Plan } from '../graph/plan.ts';
import { checkWritable, readIfThere, writeWhole } from '../io/file.ts';
import { seal } from '../io/seal.ts';
import type { Model } from '../nn/module.ts';
import type { TensorType } from '../ops/op.ts';
import { FrozenModel } from '../passes/frozen.ts';
import { type TrainPlan, trainPlan, trainSlots } from '../passes/train.ts';
import { Backends } from './backends.ts';
import {
  type CheckpointModel,
  checkPosition,
  decodeCheckpoint,
  encodeCheckpoint,
  type FitPosition,
} from './checkpoint.ts';
import { Chooser } from './chooser.ts';
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
import { Lanes } from './lanes.ts';
import { type Snapshot, stateSlots } from './snapshots.ts';
import { type Build, type Fill, type Recovery, Stepper } from './stepper.ts';
import type { TrainingCost } from './training-cost.ts';

/** Where a training runs, and beside what. */
export interface Place {
  readonly backends: Backends;
  readonly lanes: Lanes;
  readonly chooser: Chooser;
}

/** A model being trained. */
export class Training {
  private readonly model: Model;
  private readonly options: TrainingOptions;
  private readonly initial: ((p: Parameter) => Float32Array) | undefined;
  private readonly lanes: Lanes;
  private readonly stepper: Stepper;
  private inputType: TensorType | undefined;
  private busy = false;
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
    const { recovery = {} } = options;
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
   * Trains, and reports after each step. Each epoch takes every whole batch of the data in a seeded order
   * (samples left over in one epoch come up in another). Stop by leaving the loop or by the signal: the
   * weights are those of the last whole step, and training can go on with another fit.
   */
  async *fit(data: DataSet, options: FitOptions): AsyncGenerator<StepReport, void, void> {
    const {
      batchSize,
      epochs = 1,
      seed = 0,
      shuffle = true,
      lossEvery = 1,
      signal,
      checkpoint,
    } = checkFit(options);
    checkData(data, batchSize);
    if (checkpoint) await checkWritable(checkpoint.path);
    const where = { batchSize, seed, shuffle, samples: data.length };
    let onItsWay: Promise<StepReport> | undefined;
    this.start();
    try {
      const { train } = await this.prepare(data.input, batchSize);
      checkTarget(data, train.plan.slots[trainSlots.target]);
      const perEpoch = Math.floor(data.length / batchSize);
      const steps = perEpoch * epochs;
      let order: Uint32Array | undefined;
      for (let done = await this.begin(checkpoint, where); done < steps; done++) {
        const epoch = Math.floor(done / perEpoch);
        if (signal?.aborted) {
          if (checkpoint) await this.write(checkpoint.path, { ...where, done });
          fail('aborted', `training was stopped after ${done} of ${steps} steps; the weights are intact`, {
            cause: signal.reason,
          });
        }
        if (!order || done % perEpoch === 0) order = batchOrder(data.length, { seed, epoch, shuffle });
        const at = (done % perEpoch) * batchSize;
        const indices = order.subarray(at, at + batchSize);
        const wanted = (done + 1) % lossEvery === 0 || done + 1 === steps;
        const { loss } = await this.make((input, target) => data.gather(indices, input, target), {
          loss: wanted,
          wait: lossEvery === 1,
        });
        if (checkpoint && ((done + 1) % checkpoint.everySteps === 0 || done + 1 === steps))
          await this.write(checkpoint.path, { ...where, done: done + 1 });
        if (loss) {
          const now = { step: this.step, epoch: epoch + 1, steps, done: done + 1 };
          const report = loss.then((value) => ({ ...now, loss: value }));
          if (lossEvery === 1) yield await report;
          else {
            // If the caller leaves before it comes, nobody waits for it.
            report.catch(() => undefined);
            if (onItsWay) yield await onItsWay;
            onItsWay = report;
          }
        }
        await this.lanes.betweenSteps();
      }
      if (onItsWay) yield await onItsWay;
    } finally {
      this.busy = false;
    }
  }

  /** Makes one step on one batch of the caller's and returns its loss. */
  async stepOn(input: Float32Array, target: Float32Array | Int32Array, batchSize: number): Promise<number> {
    const type = this.typeFor('stepOn');
    this.start();
    try {
      const { plan } = (await this.prepare(type, batchSize)).train;
      checkSlotArray(plan, plan.slots[trainSlots.input], input, 'write');
      checkSlotArray(plan, plan.slots[trainSlots.target], target, 'write');
      // Copies, where the step may have to be made again.
      const [x, t] = this.options.recovery === false ? [input, target] : [input.slice(), target.slice()];
      const copy: Fill = (intoInput, intoTarget) => {
        intoInput.set(x);
        intoTarget.set(t);
      };
      return (await (
        await this.make(copy, { loss: true, wait: true })
      ).loss)!;
    } finally {
      this.busy = false;
    }
  }

  /** The weights as they are now, for inference, quantization or further training. */
  async freeze(): Promise<FrozenModel> {
    this.alive();
    const { train } = this.stepper.current ?? (await this.prepare(this.typeFor('freeze'), 1));
    const flat = await this.stepper.read(trainSlots.parameters);
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
    const file = await this.lanes.upkeep(async () =>
      encodeCheckpoint({ snapshot: await this.stepper.state(), position }, model),
    );
    await seal(file);
    return file;
  }

  /** Goes on from the bytes of a checkpoint; errors as load(). */
  async restore(source: Bytes): Promise<void> {
    const file = bytesOf('restore', source);
    this.start();
    try {
      const { snapshot } = await decodeCheckpoint(file, await this.checkpointModel());
      await this.stepper.restore(snapshot);
    } finally {
      this.busy = false;
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
    fill: Fill,
    how: { loss: boolean; wait: boolean },
  ): Promise<{ loss: Promise<number> | undefined }> {
    const asked = performance.now();
    const made = await this.lanes.training(() => {
      this.stepper.meter.waitingMs += performance.now() - asked;
      return this.stepper.make(fill, how);
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
    return { train, optimizer, seed };
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
    parameters.forEach(({ parameter, offset }, i) => {
      const view = flat.subarray(offset, offset + parameter.size);
      if (this.initial) view.set(this.initial(parameter));
      else parameter.initialize(new Random(this.options.seed ?? 0, i), view, parameter.shape);
    });
    return flat;
  }

  private start(): void {
    this.alive();
    if (this.busy) fail('busy', 'this training is already running; await the other fit or step first');
    this.busy = true;
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
