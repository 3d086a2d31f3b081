import type { Program } from '../../backend/backend.ts';
import type { TypedArray } from '../../core/dtype.ts';
import type { Slot } from '../../graph/plan.ts';
import type { Observation } from '../../optim/rate.ts';
import { firstNotFinite } from './finite.ts';

/** All that a training is, at the end of a step: the flat tensors of parameters and moments, and buffers, by slot name. */
export interface Snapshot {
  /** Steps made. */
  readonly step: number;
  readonly states: Readonly<Record<string, TypedArray>>;
  /** What was measured between its steps; undefined where that is known elsewhere. */
  readonly observed?: readonly Observation[];
}

/** Most of a step's time that snapshots may take. */
const SHARE = 0.02;
/** Bytes per ms that reading is taken to bring, before it has been measured: about the slowest there is. */
const SLOW_READ = 1e6;
/** Steps to replay at most, where steps are too quick to be timed. */
const MOST_STEPS = 2000;

/** Which slots of a training plan make it up. */
export const stateSlots = (slots: Readonly<Record<string, Slot>>): Slot[] =>
  Object.values(slots).filter((s) => s.role === 'state');

/**
 * The newest whole state in memory, and when to take the next. A snapshot is read into spare arrays and counts only when
 * all of it is there, so one that fails leaves the last.
 */
export class Snapshots {
  newest: Snapshot;
  /** Time in snapshots so far, and how many were taken. */
  totalMs = 0;
  taken = 0;
  private spare: Record<string, TypedArray> = {};
  private readonly everySteps: number | undefined;
  private costMs: number;
  private stepsMs = 0;
  /** Mean time of the steps between the last two snapshots. */
  private stepMs: number | undefined;

  constructor(first: Snapshot, everySteps: number | undefined) {
    this.newest = first;
    this.everySteps = everySteps;
    const bytes = Object.values(first.states).reduce((sum, s) => sum + s.byteLength, 0);
    this.costMs = bytes / SLOW_READ;
  }

  /** What was read last and is not the newest: a state that was refused, right after that. */
  get refused(): Snapshot['states'] {
    return this.spare;
  }

  /** Notes a step's time. */
  stepped(ms: number): void {
    this.stepsMs += ms;
  }

  /** Whether the steps since the newest have taken so long that another is cheap beside them. */
  due(step: number): boolean {
    const since = step - this.newest.step;
    if (since <= 0) return false;
    if (this.everySteps !== undefined) return since >= this.everySteps;
    return this.stepsMs * SHARE >= this.costMs || since >= MOST_STEPS;
  }

  /** Steps between two snapshots, as times are now; undefined before the first step. */
  interval(step: number): number | undefined {
    if (this.everySteps !== undefined) return this.everySteps;
    const since = step - this.newest.step;
    const stepMs = since > 0 ? this.stepsMs / since : this.stepMs;
    if (stepMs === undefined) return undefined;
    return Math.max(1, Math.min(MOST_STEPS, Math.ceil(this.costMs / SHARE / stepMs)));
  }

  /**
   * Reads a program's state, as it is after `step` steps. False, and the last one stays, where it is to be `finite` and holds NaN
   * or infinity.
   */
  async take(program: Program, step: number, finite: boolean): Promise<boolean> {
    const start = performance.now();
    const sound = await this.read(program, finite);
    const states = this.spare;
    this.costMs = performance.now() - start;
    if (!sound) return false;
    this.totalMs += this.costMs;
    this.taken++;
    this.stepMs = this.stepsMs / Math.max(1, step - this.newest.step);
    this.spare = this.newest.states as Record<string, TypedArray>;
    this.put({ step, states });
    return true;
  }

  /** Reads a program's state into the spare arrays; whether it is finite, where that is asked. */
  async read(program: Program, finite: boolean): Promise<boolean> {
    const states: Record<string, TypedArray> = {};
    for (const slot of stateSlots(program.plan.slots))
      states[slot.name] = await program.read(slot, this.spare[slot.name]);
    this.spare = states;
    return !finite || Object.values(states).every((values) => firstNotFinite(values) < 0);
  }

  /** Takes a state from elsewhere for the newest. */
  put(snapshot: Snapshot): void {
    this.newest = snapshot;
    this.stepsMs = 0;
  }
}
