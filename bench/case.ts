import type { Engine } from '../src/scheduler/engine.ts';

/** What a case moves or computes, so that its time can be told as a rate. */
export type Work =
  | { readonly flops: number }
  | { readonly bytes: number }
  | { readonly samples: number }
  | undefined;

/** Something that can be timed: prepared once, checked once, run many times. */
export interface Prepared {
  /** Compares a result with the reference; throws where it is wrong, and then nothing is timed. */
  readonly check: () => Promise<void>;
  readonly run: () => void | Promise<void>;
  readonly dispose: () => void;
}

export interface BenchCase {
  readonly suite: string;
  readonly name: string;
  readonly work: Work;
  prepare(engine: Engine): Promise<Prepared>;
}

/** One line of a report. */
export interface Result {
  readonly suite: string;
  readonly case: string;
  readonly engine: string;
  readonly backend: string;
  readonly build: string;
  readonly threads: number;
  readonly median_ms: number;
  readonly min_ms: number;
  /** Relative spread of the samples: median absolute deviation / median. */
  readonly spread: number;
  readonly samples: number;
  readonly rate: number | undefined;
  readonly unit: string;
}

/** Rate in the unit that fits the work. */
export function rateOf(work: Work, ms: number): { rate: number | undefined; unit: string } {
  if (!work) return { rate: undefined, unit: 'ms' };
  if ('flops' in work) return { rate: work.flops / ms / 1e6, unit: 'GFLOP/s' };
  if ('bytes' in work) return { rate: work.bytes / ms / 1e6, unit: 'GB/s' };
  return { rate: (work.samples / ms) * 1000, unit: 'samples/s' };
}
