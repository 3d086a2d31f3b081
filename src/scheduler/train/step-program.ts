import type { Program } from '../../backend/backend.ts';
import { checkBounds } from '../../backend/program.ts';
import { atOnce, isPromise } from '../../core/callbacks.ts';
import { allocate, type TypedArray } from '../../core/dtype.ts';
import { sizeOf } from '../../core/shape.ts';
import { type Plan, type Slot, sections } from '../../graph/plan.ts';
import { type Arrays, slotsOf } from '../../model/signature.ts';
import type { Observation } from '../../optim/rate.ts';
import { batchSlots } from '../../plans/batch-slots.ts';
import { type TrainPlan, trainSlots } from '../../plans/train.ts';
import type { Snapshot } from './snapshots.ts';
import type { TrainingMeter } from './training-cost.ts';

/** Copies one batch into the arrays of inputs and targets, by their names. Asked again, it must copy the same. */
export type Fill = (inputs: Arrays, targets: Arrays) => void | Promise<void>;

/** A batch, and where it comes from in the data set of a fit, if from one. */
export interface Batch {
  readonly fill: Fill;
  readonly samples?: ArrayLike<number>;
  readonly epoch?: number;
}

/** What steps are told beside their batches. */
export interface StepOptions {
  readonly seed: number;
  /** Micro-batches of a step at most: each has random numbers of its own. */
  readonly mostParts: number;
  /** What was measured between steps so far; grows. */
  readonly observed: readonly Observation[];
}

/** Inputs that a step's number gives, not its batch. */
const ofTheStep: readonly string[] = [trainSlots.hyper, trainSlots.seed];

/** What is written before a part of a step runs: the whole array, or its samples of that. */
interface PartOfStep {
  readonly entry: string;
  readonly writes: readonly { readonly slot: Slot; readonly values: TypedArray }[];
}

/** A training plan, compiled: takes a batch, runs a step on it, gives its loss. */
export class StepProgram {
  readonly program: Program;
  /** Whether it has made a step: only then there are gradients. */
  hasRun = false;
  private readonly tells: readonly ((step: number) => void)[];
  private readonly meter: TrainingMeter;
  /** All that a batch holds, as large as a step has samples. */
  private readonly slots: readonly Slot[];
  private readonly arrays: Arrays;
  private readonly batch: readonly [inputs: Arrays, targets: Arrays];
  private readonly parts: readonly PartOfStep[];
  private readonly plans: readonly Plan[];
  private readonly mostParts: number;
  private readonly seeds: Int32Array | undefined;

  constructor(
    program: Program,
    train: Pick<TrainPlan, 'parts' | 'batch'> & { readonly update: Pick<TrainPlan['update'], 'tells'> },
    { seed, mostParts, observed }: StepOptions,
    meter: TrainingMeter,
  ) {
    this.program = program;
    this.meter = meter;
    this.mostParts = mostParts;
    this.slots = batchSlots(train);
    const told = Object.values(program.plan.slots).filter(({ name }) => ofTheStep.includes(name));
    this.arrays = Object.fromEntries(
      [...this.slots, ...told].map(({ name, dtype, shape }) => [name, allocate(dtype, sizeOf(shape))]),
    );
    this.batch = [slotsOf('input', this.arrays), slotsOf('target', this.arrays)];
    const hyper = this.arrays[trainSlots.hyper] as Float32Array;
    this.tells = train.update.tells.map(({ at, tell }) => {
      const into = hyper.subarray(at, at + 4);
      return (step) => void atOnce('hyper() of the optimizer', tell(step, into, observed));
    });
    this.seeds = this.arrays[trainSlots.seed] as Int32Array | undefined;
    this.seeds?.set([seed, 0]);
    let done = 0;
    this.parts = train.parts.map(({ entry, rows }) => {
      // Places are those of the program, where all entries share one memory.
      const { slots } = program.plans[entry] ?? program.plan;
      const from = done;
      done += rows;
      const writes = Object.values(slots).flatMap((slot) => {
        if (slot.role !== 'input') return [];
        const values = this.arrays[slot.name];
        const sample = values.length / train.batch;
        const isTold = ofTheStep.includes(slot.name);
        return [{ slot, values: isTold ? values : values.subarray(from * sample, done * sample) }];
      });
      return { entry, writes };
    });
    this.plans = train.parts.map(({ plan }) => plan);
  }

  /** Copies a batch in. Throws 'out_of_range' where it holds what the model's ops can do nothing with. */
  async fill({ fill, samples }: Batch): Promise<void> {
    const filling = fill(...this.batch);
    if (isPromise(filling)) await filling;
    for (const slot of this.slots) checkBounds(slot, this.arrays[slot.name], samples);
  }

  /** Queues a step, counted from 1, on the batch that was copied in last. */
  run(step: number): void {
    this.runParts(step);
    this.program.run();
    this.ran();
  }

  /** As run, in sections that are timed, of the last part where it has several; the same bits. */
  async runTimed(step: number): Promise<void> {
    this.runParts(step);
    const { program } = this;
    // The smallest slot there is: reading it waits for the section.
    const hyper = program.plan.slots[trainSlots.hyper];
    for (const section of sections) {
      const start = performance.now();
      program.run(section);
      await program.read(hyper);
      this.meter.sampled(section, performance.now() - start);
    }
    this.ran();
  }

  /** The loss of the step that was queued last. */
  async loss(): Promise<number> {
    const [loss] = await this.program.read(this.program.plan.slots[trainSlots.loss]);
    return loss;
  }

  /** A copy of all that the step that was queued last was told, by slot. */
  told(): Arrays {
    return Object.fromEntries(Object.entries(this.arrays).map(([name, values]) => [name, values.slice()]));
  }

  /** Puts it where a snapshot was taken. */
  put({ states }: Snapshot): void {
    const { slots } = this.program.plan;
    for (const [name, values] of Object.entries(states)) this.program.write(slots[name], values);
    this.hasRun = false;
  }

  dispose(): void {
    this.program.dispose();
  }

  /** Queues all parts but the last, and writes what that takes. */
  private runParts(step: number): void {
    for (const tell of this.tells) tell(step);
    for (let i = 0; i < this.parts.length; i++) {
      const { entry, writes } = this.parts[i];
      if (this.seeds) this.seeds[1] = (step - 1) * this.mostParts + i;
      for (const { slot, values } of writes) this.program.write(slot, values);
      if (i < this.parts.length - 1) this.program.run({ entry });
    }
  }

  private ran(): void {
    this.hasRun = true;
    this.meter.ran(this.plans);
  }
}
