import type { Backend, Program } from '../../backend/backend.ts';
import { atOnce, isPromise } from '../../core/callbacks.ts';
import { allocate, type TypedArray } from '../../core/dtype.ts';
import { BiphaseError, fail } from '../../core/errors.ts';
import { sizeOf } from '../../core/shape.ts';
import { type Slot, sections } from '../../graph/plan.ts';
import type { Optimizer } from '../../optim/optimizer.ts';
import { type TrainPlan, trainSlots } from '../../plans/train.ts';
import type { Backends } from '../choose/backends.ts';
import type { Chooser } from '../choose/chooser.ts';
import { checkBounds, compileOn } from '../choose/compile.ts';
import { Turns } from '../turns/turns.ts';
import { Broken, firstNotFinite } from './finite.ts';
import { type Snapshot, Snapshots, stateSlots } from './snapshots.ts';
import { type TrainingCost, TrainingMeter } from './training-cost.ts';

/** Copies one batch into arrays of the program's input and target. Asked again, it must copy the same. */
export type Fill = (input: TypedArray, target: TypedArray) => void | Promise<void>;

/** A batch, and where it comes from in the data set of a fit, if from one. */
export interface Batch {
  readonly fill: Fill;
  readonly samples?: ArrayLike<number>;
  readonly epoch?: number;
}

/** The first step that was not finite, and the last state that was. */
export interface FirstBroken {
  /** The state that the training stands at now. */
  readonly good: Snapshot;
  /** The step after it, which was not finite; undefined where the steps, made again, were. */
  readonly step: BrokenStep | undefined;
}

export interface BrokenStep {
  readonly batch: Batch;
  /** What it was told. */
  readonly input: TypedArray;
  readonly target: TypedArray;
  readonly hyper: Float32Array;
  readonly seed: Int32Array;
  /** Its loss, and the state after it. */
  readonly loss: number;
  readonly bad: Snapshot['states'];
}

/** How a training got over something that broke. */
export interface Recovery {
  /** What broke: 'device_lost', 'worker_lost' or 'out_of_memory', and the error's words. */
  readonly code: string;
  /** The error's words. */
  readonly message: string;
  /** Backends it ran on before and after. */
  readonly from: string;
  /** The backend it goes on on. */
  readonly to: string;
  /** Steps made when it broke, and how many of them were made again from the newest snapshot. */
  readonly step: number;
  /** Steps made again from the newest snapshot. */
  readonly replayedSteps: number;
  /** Times it took: more than one where something broke during the recovery. */
  readonly attempts: number;
  /** Time it took, in ms. */
  readonly ms: number;
}

/** How a training gets over a lost backend. */
export interface RecoveryOptions {
  /** Steps between two snapshots; if not given, as few as cost less than 2 % of the steps' measured time. */
  readonly everySteps?: number;
  /** Told after each recovery; awaited where it is asynchronous. */
  readonly onRecovery?: (recovery: Recovery) => void;
}

/** A plan for one batch size. */
export interface Build {
  readonly train: TrainPlan;
  readonly batch: number;
}

/** A step since the newest snapshot. */
interface LoggedStep {
  readonly batch: Batch;
  readonly loss:
    | { promise: Promise<number>; resolve(loss: number): void; reject(error: unknown): void }
    | undefined;
  /** The loss on its way from the program that ran the step last. */
  reading: Promise<void> | undefined;
  /** The loss, once it is here. */
  value: number | undefined;
}

/** What is compiled, and the arrays that batches are copied into. */
interface Running {
  readonly program: Program;
  readonly backend: Backend;
  readonly input: TypedArray;
  readonly target: TypedArray;
}

/** Faults at one and the same step before it is taken to be hopeless. */
const MOST_FAULTS = 8;

/**
 * Makes training steps, each exactly once whatever breaks: a snapshot of the state in memory, and the steps since then,
 * which are made again from the snapshot in a new program where the old one was lost.
 */
