/**
 * What runs on a machine with a GPU: conformance, the benchmark beside its peers, tuning. See gpu.sh. Results are written
 * after every part, so that whatever ends the run loses nothing.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import type { Result } from '../../bench/run/case.ts';
import { machineOf } from '../../bench/run/machine.ts';
import { nodeGPU } from '../../src/backend/webgpu/node.ts';
import { createEngine } from '../../src/index.ts';
import { benchmark } from './benchmark.ts';
import { Budget } from './budget.ts';
import { type Conformance, conformance } from './conformance.ts';
import { summary } from './summary.ts';

const {
  minutes,
  quick,
  only = '',
  out,
} = new Command('gpu.sh')
  .description('Conformance, benchmark and tuning of biphase on this machine’s GPU.')
  .option('--minutes <n>', 'longest that all of it may take', Number, 9)
  .option('--quick', 'fewer and smaller cases', false)
  .option('--only <text>', 'only what has this in its name; of conformance, ops')
  .option('--software', 'on SwiftShader, a GPU in software, to try this archive', false)
  .option('--out <folder>', 'where the results go', 'results')
  .parse()
  .opts<{ minutes: number; quick: boolean; only?: string; out: string }>();
if (!(minutes > 0)) throw new Error(`--minutes is ${minutes}, expected a number above 0`);

/** Conformance may take this share of the time. */
const FIRST = 0.4;
/** Of the last seconds nothing is begun. */
const MARGIN = 5;

const print = (line: string) => console.log(line);
const all = new Budget(minutes * 60 - MARGIN);
const first = new Budget((minutes * 60 - MARGIN) * FIRST);
const about = {
  ...machineOf(`node ${process.versions.node}`),
  command: `gpu.sh ${process.argv.slice(2).join(' ')}`.trim(),
};
const found = {
  adapter: undefined as object | undefined,
  conformance: undefined as Conformance | undefined,
  results: [] as Result[],
  tuning: {} as Record<string, string>,
  stopped: undefined as string | undefined,
};

/** Every part so far, in files. */
function keep(): void {
  const missing = [...first.missing, ...all.missing];
  const { results, ...rest } = found;
  mkdirSync(out, { recursive: true });
  const json = (name: string, value: object) =>
    writeFileSync(`${out}/${name}`, `${JSON.stringify(value, null, 2)}\n`);
  json('gpu.json', { ...about, ...rest, missing });
  // As the repository's bench/results keeps them.
  json('webgpu.json', { ...about, limits: {}, results });
  writeFileSync(`${out}/summary.md`, summary({ ...about, ...found, missing }));
}

function end(code: number): never {
  keep();
  print(`\n${summary({ ...about, ...found, missing: [...first.missing, ...all.missing] })}`);
  process.exit(code);
}

// A device that hangs must not hold the results back.
setTimeout(() => {
  found.stopped = `time was up after ${minutes} minutes, in the middle of something`;
  end(1);
}, minutes * 60_000);

const gpu = await nodeGPU();
const adapter = typeof gpu === 'string' ? null : await gpu.requestAdapter();
if (typeof gpu === 'string' || !adapter) {
  found.stopped =
    typeof gpu === 'string' ? gpu : 'WebGPU finds no adapter: is there a Vulkan driver for this GPU?';
  end(3);
}
const { vendor, architecture, device, description } = adapter.info;
found.adapter = { vendor, architecture, device, description, features: [...adapter.features].sort() };
print(
  `${about.machine}; ${about.runtime}; ${[vendor, architecture, description].filter(Boolean).join(', ')}\n`,
);

print('conformance');
found.conformance = { cases: 0, problems: [] };
await conformance(gpu, found.conformance, { only, budget: first, print });
print(`  ${found.conformance.cases} cases, ${found.conformance.problems.length} wrong`);
keep();

const gpuCache = {
  get: (key: string) => found.tuning[key],
  set: (key: string, value: string) => void (found.tuning[key] = value),
};
const engine = await createEngine({ backend: 'webgpu', gpu, gpuCache });
const { wrong } = await benchmark(engine, {
  ...{ quick, only, print, budget: all },
  keep(results) {
    found.results = results;
    keep();
  },
});
end(wrong || found.conformance.problems.length ? 1 : 0);
