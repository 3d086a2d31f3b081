import Benchmark from 'benchmark';

export interface Timing {
  readonly medianMs: number;
  readonly minMs: number;
  readonly spread: number;
  readonly samples: number;
}

/** Times a function, synchronous or not, with the benchmark package's sampling; the median is what counts. */
export async function measure(run: () => void | Promise<void>, options: { quick: boolean }): Promise<Timing> {
  const limits = options.quick ? { maxTime: 0.15, minSamples: 5 } : { maxTime: 1.5, minSamples: 20 };
  // A synchronous run must not pay for promises, so which kind it is is found out first.
  const first = run();
  await first;
  return new Promise((resolve, reject) => {
    const deferred = (d: { resolve(): void }) =>
      void (run() as Promise<void>).then(() => d.resolve(), reject);
    const bench = new Benchmark('case', {
      ...limits,
      defer: first !== undefined,
      fn: first === undefined ? run : deferred,
      onError: (event: { target: { error?: Error } }) => reject(event.target.error),
      onComplete: (event: { target: Benchmark }) => resolve(summarize(event.target.stats.sample)),
    });
    bench.run({ async: true });
  });
}

function summarize(seconds: readonly number[]): Timing {
  const sorted = [...seconds].sort((a, b) => a - b);
  const median = middle(sorted);
  const deviations = sorted.map((s) => Math.abs(s - median)).sort((a, b) => a - b);
  return {
    medianMs: median * 1e3,
    minMs: sorted[0] * 1e3,
    spread: median > 0 ? middle(deviations) / median : 0,
    samples: sorted.length,
  };
}

const middle = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length / 2)];