export class Stepper {
  readonly recoveries: Recovery[] = [];
  readonly meter = new TrainingMeter();
  private readonly backends: Backends;
  private readonly chooser: Chooser;
  private readonly optimizer: Optimizer;
  private readonly recovery: RecoveryOptions | undefined;
  private readonly seeds: Int32Array;
  private readonly hyper = new Float32Array(4);
  private snapshots: Snapshots | undefined;
  private log: LoggedStep[] = [];
  private build: Build | undefined;
  private initial: (() => Snapshot) | undefined;
  private running: Running | undefined;
  private recovering: Promise<void> | undefined;
  private faults = { step: -1, count: 0 };
  /** Whether what is not finite stops the training. */
  private watches = false;
  private done = 0;

  constructor(
    backends: Backends,
    chooser: Chooser,
    optimizer: Optimizer,
    seed: number,
    recovery: RecoveryOptions | undefined,
  ) {
    this.backends = backends;
    this.chooser = chooser;
    this.optimizer = optimizer;
    this.recovery = recovery;
    this.seeds = Int32Array.of(seed, 0);
  }

  /** Steps made. */
  get step(): number {
    return this.done;
  }

  get backend(): Backend {
    return this.running?.backend ?? this.backends.main;
  }

  /** What is compiled now. */
  get current(): Build | undefined {
    return this.running && this.build;
  }

  get program(): Program | undefined {
    return this.running?.program;
  }

  cost(): TrainingCost {
    const { taken = 0, totalMs = 0 } = this.snapshots ?? {};
    const everySteps = this.keeps ? this.snapshots?.interval(this.done) : undefined;
    const parts = {
      steps: this.done,
      snapshots: { taken, ms: totalMs, everySteps },
      recoveries: {
        count: this.recoveries.length,
        ms: this.recoveries.reduce((sum, r) => sum + r.ms, 0),
        replayedSteps: this.recoveries.reduce((sum, r) => sum + r.replayedSteps, 0),
      },
    };
    return this.meter.cost(parts, this.backend.peak?.f32);
  }

  /** Whether steps are kept until the next snapshot, to be made again. */
  get keeps(): boolean {
    return this.recovery !== undefined || this.watches;
  }

  /** From now on, stops or does not stop at what is not finite. */
  async watch(on: boolean): Promise<void> {
    const kept = this.keeps;
    this.watches = on;
    if (!this.keeps) this.log = [];
    // What was made meanwhile can't be made again.
    else if (!kept && this.running && this.snapshots!.newest.step !== this.done)
      await this.takeSnapshot(false);
  }

  /** Whether these values of its state are not finite, and that is watched. */
  isBroken(values: Float32Array): boolean {
    return this.watches && firstNotFinite(values) >= 0;
  }

  /** Throws Broken unless all that was made since the newest snapshot is finite, where that is watched. */
  async check(): Promise<void> {
    if (!this.watches || !this.running || this.snapshots!.newest.step === this.done) return;
    if (!(await this.guarded(({ program }) => this.snapshots!.read(program, true)))) throw new Broken();
  }

  /** Compiles a build; the state moves over from the one before, or is `initial` for the first. */
  async prepare(build: Build, initial: () => Snapshot): Promise<void> {
    if (this.running) await this.takeSnapshot();
    this.initial = initial;
    this.build = build;
    await this.rebuild(undefined);
  }

  /** Puts the training where a snapshot was taken. What is compiled goes on from there. */
  async restore(snapshot: Snapshot): Promise<void> {
    await this.recovering;
    this.log = [];
    this.done = snapshot.step;
    if (this.snapshots) this.snapshots.put(snapshot);
    else this.snapshots = new Snapshots(snapshot, this.recovery?.everySteps);
    await this.writeState();
  }

  /** The state after all steps so far. It is the stepper's own and holds until the next snapshot. */
  async state(): Promise<Snapshot> {
    if (this.running && this.snapshots!.newest.step !== this.done) await this.takeSnapshot();
    return this.snapshots!.newest;
  }

