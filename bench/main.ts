import { prepareGPU } from '../scripts/software-gpu.ts';
import { createEngine } from '../src/index.ts';
import { peersOn } from './comparable.ts';
import { about, parse } from './options.ts';
import { installPeers, PeerProcess } from './peers.ts';
import { write } from './report.ts';
import { run } from './run.ts';
import { scheduler } from './scheduler.ts';
import { serve } from './serve.ts';
import { size } from './size.ts';
import { startup } from './startup.ts';
import { casesOf, suites } from './suites/index.ts';

/** Suites that make their own engines, or look at whole processes and files. */
const ownSuites = { scheduler, serve, startup, size };
const { wanted, options } = parse('bench', [...Object.keys(suites), ...Object.keys(ownSuites)]);
const { quick, peers: withPeers } = options;
const print = (line: string) => console.log(line);

await prepareGPU();
const engine = await createEngine(options);
const here = about(`node ${process.versions.node}`);
print(`${here.machine}; ${here.runtime}; ${engine.backend.description}\n`);

const peers: PeerProcess[] = [];
if (withPeers) {
  await installPeers();
  const { name: backend, threads } = engine.backend;
  if (backend !== 'wasm' && backend !== 'webgpu') throw new Error(`no peer is like the backend ${backend}`);
  for (const name of peersOn[backend]) peers.push(await PeerProcess.start(name, { backend, threads }, quick));
}
const cases = casesOf(wanted, options);
const { results, limits, wrong } = await run(engine, peers, cases, { quick, print });
engine.dispose();
for (const peer of peers) peer.stop();
for (const [name, suite] of Object.entries(ownSuites))
  if (wanted.includes(name))
    results.push(...(await suite({ quick, peers: withPeers, print, engine: options })));

await write({ ...here, limits, results }, options);
process.exitCode = wrong ? 1 : 0;
