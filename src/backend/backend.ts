import type { TypedArray } from '../core/dtype.ts';
import type { Plan, Section, Slot, Step } from '../graph/plan.ts';

/** Why a backend can't take a step, in words: op, dtype or shape, and what to do. */
export interface Unsupported {
  readonly reason: string;
}

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
  /** Places and binds everything the plan needs. Throws a typed error when memory or a kernel is missing. */
  compile(plan: Plan): Promise<Program>;
  /** Bytes now held by living programs, for tests and reports. */
  readonly allocatedBytes: number;
  /** Gives back memory, threads and devices of its own; its programs end with it. */
  dispose(): void;
}

/** A compiled plan. Between compile and dispose nothing is allocated on the backend. */
export interface Program {
  /** What it was compiled from. */
  readonly plan: Plan;
  /** Copies values into a slot; `data` must have the slot's dtype and element count. */
  write(slot: Slot, data: TypedArray): void;
  /** Runs the whole plan, or one section of it, in order; does not wait. */
  run(section?: Section): void;
  /** Waits for all runs so far, then copies the slot's values out, into `into` if given. */
  read(slot: Slot, into?: TypedArray): Promise<TypedArray>;
  /** Gives back its memory; calls after it throw 'disposed'. */
  dispose(): void;
}