  /** A copy of one state tensor after all steps so far. */
  async read(name: string): Promise<Float32Array> {
    return this.guarded(({ program }) => program.read(program.plan.slots[name])) as Promise<Float32Array>;
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
    let running: Running;
    do running = await this.fill(batch);
    while (this.recovering || this.running !== running);
    checkBounds(running.program.plan.slots[trainSlots.target], running.target, batch.samples);
    const entry: LoggedStep = {
      ...{ batch, loss: loss ? deferred() : undefined, reading: undefined, value: undefined },
    };
    if (this.keeps) this.log.push(entry);
    this.done++;
    try {
      // Nothing else is in flight where the caller waits for each loss: only then a step may be run in parts.
      if (wait && this.meter.samplesNext) await this.runTimed(entry, this.done);
      else this.run(entry, this.done);
    } catch (error) {
      const fault = this.faultOf(error, running.backend);
      if (!fault) {
        // Nothing has run: the step never was.
        if (this.keeps) this.log.pop();
        this.done--;
        throw error;
      }
      await this.recover(fault, running.program);
    }
    if (wait) await entry.loss?.promise;
    const ms = performance.now() - start;
    if (wait && this.running) this.chooser.ledger.note(this.backend.name, this.running.program.plan, ms);
    this.meter.stepMs += ms;
    this.snapshots!.stepped(ms);
    return { loss: entry.loss?.promise };
  }

  /** Whether it is time for a snapshot. */
  get snapshotIsDue(): boolean {
    return this.keeps && this.snapshots!.due(this.done);
  }

  dispose(): void {
    this.running?.program.dispose();
    this.running = undefined;
  }

  /** Takes one: what breaks from now on is made again from here. Throws Broken where it is watched and not finite. */
  async takeSnapshot(watched = this.watches): Promise<void> {
    await this.guarded(async ({ program }) => {
      // Every loss under way first: what comes before a snapshot can't be replayed after it.
      await Promise.all(this.log.map((entry) => entry.reading));
      const sound = !watched || this.log.every(({ value = 0 }) => Number.isFinite(value));
      if (!(sound && (await this.snapshots!.take(program, this.done, watched)))) throw new Broken();
    });
    this.log = [];
  }

  /**
   * Makes the steps since the newest snapshot again, one by one, to the first that is not finite; the training stands before that
   * one then. Where the steps don't repeat (a data set that gives other samples each time) it stands at the snapshot.
   */
  async rollBack(): Promise<FirstBroken> {
    await Promise.allSettled(this.log.map((entry) => entry.reading));
    const found = await this.guarded(({ program }) => this.firstBroken(program));
    await this.restore(found.good);
    return found;
  }

  private async firstBroken(program: Program): Promise<FirstBroken> {
    const { newest } = this.snapshots!;
    const { slots } = program.plan;
    this.writeStates(program, newest);
    const states = Object.entries(newest.states).map(([name, values]) => [name, values.slice()]);
    const walk = new Snapshots({ step: newest.step, states: Object.fromEntries(states) }, undefined);
    const turns = new Turns();
    for (const [i, { batch }] of this.log.entries()) {
      const step = newest.step + i + 1;
      const { input, target } = await this.fill(batch);
      this.writeStep(step);
      program.run();
      const [loss] = await program.read(slots[trainSlots.loss]);
      const good = walk.newest;
      const sound = await walk.take(program, step, true);
      if (!sound || !Number.isFinite(loss)) {
        // What was read last is spare where it was refused.
        const bad = sound ? walk.newest.states : walk.refused;
        const told = { input: input.slice(), target: target.slice(), hyper: this.hyper.slice() };
        return { good, step: { ...told, seed: this.seeds.slice(), batch, loss, bad } };
      }
      await turns.breathe();
    }
    return { good: newest, step: undefined };
  }

