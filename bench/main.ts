import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { Command, Option } from 'commander';
import { prepareGPU } from '../scripts/software-gpu.ts';
import { createEngine, type EngineOptions } from '../src/index.ts';
import { type BenchCase, type Result, rateOf } from './case.ts';
import { measure } from './measure.ts';
import { infer, train } from './suites/models.ts';
import { activation, matmul, matmulI8, optimizer } from './suites/ops.ts';

const suites: Record<string, (quick: boolean) => BenchCase[]> = {
  matmul,
  matmul_i8: matmulI8,
  activation,
  optimizer,
  train,
  infer,
};

const command = new Command('bench')
  .description('Times kernels and models; every result is checked against the reference before it is timed.')
  .argument('[suite...]', `which suites: ${Object.keys(suites).join(', ')} (all if none is named)`)
  .addOption(
    new Option('--backend <name>', 'where').choices(['auto', 'wasm', 'webgpu', 'reference']).default('auto'),
  )
  .addOption(new Option('--build <name>', 'wasm instructions').choices(['simd128', 'relaxed']))
  .option('--threads <n>', 'threads of the wasm backend', Number)
  .option('--quick', 'fewer sizes, less time each', false)
  .option('--json <file>', 'write the results as JSON')
  .parse();
const options = command.opts<EngineOptions & { quick: boolean; json?: string }>();
const unknown = command.args.filter((name) => !suites[name]);
if (unknown.length)
  command.error(`unknown suite ${unknown.join(', ')}; expected some of ${Object.keys(suites).join(', ')}`);

await prepareGPU();
const engine = await createEngine(options);
const { name: backend, build, threads, description } = engine.backend;
const runtime = `node ${process.versions.node}`;
const machine = `${cpus()[0].model}, ${cpus().length} cores, ${process.platform} ${process.arch}`;
console.log(`${machine}; ${runtime}; ${description}\n`);

const results: Result[] = [];
let wrong = 0;
for (const name of command.args.length ? command.args : Object.keys(suites)) {
  console.log(name);
  for (const c of suites[name](options.quick)) {
    const prepared = await c.prepare(engine);
    try {
      await prepared.check();
      const { medianMs, minMs, spread, samples } = await measure(prepared.run, options);
      const { rate, unit } = rateOf(c.work, medianMs);
      results.push({
        ...{ suite: c.suite, case: c.name, engine: 'biphase', backend, build, threads },
        ...{ median_ms: medianMs, min_ms: minMs, spread, samples, rate, unit },
      });
      const speed = rate === undefined ? '' : `${rate.toFixed(rate < 100 ? 1 : 0)} ${unit}`;
      console.log(
        `  ${c.name.padEnd(44)} ${time(medianMs).padStart(10)} ±${(spread * 100).toFixed(0).padStart(2)} %  ${speed.padStart(16)}`,
      );
    } catch (error) {
      wrong++;
      console.log(`  ${c.name.padEnd(44)} ${(error as Error).message}`);
    } finally {
      prepared.dispose();
    }
  }
}
if (options.json) writeFileSync(options.json, JSON.stringify({ machine, runtime, results }, null, 2));
engine.dispose();
process.exitCode = wrong ? 1 : 0;

function time(ms: number): string {
  if (ms < 1e-3) return `${(ms * 1e6).toFixed(0)} ns`;
  if (ms < 1) return `${(ms * 1e3).toFixed(1)} us`;
  return `${ms.toFixed(2)} ms`;
}
