import type { Engine } from '../../src/scheduler/engine.ts';
import { type BenchCase, type Result, rateOf } from './case.ts';
import { type Comparable, isNative, isOwn, OWN } from './comparable.ts';
import { type LimitName, Limits } from './limits.ts';
import { median, sample, summarize, time } from './measure.ts';

export interface RunOptions {
  readonly quick: boolean;
  readonly print: (line: string) => void;
}

interface Runner {
  readonly engine: string;
  readonly backend: string;
  readonly build: string;
  readonly threads: number;
  readonly sample: (options: { seconds: number; fewest: number }) => Promise<number[]>;
  readonly samples: number[];
  readonly shares: number[];
}

/**
 * Times cases on an engine and its peers. Nothing whose answer is wrong is timed. Engines take turns within a case, round by
 * round, with the limit measured before and after each turn: a shared machine's speed drifts, and all drift alike.
 */
export async function run(
  engine: Engine,
  peers: readonly Comparable[],
  cases: readonly BenchCase[],
  { quick, print }: RunOptions,
) {
  const { name: backend, build, threads } = engine.backend;
  const limits = backend === 'wasm' ? await Limits.of(engine.backend, threads) : undefined;
  const measured: Record<LimitName, number[]> = { multiply_add: [], dot: [], copy: [] };
  // Each once at first, so that a report has all of them whatever its cases are bound by.
  if (limits)
    for (const name of Object.keys(measured) as LimitName[]) measured[name].push(limits.measure(name));
  const results: Result[] = [];
  let wrong = 0;
  let suite = '';
  for (const c of cases) {
    if (c.suite !== suite) print(c.suite);
    suite = c.suite;
    const prepared = await c.prepare(engine);
    try {
      const problems = await c.judge(await prepared.answer(), true);
      if (problems.length) throw new Error(`wrong, so it is not timed: ${problems.join('; ')}`);
      const runners: Runner[] = [
        {
          engine: OWN,
          backend,
          build,
          threads,
          sample: (o) => sample(prepared.run, o),
          samples: [],
          shares: [],
        },
      ];
      for (const peer of peers) {
        const runner = await peerRunner(peer, c, print);
        if (runner) runners.push(runner);
      }
      await takeTurns(c, runners, limits, measured, quick);
      const rows = rowsOf(c, runners);
      results.push(...rows);
      print(line(rows));
    } catch (error) {
      wrong++;
      print(`  ${c.name.padEnd(44)} ${(error as Error).message}`);
    } finally {
      prepared.dispose();
    }
  }
  const all = Object.entries(measured).filter(([, values]) => values.length);
  return { results, wrong, limits: Object.fromEntries(all.map(([name, values]) => [name, median(values)])) };
}

/** A peer that has this case and answers it rightly. */
async function peerRunner(
  peer: Comparable,
  c: BenchCase,
  print: (line: string) => void,
): Promise<Runner | undefined> {
  const { name, backend, threads } = peer;
  try {
    const answer = await peer.prepare(c);
    if (!answer) return undefined;
    const problems = await c.judge(answer, isOwn(name));
    if (problems.length) throw new Error(`wrong, so it is not timed: ${problems.join('; ')}`);
  } catch (error) {
    print(`  ${c.name.padEnd(44)} ${name}: ${(error as Error).message}`);
    return undefined;
  }
  return {
    engine: name,
    backend,
    build: '',
    threads,
    sample: (o) => peer.sample(o),
    samples: [],
    shares: [],
  };
}

async function takeTurns(
  c: BenchCase,
  runners: readonly Runner[],
  limits: Limits | undefined,
  measured: Record<LimitName, number[]>,
  quick: boolean,
): Promise<void> {
  // Whole programs vary more from turn to turn than single kernels do.
  const rounds = quick ? 1 : c.limit ? 3 : 5;
  const turn = quick ? { seconds: 0.1, fewest: 5 } : { seconds: 0.2, fewest: 2 };
  for (let round = 0; round < rounds; round++)
    for (const r of runners) {
      // Of what takes a second, one turn tells enough.
      if (median(r.samples) > 1000) continue;
      const before = c.limit && limits?.measure(c.limit);
      const samples = await r.sample(turn);
      const after = c.limit && limits?.measure(c.limit);
      r.samples.push(...samples);
      if (!before || !after) continue;
      r.shares.push(rateOf(c.work, median(samples)).rate! / ((before + after) / 2));
      if (r === runners[0]) measured[c.limit!].push(before, after);
    }
}

function rowsOf(c: BenchCase, runners: readonly Runner[]): Result[] {
  const timings = runners.map((r) => summarize(r.samples));
  const ratio = (counts: (engine: string) => boolean, medianMs: number) => {
    const others = timings.filter((_, i) => counts(runners[i].engine));
    return others.length ? Math.min(...others.map((t) => t.medianMs)) / medianMs : null;
  };
  return runners.map(({ engine, backend, build, threads, shares }, i) => {
    const { medianMs, minMs, spread, samples } = timings[i];
    return {
      ...{ suite: c.suite, case: c.name, engine, backend, build, threads },
      ...{ median_ms: medianMs, min_ms: minMs, spread, samples, ...rateOf(c.work, medianMs) },
      intensity: c.intensity ?? null,
      share_of_limit: shares.length ? median(shares) : null,
      ratio_to_best_peer: ratio((engine) => !isNative(engine) && !isOwn(engine), medianMs),
      ratio_to_best_native: ratio(isNative, medianMs),
    };
  });
}

/** One case for people: time, rate, share of the limit, and how many times faster than each peer. */
function line([own, ...peers]: readonly Result[]): string {
  const rate = own.rate === null ? '' : `${own.rate.toFixed(own.rate < 100 ? 1 : 0)} ${own.unit}`;
  const share = own.share_of_limit === null ? '' : `${(own.share_of_limit * 100).toFixed(0)} % of the limit`;
  const ratios = peers.map((p) => `${(p.median_ms / own.median_ms).toFixed(1)} x ${p.engine}`).join(', ');
  return `  ${own.case.padEnd(40)} ${time(own.median_ms).padStart(10)} ±${(own.spread * 100).toFixed(0).padStart(2)} % ${rate.padStart(15)} ${share.padStart(18)}  ${ratios}`.trimEnd();
}
