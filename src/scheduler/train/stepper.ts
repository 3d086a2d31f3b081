import type { Backend } from '../../backend/backend.ts';
import { bytesPerElement, type TypedArray } from '../../core/dtype.ts';
import { BiphaseError, fail } from '../../core/errors.ts';
import { sizeOf } from '../../core/shape.ts';
import type { GrowingPlan } from '../../graph/growing.ts';
import type { Optimizer } from '../../optim/optimizer.ts';
import type { TrainPlan } from '../../plans/train.ts';
import type { Backends } from '../choose/backends.ts';
import type { Chooser } from '../choose/chooser.ts';
import { compileOn } from '../choose/compile.ts';
import { Renewable, type Renewed } from '../choose/renewable.ts';
import { Broken, firstNotFinite } from './finite.ts';
import { Journal, type LoggedStep, lossOf, ranIn } from './journal.ts';
import type { Recovery, RecoveryOptions } from './recovery.ts';
import { type FirstBroken, firstBroken } from './roll-back.ts';
import { type Snapshot, stateSlots } from './snapshots.ts';
import { type Batch, StepProgram } from './step-program.ts';
import { type TrainingCost, TrainingMeter } from './training-cost.ts';

/** A plan for one batch size. */
export interface Build {
  readonly train: TrainPlan;
  readonly batch: number;
  /** What evaluates beside it, if anything does. */
  readonly evaluate?: GrowingPlan;
  /** Whether that looks at the mean of the weights. */
  readonly average?: boolean;
}

/** What a stepper works with. */
export interface StepperOptions {
  readonly seed: number;
  /** Micro-batches of a step at most. */
  readonly mostParts: number;
  /** Undefined: the first fault ends the training. */
  readonly recovery: RecoveryOptions | undefined;
}

/** Makes training steps, each exactly once whatever breaks: the journal brings a new program to where the lost one was. */
export class Stepper {
  readonly recoveries: Recovery[] = [];
  readonly meter = new TrainingMeter();
  private readonly backends: Backends;
  private readonly chooser: Chooser;
  private readonly options: StepperOptions;
  private readonly journal: Journal;
  private programs: Renewable<StepProgram> | undefined;
  private build: Build | undefined;
  /** Whether what is not finite stops the training. */
  private watches = false;
  private closed = false;

  constructor(backends: Backends, chooser: Chooser, options: StepperOptions) {
    this.backends = backends;
    this.chooser = chooser;
    this.options = options;
    this.journal = new Journal(options.recovery?.everySteps);
    this.journal.keeps = options.recovery !== undefined;
  }

  /** Steps made. */
  get step(): number {
    return this.journal.step;
  }

  get backend(): Backend {
    return this.programs?.active ? this.programs.on : this.backends.main;
  }

  /** Notes what was measured after the steps so far. */
  observe(value: number): void {
    this.journal.observe(value);
  }

  /** The learning rate of an optimizer at the newest step. */
  rateOf(optimizer: Optimizer): number {
    // In f64: rates are rounded to f32 only for kernels.
    const told = new Float64Array(4);
    optimizer.hyper(this.step, told as ArrayLike<number> as Float32Array, this.journal.observed);
    return told[0];
  }

  /** What is compiled now. */
  get current(): Build | undefined {
    return this.programs?.active ? this.build : undefined;
  }

  /** Whether steps are kept until the next snapshot, to be made again. */
  get keeps(): boolean {
    return this.journal.keeps;
  }

  /** Whether it is time for a snapshot. */
  get snapshotIsDue(): boolean {
    return this.journal.due;
  }

  cost(): TrainingCost {
    return this.meter.cost(this.step, this.journal.cost(), this.recoveries, this.backend.peak?.f32);
  }

  /** Compiles a build; the state moves over from the one before, or is `initial` for the first. */
  async prepare(build: Build, initial: () => Snapshot): Promise<void> {
    if (this.current) await this.takeSnapshot();
    this.programs?.dispose();
    const { plan } = build.train;
    const first = await this.chooser.backendFor(plan);
    if (this.closed) fail('disposed', 'this training was disposed while a plan was being made for it');
    this.build = build;
    this.programs = new Renewable(this.backends, first, {
      mends: this.options.recovery !== undefined,
      make: (backend) => this.compile(backend, build),
      restore: (running) => {
        // Made only now: a plan that finds no room costs nothing before.
        this.journal.begin(initial);
        return this.journal.restore(running);
      },
      renewed: (how) => this.recovered(how),
      gaveUp: (error, fault) => this.gaveUp(error, fault),
    });
    await this.programs.use(async () => {});
  }

  /**
   * Makes one step. When this settles the step is queued, with `loss` its loss is on the way, and with `wait` it is there;
   * a fault before it arrives is recovered from first.
   */
  async make(
    batch: Batch,
    { loss, wait }: { loss: boolean; wait: boolean },
  ): Promise<{ loss: Promise<number> | undefined }> {
    const start = performance.now();
    const programs = this.programs!;
    const made = await this.queue(programs, batch, { loss, wait });
    const told = loss ? programs.use((running) => lossOf(made, running)) : undefined;
    // The caller may have left the loop.
    told?.catch(() => undefined);
    if (wait) await told;
    const ms = performance.now() - start;
    this.meter.stepMs += ms;
    this.journal.snapshots.stepped(ms);
    return { loss: told };
  }

