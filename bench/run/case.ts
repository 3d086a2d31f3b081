import type { TensorSpec } from '../../conformance/kit/tensor.ts';
import type { TypedArray } from '../../src/core/dtype.ts';
import type { OpName } from '../../src/ops/index.ts';
import type { Engine } from '../../src/scheduler/engine.ts';
import type { LimitName } from './limits.ts';

/** What a case moves or computes, so that its time can be told as a rate. */
export type Work =
  | { readonly flops: number }
  | { readonly bytes: number }
  | { readonly samples: number }
  | undefined;

/** What is to be computed, in terms that any engine understands. */
export type Problem =
  | {
      readonly kind: 'op';
      readonly op: OpName;
      readonly inputs: readonly TensorSpec[];
      readonly attrs: object;
      readonly data: readonly TypedArray[];
    }
  | { readonly kind: 'train'; readonly widths: readonly number[]; readonly batch: number }
  | {
      readonly kind: 'infer';
      readonly widths: readonly number[];
      readonly batch: number;
      readonly precision: 'f32' | 'int8';
    };

/** Something that can be timed: prepared once, its answer checked, run many times. */
export interface Prepared {
  /** The results, to be judged by the case before anything is timed. */
  readonly answer: () => Promise<readonly TypedArray[]>;
  readonly run: () => void | Promise<void>;
  readonly dispose: () => void;
}

export interface BenchCase {
  readonly suite: string;
  readonly name: string;
  readonly work: Work;
  /** Operations per byte that must move, where both are known: where it lies on the roofline. */
  readonly intensity?: number;
  /** What binds it at best: the rate is told as a share of that. */
  readonly limit: LimitName | undefined;
  readonly problem: Problem;
  prepare(engine: Engine): Promise<Prepared>;
  /** What is wrong with an answer, by the reference backend; nothing if it is right. `exact`: bit for bit, where that is promised. */
  judge(answer: readonly TypedArray[], exact: boolean): Promise<string[]>;
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
  /** Of waits, where those are what is measured: median_ms is then their median. */
  readonly p99_ms?: number;
  /** Relative spread of the samples: median absolute deviation / median. */
  readonly spread: number;
  readonly samples: number;
  readonly rate: number | null;
  readonly unit: string;
  /** Operations per byte that must move; null where that is not known. */
  readonly intensity: number | null;
  /** Rate / the limit measured beside it, in the same build; null where nothing is known to bind it. */
  readonly share_of_limit: number | null;
  /** Time of the fastest peer / this time, whatever flags it runs with; null without peers. */
  readonly ratio_to_best_peer: number | null;
  /** The same of native software; absent from suites that have none. */
  readonly ratio_to_best_native?: number | null;
}

/** Rate in the unit that fits the work. */
export function rateOf(work: Work, ms: number): { rate: number | null; unit: string } {
  if (!work) return { rate: null, unit: 'ms' };
  if ('flops' in work) return { rate: work.flops / ms / 1e6, unit: 'GFLOP/s' };
  if ('bytes' in work) return { rate: work.bytes / ms / 1e6, unit: 'GB/s' };
  return { rate: (work.samples / ms) * 1000, unit: 'samples/s' };
}

/** The first values that are further from those wanted than there is room, in words. */
export const unlike = (got: ArrayLike<number>, want: ArrayLike<number>, room: number): string[] =>
  Array.from(want)
    .flatMap((w, i) =>
      Math.abs(got[i] - w) <= room ? [] : [`value ${i} is ${got[i]}, the reference has ${w}`],
    )
    .slice(0, 3);
