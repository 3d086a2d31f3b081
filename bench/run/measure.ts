import benchmark from 'benchmark';
import platform from 'platform';
import { duration } from '../../src/core/duration.ts';
import { lodash } from './lodash.ts';

/** In Node the package finds these two by itself; on a page it must be given them. */
const Benchmark = benchmark.runInContext({ _: lodash, platform }) as unknown as typeof benchmark;

export interface Timing {
  readonly medianMs: number;
  readonly minMs: number;
  /** Median absolute deviation / median. */
  readonly spread: number;
  readonly samples: number;
}

/** Times a function, synchronous or not, with the benchmark package's sampling: milliseconds of one run, sample by sample. */
export async function sample(
  run: () => void | Promise<void>,
  { seconds, fewest }: { seconds: number; fewest: number },
): Promise<number[]> {
  // A synchronous run must not pay for promises, so which kind it is is found out first.
  const first = run();
  await first;
  return new Promise((resolve, reject) => {
    const deferred = (d: { resolve(): void }) =>
      void (run() as Promise<void>).then(() => d.resolve(), reject);
    const bench = new Benchmark('case', {
      ...{ maxTime: seconds, minSamples: fewest, minTime: Math.min(0.05, seconds / 4) },
      defer: first !== undefined,
      fn: first === undefined ? run : deferred,
      onError: (event: { target: { error?: Error } }) => reject(event.target.error),
      onComplete: (event: { target: benchmark }) => resolve(event.target.stats.sample.map((s) => s * 1e3)),
    });
    bench.run({ async: true });
  });
}

/** The median is what counts: a shared machine now and then takes its processor away. */
export function summarize(samples: readonly number[]): Timing {
  const medianMs = median(samples);
  return {
    medianMs,
    minMs: samples.reduce((a, b) => Math.min(a, b), Infinity),
    spread: medianMs > 0 ? median(samples.map((s) => Math.abs(s - medianMs))) / medianMs : 0,
    samples: samples.length,
  };
}

/** The middle value, or the mean of the two; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** A time as reports have it. */
export const time = (ms: number): string => duration(ms, { ns: 0, us: 1, ms: 2 });
