import { fail } from '../../core/errors.ts';
import type { Observation } from '../../optim/rate.ts';
import { Turns } from '../turns/turns.ts';
import { Broken } from './finite.ts';
import { type Snapshot, Snapshots } from './snapshots.ts';
import type { Batch, StepProgram } from './step-program.ts';
import type { TrainingCost } from './training-cost.ts';

/** A step since the newest snapshot. */
export interface LoggedStep {
  readonly batch: Batch;
  readonly wantsLoss: boolean;
  /** The program that ran it last, and the loss on its way from there. */
  ranIn: StepProgram | undefined;
  reading: Promise<number> | undefined;
  /** The loss, once it is here. */
  value: number | undefined;
}

/**
 * What a training is, whatever becomes of the program that it runs in: a snapshot of the state, and the steps since. A new
 * program is brought to the same point by making those steps again, each with the batch and the number that it had.
 */
export class Journal {
  /** Steps made. */
  step = 0;
  /** Whether steps are kept until the next snapshot; else only the newest is. */
  keeps = true;
  /** What was measured between steps, in order; the array stays the same. */
  readonly observed: Observation[] = [];
  private readonly everySteps: number | undefined;
  private taken: Snapshots | undefined;
  private log: LoggedStep[] = [];

  /** `everySteps`: steps between two snapshots; if undefined, as few as are cheap beside the steps. */
  constructor(everySteps: number | undefined) {
    this.everySteps = everySteps;
  }

  /** When snapshots are taken and what they cost; there are none before begin() or put(). */
  get snapshots(): Snapshots {
    return this.taken!;
  }

  /** Whether there is a snapshot of the state as it is now. */
  get whole(): boolean {
    return this.taken?.newest.step === this.step;
  }

  /** Time for another snapshot. */
  get due(): boolean {
    return this.keeps && this.snapshots.due(this.step);
  }

  /** What snapshots took, and how far apart they are as times are now. */
  cost(): TrainingCost['snapshots'] {
    const { taken = 0, totalMs: ms = 0 } = this.taken ?? {};
    return { taken, ms, everySteps: this.keeps ? this.taken?.interval(this.step) : undefined };
  }

  /** Batches of the steps since the newest snapshot. */
  get batches(): readonly Batch[] {
    return this.log.map(({ batch }) => batch);
  }

  /** Notes what was measured after the steps so far. */
  observe(value: number): void {
    this.observed.push({ step: this.step, value });
  }

  /** Begins with a state, unless there is one. */
  begin(initial: () => Snapshot): void {
    if (!this.taken) this.put(initial());
  }

  /** Goes on from a state: the steps since another are nobody's. */
  put({ step, states, observed }: Snapshot): void {
    const snapshot = { step, states };
    this.forget();
    this.step = step;
    if (observed) this.observed.splice(0, Infinity, ...observed);
    this.forgetObserved();
    if (this.taken) this.taken.put(snapshot);
    else this.taken = new Snapshots(snapshot, this.everySteps);
  }

  /** Goes back to the newest snapshot, or to no step where there is none; returns its step. */
  goBack(): number {
    this.forget();
    this.step = this.taken?.newest.step ?? 0;
    this.forgetObserved();
    return this.step;
  }

  /** What was measured after steps that are not made any more. */
  private forgetObserved(): void {
    const kept = this.observed.findLastIndex(({ step }) => step <= this.step);
    this.observed.length = kept + 1;
  }

  /** Keeps no steps that were made before now. */
  forget(): void {
    this.log = [];
  }

  /** Notes the next step, which is about to run. */
  note(batch: Batch, wantsLoss: boolean): LoggedStep {
    const next: LoggedStep = {
      ...{ batch, wantsLoss, ranIn: undefined, reading: undefined, value: undefined },
    };
    if (!this.keeps) this.forget();
    this.log.push(next);
    this.step++;
    return next;
  }

  /** A step that was noted never ran, and never will. */
  strike(noted: LoggedStep): void {
    if (this.log.at(-1) !== noted) return;
    this.log.pop();
    this.step--;
  }

  /** Settles when every loss under way has come, or has not. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.log.map(({ reading }) => reading));
  }

  /** Brings a new program to where the training is. */
  async restore(running: StepProgram): Promise<void> {
    const { newest } = this.snapshots;
    running.put(newest);
    const turns = new Turns();
    for (const [i, made] of this.log.entries()) {
      await running.fill(made.batch);
      running.run(newest.step + i + 1);
      ranIn(running, made);
      await turns.breathe();
    }
    await Promise.all(this.log.map(({ reading }) => reading));
    // Waits for all of it, so that a fault in a step that is made again is found now.
    if (this.log.length > 0) await running.loss();
  }

  /** Takes a snapshot: what breaks from now on is made again from here. Throws Broken where it is to be `finite` and is not. */
  async take(running: StepProgram, finite: boolean): Promise<void> {
    // Every loss under way first: what comes before a snapshot can't be made again after it.
    await Promise.all(this.log.map(({ reading }) => reading));
    const sound = !finite || this.log.every(({ value = 0 }) => Number.isFinite(value));
    if (!(sound && (await this.snapshots.take(running.program, this.step, finite)))) throw new Broken();
    this.forget();
  }
}

/** A step has been queued there: its loss is fetched, where that is wanted. */
export function ranIn(running: StepProgram, made: LoggedStep): void {
  made.ranIn = running;
  if (!made.wantsLoss) return;
  made.reading = running.loss().then((loss) => {
    made.value = loss;
    return loss;
  });
  // Who asks for it hears of it; nobody may.
  made.reading.catch(() => undefined);
}

/** A step's loss, from the program that ran it last; one that is not in the log any more is lost with its program. */
export async function lossOf(made: LoggedStep, running: StepProgram): Promise<number> {
  if (made.value !== undefined) return made.value;
  if (made.ranIn !== running) fail('aborted', 'the loss was lost with its program, and its step given up');
  return made.reading!;
}