  /** From now on, stops or does not stop at what is not finite. */
  async watch(on: boolean): Promise<void> {
    const { journal } = this;
    const kept = journal.keeps;
    this.watches = on;
    journal.keeps = on || this.options.recovery !== undefined;
    // What was made meanwhile can't be made again.
    if (journal.keeps && !kept && this.current && !journal.whole) await this.takeSnapshot(false);
  }

  /** Whether these values of its state are not finite, and that is watched. */
  isBroken(values: ArrayLike<number>): boolean {
    return this.watches && firstNotFinite(values) >= 0;
  }

  /** Throws Broken unless all that was made since the newest snapshot is finite, where that is watched. */
  async check(): Promise<void> {
    if (!this.watches || !this.current || this.journal.whole) return;
    const { snapshots } = this.journal;
    if (!(await this.programs!.use(({ program }) => snapshots.read(program, true)))) throw new Broken();
  }

  /** Takes one: what breaks from now on is made again from here. Throws Broken where it is watched and not finite. */
  async takeSnapshot(watched = this.watches): Promise<void> {
    await this.programs!.use((running) => this.journal.take(running, watched));
  }

  /** The state after all steps so far. It is the stepper's own and holds until the next snapshot. */
  async state(): Promise<Snapshot> {
    if (this.current && !this.journal.whole) await this.takeSnapshot();
    const { snapshots, observed } = this.journal;
    return { ...snapshots.newest, observed };
  }

  /** A copy of one state tensor after all steps so far. */
  async read(name: string): Promise<TypedArray> {
    return this.programs!.use(({ program }) => program.read(program.plan.slots[name]));
  }

  /** Waits for the losses that are on their way. */
  settled(): Promise<void> {
    return this.journal.settled();
  }

  /** Does something with what is compiled that changes no state; again with what takes over where that is lost meanwhile. */
  using<R>(work: (running: StepProgram) => Promise<R>): Promise<R> {
    return this.programs!.use(work);
  }

  /** Puts the training where a snapshot was taken. What is compiled goes on from there. */
  async restore(snapshot: Snapshot): Promise<void> {
    if (!this.current) this.journal.put(snapshot);
    else
      await this.programs!.use(async (running) => {
        this.journal.put(snapshot);
        running.put(snapshot);
      });
  }

  /**
   * Makes the steps since the newest snapshot again, one by one, to the first that is not finite; the training stands before that
   * one then.
   */
  async rollBack(): Promise<FirstBroken> {
    const { journal } = this;
    await journal.settled();
    const found = await this.programs!.use((running) =>
      firstBroken(running, journal.snapshots.newest, journal.batches),
    );
    await this.restore(found.good);
    return found;
  }

  dispose(): void {
    this.closed = true;
    this.programs?.dispose();
  }

  private async queue(
    programs: Renewable<StepProgram>,
    batch: Batch,
    { loss, wait }: { loss: boolean; wait: boolean },
  ): Promise<LoggedStep> {
    const { journal } = this;
    let noted: LoggedStep | undefined;
    try {
      await programs.use(async (running) => {
        // Made already, with those before it, when this program took over.
        if (noted?.ranIn === running) return;
        await running.fill(batch);
        noted ??= journal.note(batch, loss);
        // Nothing else is in flight where the caller waits for each loss: only then a step may be run in parts.
        if (wait && this.meter.samplesNext) await running.runTimed(journal.step);
        else running.run(journal.step);
        ranIn(running, noted);
      });
    } catch (error) {
      if (noted) journal.strike(noted);
      throw error;
    }
    return noted!;
  }

  private async compile(backend: Backend, { train, evaluate }: Build): Promise<StepProgram> {
    const { plan, parts } = train;
    // The first entry names the program: that which ends a step.
    const entries = Object.fromEntries(parts.toReversed().map(({ entry, plan }) => [entry, plan]));
    const isOne = parts.length === 1 && !evaluate;
    const program = await compileOn(backend, isOne ? plan : { ...entries, ...(evaluate && { evaluate }) });
    const stateBytes = stateSlots(plan.slots).reduce(
      (sum, { dtype, shape }) => sum + bytesPerElement[dtype] * sizeOf(shape),
      0,
    );
    const arenaBytes = Math.max(...parts.map(({ plan }) => plan.arenaBytes));
    const held = arenaBytes + (this.keeps ? 2 : 1) * stateBytes;
    this.meter.peakBytes = Math.max(this.meter.peakBytes, held);
    const { seed, mostParts } = this.options;
    const { observed } = this.journal;
    return new StepProgram(program, train, { seed, mostParts, observed }, this.meter);
  }

  private async recovered({ fault, from, to, attempts, ms }: Renewed): Promise<void> {
    const report: Recovery = {
      ...{ code: fault.code, message: fault.message, from: from.name, to: to.name, step: this.step },
      ...{ replayedSteps: this.journal.batches.length, attempts, ms },
    };
    this.recoveries.push(report);
    await this.options.recovery?.onRecovery?.(report);
  }

  /** Nothing helped. The training stands where the newest snapshot was taken, and can be prepared again. */
  private gaveUp(error: unknown, fault: BiphaseError | undefined): unknown {
    const at = this.step;
    const step = this.journal.goBack();
    if (!fault) return error;
    const where = `at step ${at}; nothing to go on with, so the training stands at step ${step}`;
    return new BiphaseError(fault.code, `${fault.message} (${where})`, { cause: error });
  }
}
