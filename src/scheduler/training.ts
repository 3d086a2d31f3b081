import type { Backend, Program } from '../backend/backend.ts';
import type { TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { Random } from '../core/random.ts';
import { sameShape, showShape } from '../core/shape.ts';
import { batchOrder, type DataSet } from '../data/index.ts';
import type { Parameter } from '../graph/parameter.ts';
import type { Plan, Slot } from '../graph/plan.ts';
import type { Model } from '../nn/module.ts';
import type { TensorType } from '../ops/op.ts';
import { FrozenModel } from '../passes/frozen.ts';
import { type TrainOptions, type TrainPlan, trainPlan, trainSlots } from '../passes/train.ts';
import { checkBounds, compileOn } from './compile.ts';
import { Turns } from './turns.ts';

export interface TrainingOptions extends TrainOptions {
  /** Seed of the initial weights and of dropout. */
  readonly seed?: number;
  /** Shape of one input sample; taken from the first data set if not given. */
  readonly input?: readonly number[];
}

export interface FitOptions {
  readonly batchSize: number;
  readonly epochs?: number;
  /** Seed of the order of the samples; each epoch has its own order. */
  readonly seed?: number;
  /** Take samples in a new random order each epoch; on by default. */
  readonly shuffle?: boolean;
  /**
   * Report, and read the loss back, only every so many steps (and after the last one); 1 if not given. The steps between
   * are queued without waiting, and while one loss is on its way the next steps are queued already: a caller who leaves the
   * loop has made up to this many steps more than the last report says.
   */
  readonly lossEvery?: number;
  /** Stops before the next step; the weights of the last whole step stay. */
  readonly signal?: AbortSignal;
}

/** What one training step did. */
export interface StepReport {
  /** Steps of this training so far, counted from 1. */
  readonly step: number;
  /** Epoch of this fit, counted from 1. */
  readonly epoch: number;
  /** Steps that this fit will make in all, and how many it has made. */
  readonly steps: number;
  readonly done: number;
  readonly loss: number;
}

interface Compiled {
  readonly program: Program;
  readonly train: TrainPlan;
  readonly batch: number;
}

/** A model being trained on one backend. */
export class Training {
  readonly backend: Backend;
  private readonly model: Model;
  private readonly options: TrainingOptions;
  private readonly initial: ((p: Parameter) => Float32Array) | undefined;
  private readonly hyper = new Float32Array(4);
  private readonly seeds: Int32Array;
  private inputType: TensorType | undefined;
  private compiled: Compiled | undefined;
  private stepsDone = 0;
  private busy = false;
  private disposed = false;

  constructor(backend: Backend, source: Model | FrozenModel, options: TrainingOptions) {
    this.backend = backend;
    this.options = options;
    this.model = source instanceof FrozenModel ? source.model : source;
    this.initial = source instanceof FrozenModel ? (p) => source.values(p) : undefined;
    const shape = options.input ?? (source instanceof FrozenModel ? source.input.shape : undefined);
    this.inputType = shape && { dtype: 'f32', shape };
    this.seeds = Int32Array.of(options.seed ?? 0, 0);
  }

  /** Steps made so far. */
  get step(): number {
    return this.stepsDone;
  }

  /** The plan now compiled, with its costs; undefined before the first step. */
  get plan(): Plan | undefined {
    return this.compiled?.train.plan;
  }

  /**
   * Trains, and reports after each step. Each epoch takes every whole batch of the data in a seeded order
   * (samples left over in one epoch come up in another). Stop by leaving the loop or by the signal: the
   * weights are those of the last whole step, and training can go on with another fit.
   */
  async *fit(data: DataSet, options: FitOptions): AsyncGenerator<StepReport, void, void> {
    const { batchSize, epochs = 1, seed = 0, shuffle = true, lossEvery = 1, signal } = options;
    checkData(data, batchSize, epochs);
    if (!Number.isInteger(lossEvery) || lossEvery < 1)
      fail('invalid_argument', `lossEvery is ${lossEvery}, expected a whole number from 1`);
    let onItsWay: Promise<StepReport> | undefined;
    this.start();
    try {
      const { program, train } = await this.prepare(data.input, batchSize);
      const { input: inputSlot, target: targetSlot } = train.plan.slots;
      checkTarget(data, targetSlot);
      const input = new Float32Array(program.plan.slots.input.shape.reduce((a, b) => a * b, 1));
      const target =
        targetSlot.dtype === 'i32' ? new Int32Array(count(targetSlot)) : new Float32Array(count(targetSlot));
      const perEpoch = Math.floor(data.length / batchSize);
      const steps = perEpoch * epochs;
      const turns = new Turns();
      for (let done = 0; done < steps; done++) {
        const epoch = Math.floor(done / perEpoch);
        if (signal?.aborted)
          fail('aborted', `training was stopped after ${done} of ${steps} steps; the weights are intact`, {
            cause: signal.reason,
          });
        if (done % perEpoch === 0) this.order = batchOrder(data.length, { seed, epoch, shuffle });
        const at = (done % perEpoch) * batchSize;
        data.gather(this.order.subarray(at, at + batchSize), input, target);
        this.queue(program, inputSlot, input, targetSlot, target);
        if ((done + 1) % lossEvery === 0 || done + 1 === steps) {
          const now = { step: this.stepsDone, epoch: epoch + 1, steps, done: done + 1 };
          const report = this.lossOf(program).then((loss) => ({ ...now, loss }));
          if (lossEvery === 1) yield await report;
          else {
            // If the caller leaves before it comes, nobody waits for it.
            report.catch(() => undefined);
            if (onItsWay) yield await onItsWay;
            onItsWay = report;
          }
        }
        await turns.breathe();
      }
      if (onItsWay) yield await onItsWay;
    } finally {
      this.busy = false;
    }
  }

  /** Makes one step on one batch of the caller's and returns its loss. */
  async stepOn(input: Float32Array, target: Float32Array | Int32Array, batchSize: number): Promise<number> {
    const type =
      this.inputType ??
      fail('invalid_argument', 'stepOn needs the input shape: pass { input: [...] } to train()');
    this.start();
    try {
      const { program, train } = await this.prepare(type, batchSize);
      this.queue(program, train.plan.slots.input, input, train.plan.slots.target, target);
      return await this.lossOf(program);
    } finally {
      this.busy = false;
    }
  }

  /** The weights as they are now, for inference, quantization or further training. */
  async freeze(): Promise<FrozenModel> {
    this.alive();
    const type =
      this.inputType ??
      fail(
        'invalid_argument',
        'freeze needs the input shape: train first, or pass { input: [...] } to train()',
      );
    const { program, train } = this.compiled ?? (await this.prepare(type, 1));
    const flat = await program.read(program.plan.slots[trainSlots.parameters]);
    const values = new Map(
      train.parameters.map(({ parameter, offset }) => [
        parameter,
        (flat as Float32Array).slice(offset, offset + parameter.size),
      ]),
    );
    return new FrozenModel(this.model, type, train.parameters, values);
  }

  dispose(): void {
    this.disposed = true;
    this.compiled?.program.dispose();
    this.compiled = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private order = new Uint32Array(0);

  /** Writes one batch and runs the whole step, without waiting for it. */
  private queue(
    program: Program,
    inputSlot: Slot,
    input: TypedArray,
    targetSlot: Slot,
    target: TypedArray,
  ): void {
    checkBounds(targetSlot, target);
    const { slots } = program.plan;
    this.options.optimizer.hyper(this.stepsDone + 1, this.hyper);
    program.write(inputSlot, input);
    program.write(targetSlot, target);
    program.write(slots[trainSlots.hyper], this.hyper);
    if (slots[trainSlots.seed]) {
      this.seeds[1] = this.stepsDone;
      program.write(slots[trainSlots.seed], this.seeds);
    }
    program.run();
    this.stepsDone++;
  }

  /** The loss of the last step queued. */
  private async lossOf(program: Program): Promise<number> {
    const [loss] = await program.read(program.plan.slots[trainSlots.loss]);
    return loss;
  }

  /** The program for a batch size; weights and moments move over when the size changes. */
  private async prepare(type: TensorType, batch: number): Promise<Compiled> {
    const known = this.inputType;
    if (known && (known.dtype !== type.dtype || !sameShape(known.shape, type.shape)))
      fail(
        'shape_mismatch',
        `this training takes samples of shape ${showShape(known.shape)}, got ${showShape(type.shape)}`,
      );
    if (this.compiled?.batch === batch) return this.compiled;
    const train = trainPlan(this.model, type, batch, this.options);
    const program = await compileOn(this.backend, train.plan);
    const states = Object.values(train.plan.slots).filter(
      (s) => s.role === 'state' && s.name !== 'gradients',
    );
    if (this.compiled) {
      for (const slot of states)
        program.write(slot, await this.compiled.program.read(this.compiled.train.plan.slots[slot.name]));
      this.compiled.program.dispose();
    } else program.write(train.plan.slots[trainSlots.parameters], this.initialValues(train));
    this.inputType = type;
    this.compiled = { program, train, batch };
    return this.compiled;
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

const count = (slot: Slot): number => slot.shape.reduce((a, b) => a * b, 1);

function checkData(data: DataSet, batchSize: number, epochs: number): void {
  if (!Number.isInteger(batchSize) || batchSize < 1)
    fail('invalid_argument', `batchSize is ${batchSize}, expected a whole number from 1`);
  if (!Number.isInteger(epochs) || epochs < 1)
    fail('invalid_argument', `epochs is ${epochs}, expected a whole number from 1`);
  if (data.length === 0) fail('invalid_data', 'the data set is empty; expected at least one sample');
  if (batchSize > data.length)
    fail(
      'out_of_range',
      `batchSize is ${batchSize} but the data set has ${data.length} samples; use a smaller batch`,
    );
  if (data.input.dtype !== 'f32')
    fail('dtype_mismatch', `the data set's inputs are ${data.input.dtype}, expected f32`);
}

function checkTarget(data: DataSet, slot: Slot): void {
  const shape = slot.shape.slice(1);
  if (data.target.dtype !== slot.dtype || !sameShape(data.target.shape, shape))
    fail(
      'shape_mismatch',
      `the data set's targets are ${data.target.dtype} ${showShape(data.target.shape)} for each sample; ` +
        `this model and loss expect ${slot.dtype} ${showShape(shape)}`,
    );
}
