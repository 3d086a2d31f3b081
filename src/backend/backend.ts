import type { TypedArray } from '../core/dtype.ts';
import type { GrowingPlan } from '../graph/growing.ts';
import type { Plan, Section, Slot, Step } from '../graph/plan.ts';

/** Why a backend can't take a step, in words: op, dtype or shape, and what to do. */
export interface Unsupported {
  readonly reason: string;
}

/** One thing that a program does: a plan, or a plan for any number of rows. */
export type Entry = Plan | GrowingPlan;

/**
 * What a program is compiled from: one entry, or several by name. Several have states (by name) and constants (by the array
 * that holds them) in common; inputs, outputs and temporaries of one may lie where those of another do.
 */
export type Source = Entry | Readonly<Record<string, Entry>>;

export interface Backend {
  /** 'wasm', 'webgpu' or 'reference'. */
  readonly name: string;
  /** One line for people: which build, which adapter, how many threads. */
  readonly description: string;
  /** Which build of the backend runs: 'simd128', 'relaxed', the adapter's name, ... */
  readonly build: string;
  /** Whether its vectors have 256 bits, because V8 joins two of 128; undefined where there is no such thing. */
  readonly wide?: boolean;
  /** Threads it computes on, the caller's included; 1 on a GPU. */
  readonly threads: number;
  /**
   * What it can do at best, in operations a second by all threads together: bare loops over operands in the nearest cache.
   * Absent where that was not measured.
   */
  readonly peak?: { readonly f32: number; readonly i8: number } | undefined;
  /** Whether it has a kernel for a step, or why not. */
  supports(step: Step): true | Unsupported;
  /**
   * Places and binds everything that the entries need. Throws a typed error when memory or a kernel is missing, and
   * UnevenError ('unsupported') for a growing plan that does different things for different numbers of rows.
   */
  compile(source: Source): Promise<Program>;
  /** Bytes now held by living programs, for tests and reports. */
  readonly allocatedBytes: number;
  /** Gives back memory, threads and devices of its own; its programs end with it. */
  dispose(): void;
}

/** Which part of a program runs. */
export interface Run {
  /** Which entry; the first if not given. */
  readonly entry?: string;
  /** One section of it instead of all. */
  readonly section?: Section;
  /** How many rows, where the entry is a growing plan; as many as it takes at most if not given. */
  readonly rows?: number;
}

/** Compiled entries. Between compile and dispose nothing is allocated on the backend. */
export interface Program {
  /** The first entry's plan; for a growing one the plan for the most rows. */
  readonly plan: Plan;
  /** Each entry's plan by name ('main' where there is one without a name). Slots are taken from here. */
  readonly plans: Readonly<Record<string, Plan>>;
  /** Bytes it holds: arena, weights in the form that kernels read, and what says what to run. */
  readonly bytes: number;
  /**
   * Copies values into a slot; `data` must have the slot's dtype and element count, or, where the slot grows with the rows,
   * that of a whole number of rows.
   */
  write(slot: Slot, data: TypedArray): void;
  /** Runs an entry, or one section of it, in order; does not wait. */
  run(what?: Section | Run): void;
  /**
   * Waits for all runs so far, then copies the slot's values out, into `into` if given. Of a slot that grows with the rows:
   * those of the last run, or as many rows as `into` has room for.
   */
  read(slot: Slot, into?: TypedArray): Promise<TypedArray>;
  /** Gives back its memory; calls after it throw 'disposed'. */
  dispose(): void;
}
