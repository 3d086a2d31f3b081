import { createWasmBackend } from '../../src/backend/wasm/backend.ts';
import { createWebgpuBackend } from '../../src/backend/webgpu/backend.ts';
import { describeAdapter } from '../../src/backend/webgpu/device.ts';
import { nodeGPU } from '../../src/backend/webgpu/node.ts';
import type { Plan } from '../../src/graph/plan.ts';
import { Backends } from '../../src/scheduler/choose/backends.ts';
import type { Provider } from '../../src/scheduler/choose/choose.ts';
import { Chooser } from '../../src/scheduler/choose/chooser.ts';
import { type Speeds, simulated } from '../../tools/simulated/backend.ts';
import { virtualClock } from '../../tools/simulated/clock.ts';
import type { Result } from '../run/case.ts';
import { median } from '../run/measure.ts';
import { timeOnce, timesOf } from '../run/time-plan.ts';
import { plansOf } from './scheduler-plans.ts';
import type { ProcessSuiteOptions } from './startup.ts';

/** Two backends to choose between: the first is the engine's own, the second stands where a GPU does. */
interface Pair {
  readonly name: string;
  readonly labels: readonly [string, string];
  readonly providers: readonly [Provider, Provider];
}

const available = async () => ({ available: true as const, description: 'for the benchmark' });

/** WebAssembly against the GPU where there is a real one; else against itself with other threads, as if that were one. */
async function realPair(threads: number): Promise<Pair> {
  const wasm = (n: number, name: Provider['name'] = 'wasm'): Provider => ({
    ...{ name, probe: available },
    create: () => createWasmBackend({ threads: n }),
  });
  const gpu = await nodeGPU();
  const found = typeof gpu === 'string' ? undefined : await describeAdapter(gpu).catch(() => undefined);
  if (typeof gpu !== 'string' && found && !found.software)
    return {
      ...{ name: 'measured', labels: [`wasm, ${threads} threads`, 'webgpu'] },
      providers: [
        wasm(threads),
        { name: 'webgpu', probe: available, create: () => createWebgpuBackend({ gpu }) },
      ],
    };
  return {
    ...{ name: 'measured', labels: ['wasm, 1 thread', `wasm, ${threads} threads`] },
    providers: [wasm(1), wasm(threads, 'webgpu')],
  };
}

/** Simulated GPUs of known speeds beside a simulated CPU: one that answers at once, and one that is far away. */
const cpu: Speeds = { runMs: 0.005, stepMs: 0.001, flopsPerMs: 5e7, bytesPerMs: 1e7 };
const gpus: Record<string, Speeds> = {
  'simulated GPU': { runMs: 0.4, stepMs: 0.008, flopsPerMs: 2e9, bytesPerMs: 2e8 },
  'simulated far GPU': { runMs: 8, stepMs: 0.02, flopsPerMs: 1e10, bytesPerMs: 1e9 },
};

interface Judged {
  readonly plan: string;
  readonly chosen: 0 | 1;
  /** What choosing took, in ms. */
  readonly choosingMs: number;
  /** By backend, in ms. */
  readonly measured: readonly number[];
}

/** Asks the engine where each plan should run, and times it on both. */
async function judge(
  { providers }: Pair,
  plans: Iterable<[string, () => Plan]>,
  time: typeof timesOf,
): Promise<Judged[]> {
  const first = await providers[0].create();
  const second = await providers[1].create();
  // What is timed is what is chosen from.
  const made = [first, second].map((b, i) => ({ ...providers[i], create: async () => b }));
  const backends = new Backends(first, made);
  const chooser = new Chooser(backends, true);
  const judged: Judged[] = [];
  for (const [name, make] of plans) {
    const plan = make();
    const start = performance.now();
    const chosen = await chooser.backendFor(plan);
    const choosingMs = performance.now() - start;
    const measured = await time([first, second], plan);
    judged.push({ plan: name, chosen: chosen === first ? 0 : 1, choosingMs, measured });
  }
  backends.dispose();
  second.dispose();
  return judged;
}

/**
 * Whether plans go where they are fastest, and what it takes to find that out: MLPs 16 to 4096 wide, batch 1 to 1024, training
 * and int8. Where there is no second kind of backend, threads stand in for it, and simulated GPUs of known speeds test the rule.
 */
export async function scheduler({ quick, print, engine }: ProcessSuiteOptions): Promise<Result[]> {
  print('scheduler');
  const plans = await plansOf(quick);
  const pair = await realPair(engine.threads ?? 2);
  const results = report(pair, await judge(pair, plans, timesOf), print);
  for (const [name, speeds] of Object.entries(gpus)) {
    const clock = virtualClock();
    const simulatedPair: Pair = {
      ...{ name, labels: ['simulated CPU', name] },
      providers: [simulated('wasm', cpu, clock), simulated('webgpu', speeds, clock)],
    };
    const judged = await judge(simulatedPair, plans, timeOnce).finally(() => clock.restore());
    results.push(...report(simulatedPair, judged, print));
  }
  return results;
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** A row for each plan and backend, and two for all plans together. */
function report({ name, labels }: Pair, judged: readonly Judged[], print: (line: string) => void): Result[] {
  const rows = judged.flatMap(({ plan, chosen, choosingMs, measured }) => {
    const best = Math.min(...measured);
    const times = labels.map(
      (label, i) => `${i === chosen ? '*' : ' '}${label} ${measured[i].toPrecision(3)} ms`,
    );
    print(
      `  ${`${name}: ${plan}`.padEnd(46)} ${times.join('  ')}  (chosen in ${choosingMs.toPrecision(3)} ms)`,
    );
    const row = (i: number, engine: string) =>
      rowOf(`${name}: ${plan}`, engine, labels[i], measured[i], measured[i] / best, 'x the best');
    return [row(chosen, 'biphase'), ...labels.map((label, i) => row(i, label))];
  });
  const cost = sum(judged.map((j) => j.measured[j.chosen]));
  const best = sum(judged.map((j) => Math.min(...j.measured)));
  const choosing = median(judged.map((j) => j.choosingMs));
  print(
    `  ${name}: chosen / best ${(cost / best).toFixed(3)} (at most 1.1 wanted); choosing took ${choosing.toPrecision(3)} ms a plan (median)`,
  );
  return [
    ...rows,
    rowOf(`${name}: all plans, chosen / best`, 'biphase', labels.join(' or '), cost, cost / best, 'x'),
    rowOf(`${name}: choosing, a plan`, 'biphase', labels.join(' or '), choosing, choosing, 'ms'),
  ];
}

const rowOf = (
  name: string,
  engine: string,
  backend: string,
  ms: number,
  rate: number,
  unit: string,
): Result => ({
  ...{ suite: 'scheduler', case: name, engine, backend, build: '', threads: 0 },
  ...{ median_ms: ms, min_ms: ms, spread: 0, samples: 1, rate, unit },
  ...{ intensity: null, share_of_limit: null, ratio_to_best_peer: null },
});
