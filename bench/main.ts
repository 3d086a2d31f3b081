import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { Command, Option } from 'commander';
import { prepareGPU } from '../scripts/software-gpu.ts';
import type { EngineOptions } from '../src/index.ts';
import { createEngine } from '../src/index.ts';
import { page } from './page.ts';
import { installPeers, type PeerName, PeerProcess, peerNames } from './peers.ts';
import type { Report } from './report.ts';
import { run } from './run.ts';
import { size } from './size.ts';
import { startup } from './startup.ts';
import { suites } from './suites/index.ts';

const processSuites = { startup, size };
const names = [...Object.keys(suites), ...Object.keys(processSuites)];

const command = new Command('bench')
  .description('Times kernels and models; every result is checked against the reference before it is timed.')
  .argument('[suite...]', `which suites: ${names.join(', ')} (all if none is named)`)
  .addOption(
    new Option('--backend <name>', 'where').choices(['auto', 'wasm', 'webgpu', 'reference']).default('auto'),
  )
  .addOption(new Option('--build <name>', 'wasm instructions').choices(['simd128', 'relaxed']))
  .option('--threads <n>', 'threads of the wasm backend', Number)
  .option('--peers', 'compare with tfjs, onnxruntime-web and jax-js, which this installs', false)
  .option('--quick', 'fewer sizes, less time each', false)
  .option('--json <file>', 'write the results as JSON')
  .option('--html <file>', 'write a page that draws them')
  .parse();
const options = command.opts<
  EngineOptions & { quick: boolean; peers: boolean; json?: string; html?: string }
>();
const unknown = command.args.filter((name) => !names.includes(name));
if (unknown.length)
  command.error(`unknown suite ${unknown.join(', ')}; expected some of ${names.join(', ')}`);
const wanted = command.args.length ? command.args : names;

await prepareGPU();
const engine = await createEngine(options);
const peers: PeerProcess[] = [];
if (options.peers) {
  await installPeers();
  for (const name of Object.keys(peerNames) as PeerName[])
    peers.push(await PeerProcess.start(name, engine.backend.threads, options.quick));
}
const about = {
  date: new Date().toISOString().slice(0, 10),
  command: `npm run bench -- ${process.argv.slice(2).join(' ')}`.trim(),
  machine: `${cpus()[0].model}, ${cpus().length} cores, ${process.platform} ${process.arch}`,
  runtime: `node ${process.versions.node}`,
};
console.log(`${about.machine}; ${about.runtime}; ${engine.backend.description}\n`);
const { quick } = options;
const { results, limits, wrong } = await run(
  engine,
  peers,
  wanted.flatMap((name) => suites[name]?.(quick) ?? []),
  { quick, print: (line) => console.log(line) },
);
engine.dispose();
for (const peer of peers) peer.stop();
for (const [name, suite] of Object.entries(processSuites))
  if (wanted.includes(name))
    results.push(...(await suite({ quick, peers: options.peers, print: (line) => console.log(line) })));

const report: Report = { ...about, limits, results };
if (options.json) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
if (options.html) writeFileSync(options.html, await page(report));
process.exitCode = wrong ? 1 : 0;