  /** Fills the arrays of the program that runs when this settles. */
  private async fill(batch: Batch): Promise<Running> {
    for (;;) {
      if (this.recovering) await this.recovering;
      const running = this.alive();
      const filling = batch.fill(running.input, running.target);
      if (isPromise(filling)) await filling;
      if (this.running === running && !this.recovering) return running;
    }
  }

  private writeStates(program: Program, { states }: Snapshot): void {
    for (const [name, values] of Object.entries(states)) program.write(program.plan.slots[name], values);
  }

  private async writeState(): Promise<void> {
    if (!this.running) return;
    const { newest } = this.snapshots!;
    // Where the program is lost meanwhile, the next one begins with this state.
    await this.guarded(async ({ program }) => this.writeStates(program, newest));
  }

  /** Does something with the program, and again with the next one where this one is lost under it. */
  private async guarded<T>(work: (running: { program: Program }) => Promise<T>): Promise<T> {
    for (;;) {
      if (this.recovering) await this.recovering;
      const running = this.alive();
      try {
        return await work(running);
      } catch (error) {
        const fault = this.faultOf(error, running.backend);
        if (fault) await this.recover(fault, running.program);
        else if (!this.recovering && (!this.running || this.running === running)) throw error;
      }
    }
  }

  /** Writes what a step needs and runs it; step numbers count from 1. Fill has copied the batch already. */
  private run(entry: LoggedStep, step: number): void {
    this.writeStep(step);
    const { program } = this.running!;
    program.run();
    this.ran(entry, program);
  }

  /** As run, in sections that are timed; the same bits. */
  private async runTimed(entry: LoggedStep, step: number): Promise<void> {
    this.writeStep(step);
    const { program } = this.running!;
    // The smallest slot there is: reading it waits for the section.
    const hyper = program.plan.slots[trainSlots.hyper];
    for (const section of sections) {
      const start = performance.now();
      program.run(section);
      await program.read(hyper);
      this.meter.sampled(section, performance.now() - start);
    }
    this.ran(entry, program);
  }

  private writeStep(step: number): void {
    const { program, input, target } = this.running!;
    const { slots } = program.plan;
    atOnce('hyper() of the optimizer', this.optimizer.hyper(step, this.hyper));
    program.write(slots[trainSlots.input], input);
    program.write(slots[trainSlots.target], target);
    program.write(slots[trainSlots.hyper], this.hyper);
    if (slots[trainSlots.seed]) {
      this.seeds[1] = step - 1;
      program.write(slots[trainSlots.seed], this.seeds);
    }
  }

  /** After a step has been queued: counts it, and fetches its loss where that is wanted. */
  private ran(entry: LoggedStep, program: Program): void {
    this.meter.ran(program.plan);
    if (!entry.loss) return;
    const { resolve, reject } = entry.loss;
    const { backend } = this.running!;
    entry.reading = program.read(program.plan.slots[trainSlots.loss]).then(
      ([loss]) => {
        entry.value = loss;
        resolve(loss);
      },
      (error) => {
        const fault = this.faultOf(error, backend);
        if (fault) this.recover(fault, program).catch(reject);
        // A program that has been replaced: the loss comes from the next one.
        else if (!this.recovering && (!this.running || this.running.program === program)) reject(error);
        throw error;
      },
    );
    entry.reading.catch(() => undefined);
  }

  private faultOf(error: unknown, backend: Backend): BiphaseError | undefined {
    return this.recovery && this.backends.faultOf(error, backend);
  }

  /** Settles when what `failed` held is there again in another program; at once where that was done already. */
  private async recover(fault: BiphaseError, failed: Program): Promise<void> {
    if (!this.recovering && this.running?.program === failed) this.startRecovery(fault);
    await this.recovering;
  }

  private startRecovery(fault: BiphaseError): void {
    const recovering = this.rebuild(fault).finally(() => {
      if (this.recovering === recovering) this.recovering = undefined;
    });
    this.recovering = recovering;
  }

