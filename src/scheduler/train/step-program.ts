import type { Program } from '../../backend/backend.ts';
import { checkBounds } from '../../backend/program.ts';
import { atOnce, isPromise } from '../../core/callbacks.ts';
import { allocate } from '../../core/dtype.ts';
import { sizeOf } from '../../core/shape.ts';
import { type Slot, sections } from '../../graph/plan.ts';
import { type Arrays, slotsOf } from '../../model/signature.ts';
import type { Observation } from '../../optim/rate.ts';
import { trainSlots } from '../../plans/train.ts';
import type { Update } from '../../plans/update.ts';
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
  readonly tells: Update['tells'];
  readonly seed: number;
  /** What was measured between steps so far; grows. */
  readonly observed: readonly Observation[];
}

/** Inputs that a step's number gives, not its batch. */
const ofTheStep: readonly string[] = [trainSlots.hyper, trainSlots.seed];

/** A training plan, compiled: takes a batch, runs a step on it, gives its loss. */
export class StepProgram {
  readonly program: Program;
  /** Whether it has made a step: only then there are gradients. */
  hasRun = false;
  private readonly tells: readonly ((step: number) => void)[];
  private readonly meter: TrainingMeter;
  /** All that is written before a step. */
  private readonly inputs: readonly Slot[];
  private readonly arrays: Arrays;
  private readonly batch: readonly [inputs: Arrays, targets: Arrays];
  private readonly seeds: Int32Array | undefined;

  constructor(program: Program, { tells, seed, observed }: StepOptions, meter: TrainingMeter) {
    this.program = program;
    this.meter = meter;
    this.inputs = Object.values(program.plan.slots).filter(({ role }) => role === 'input');
    this.arrays = Object.fromEntries(
      this.inputs.map(({ name, dtype, shape }) => [name, allocate(dtype, sizeOf(shape))]),
    );
    this.batch = [slotsOf('input', this.arrays), slotsOf('target', this.arrays)];
    const hyper = this.arrays[trainSlots.hyper] as Float32Array;
    this.tells = tells.map(({ at, tell }) => {
      const into = hyper.subarray(at, at + 4);
      return (step) => void atOnce('hyper() of the optimizer', tell(step, into, observed));
    });
    this.seeds = this.arrays[trainSlots.seed] as Int32Array | undefined;
    this.seeds?.set([seed, 0]);
  }

  /** Copies a batch in. Throws 'out_of_range' where it holds what the model's ops can do nothing with. */
  async fill({ fill, samples }: Batch): Promise<void> {
    const filling = fill(...this.batch);
    if (isPromise(filling)) await filling;
    for (const slot of this.inputs)
      if (!ofTheStep.includes(slot.name)) checkBounds(slot, this.arrays[slot.name], samples);
  }

  /** Queues a step, counted from 1, on the batch that was copied in last. */
  run(step: number): void {
    this.write(step);
    this.program.run();
    this.meter.ran(this.program.plan);
  }

  /** As run, in sections that are timed; the same bits. */
  async runTimed(step: number): Promise<void> {
    this.write(step);
    const { program } = this;
    // The smallest slot there is: reading it waits for the section.
    const hyper = program.plan.slots[trainSlots.hyper];
    for (const section of sections) {
      const start = performance.now();
      program.run(section);
      await program.read(hyper);
      this.meter.sampled(section, performance.now() - start);
    }
    this.meter.ran(program.plan);
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
  }

  dispose(): void {
    this.program.dispose();
  }

  private write(step: number): void {
    for (const tell of this.tells) tell(step);
    this.hasRun = true;
    if (this.seeds) this.seeds[1] = step - 1;
    for (const slot of this.inputs) this.program.write(slot, this.arrays[slot.name]);
  }
}