  /** A new program from the newest snapshot and the steps since; `fault` is what broke the last, if anything did. */
  private async rebuild(fault: BiphaseError | undefined): Promise<void> {
    const start = performance.now();
    let first = fault;
    const from = this.backend;
    // Where nothing broke it is a new plan, which may be faster elsewhere: its state moves with it.
    let backend = fault ? from : await this.chooser.backendFor(this.build!.train.plan);
    let attempt = 1;
    for (; ; attempt++) {
      this.dispose();
      if (fault) backend = (await this.nextBackend(backend, fault, attempt)) ?? this.giveUp(fault);
      try {
        await this.compile(backend);
        // Made only now: a plan that finds no room costs nothing before.
        this.snapshots ??= new Snapshots(this.initial!(), this.recovery?.everySteps);
        await this.replay();
        break;
      } catch (error) {
        fault = this.faultOf(error, backend);
        if (!fault) this.giveUp(error);
        first ??= fault;
      }
    }
    if (!first) return;
    const report: Recovery = {
      ...{ code: first.code, message: first.message, from: from.name, to: backend.name, step: this.done },
      ...{ replayedSteps: this.log.length, attempts: attempt, ms: performance.now() - start },
    };
    this.recoveries.push(report);
    await this.recovery?.onRecovery?.(report);
  }

  /** Undefined where there is none, or where this step has broken too often. */
  private async nextBackend(
    backend: Backend,
    error: BiphaseError,
    attempt: number,
  ): Promise<Backend | undefined> {
    const again = this.faults.step === this.done;
    this.faults = { step: this.done, count: again ? this.faults.count + 1 : 1 };
    return this.faults.count > MOST_FAULTS ? undefined : this.backends.after(backend, error, attempt);
  }

  private async compile(backend: Backend): Promise<void> {
    const program = await compileOn(backend, this.build!.train.plan);
    const { slots } = program.plan;
    const arrayFor = (slot: Slot) => allocate(slot.dtype, sizeOf(slot.shape));
    const stateBytes = stateSlots(slots).reduce((sum, slot) => sum + 4 * sizeOf(slot.shape), 0);
    const held = this.build!.train.plan.arenaBytes + (this.keeps ? 2 : 1) * stateBytes;
    this.meter.peakBytes = Math.max(this.meter.peakBytes, held);
    this.running = { program, backend, input: arrayFor(slots.input), target: arrayFor(slots.target) };
  }

  private async replay(): Promise<void> {
    const { program, input, target } = this.running!;
    const { slots } = program.plan;
    const { newest } = this.snapshots!;
    this.writeStates(program, newest);
    const turns = new Turns();
    for (const [i, entry] of this.log.entries()) {
      const filling = entry.batch.fill(input, target);
      if (isPromise(filling)) await filling;
      this.run(entry, newest.step + i + 1);
      await turns.breathe();
    }
    await Promise.all(this.log.map((entry) => entry.reading));
    // Waits for all of it, so that a fault in a replayed step is this attempt's.
    if (this.log.length > 0) await program.read(slots[trainSlots.loss]);
  }

  /** Nothing helped. The training stands where the newest snapshot was taken, and can be prepared again. */
  private giveUp(error: unknown): never {
    const step = this.snapshots?.newest.step ?? 0;
    const fault = this.backends.faultOf(error, this.backend);
    const final = fault
      ? new BiphaseError(
          fault.code,
          `${fault.message} (at step ${this.done}; nothing to go on with, so the training stands at step ${step})`,
          { cause: error },
        )
      : error;
    for (const { loss } of this.log) loss?.reject(final);
    this.log = [];
    this.done = step;
    this.dispose();
    throw final;
  }

  private alive() {
    return this.running ?? fail('disposed', 'this training has no program; its backend was lost');
  }
}

function deferred(): NonNullable<LoggedStep['loss']> {
  let settle: Omit<NonNullable<LoggedStep['loss']>, 'promise'>;
  const promise = new Promise<number>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // The caller may have left the loop.
  promise.catch(() => undefined);
  return { promise, ...settle! };
}
