import { whyFixed } from '../src/backend/wasm/wide.ts';
import { guard } from '../src/cli/program.ts';
import { createEngine, type Engine } from '../src/index.ts';
import { prepareGPU } from '../tools/hosts/software-gpu.ts';
import { makeVenv, NativePeer, pythonWith } from './native.ts';
import { about, parse } from './options.ts';
import { installPeers, PeerProcess } from './peers.ts';
import { scheduler } from './programs/scheduler.ts';
import { serve } from './programs/serve.ts';
import { size } from './programs/size.ts';
import { startup } from './programs/startup.ts';
import { checkReports, write } from './report/write.ts';
import { type Comparable, type NativeName, nativeNames, peersOn } from './run/comparable.ts';
import { run } from './run/run.ts';
import { casesOf, suites } from './suites/index.ts';

guard('bench');
/** Suites that make their own engines, or look at whole processes and files. */
const ownSuites = { scheduler, serve, startup, size };
const {
  wanted,
  options,
  engine: engineOptions,
} = parse('bench', [...Object.keys(suites), ...Object.keys(ownSuites)]);
const { quick, peers: withPeers, native: withNative } = options;
const print = (line: string) => console.log(line);

await checkReports(options);
await prepareGPU();
const engine = await createEngine(engineOptions);
const here = about('bench', `node ${process.versions.node}`);
print(`${here.machine}; ${here.runtime}; ${engine.backend.description}\n`);

const others: (Comparable & { stop(): void })[] = [];
if (withPeers) others.push(...(await openPeers(engine)));
if (withNative) others.push(...(await openNative(engine)));
const cases = casesOf(wanted, options);
const { results, limits, wrong } = await run(engine, others, cases, { quick, print });
engine.dispose();
for (const other of others) other.stop();
try {
  for (const [name, suite] of Object.entries(ownSuites))
    if (wanted.includes(name))
      results.push(...(await suite({ quick, peers: withPeers, print, engine: engineOptions })));
} finally {
  // Where one of them breaks, what the others took an hour for is kept.
  await write({ ...here, limits, results }, options);
}
process.exitCode = wrong ? 1 : 0;

/** Engines for the same backend; where vectors are wide, each once as it comes and once with V8's flag, and ours as it comes. */
async function openPeers({ backend: { name: backend, threads } }: Engine): Promise<PeerProcess[]> {
  await installPeers();
  if (backend !== 'wasm' && backend !== 'webgpu') throw new Error(`no peer is like the backend ${backend}`);
  const open = (name: Parameters<typeof PeerProcess.start>[0], flag: boolean) =>
    PeerProcess.start(name, { backend, threads, wide: flag }, quick);
  const wide = backend === 'wasm' && engineOptions.wide && whyFixed() === undefined;
  const found: PeerProcess[] = [];
  if (wide) found.push(await open('biphase', false));
  for (const name of peersOn[backend])
    for (const flag of wide ? [false, true] : [false]) found.push(await open(name, flag));
  return found;
}

/** Native software on as many processors; what is missing is said, and left out. */
async function openNative({ backend: { threads } }: Engine): Promise<NativePeer[]> {
  if (options.venv) await makeVenv();
  const found: NativePeer[] = [];
  for (const name of Object.keys(nativeNames) as NativeName[]) {
    const { python, missing } = await pythonWith(name);
    if (!python) {
      print(missing!);
      continue;
    }
    const peer = await NativePeer.start(nativeNames[name], { python, engine: name, threads });
    print(`${peer.name} ${peer.version}, ${peer.threads} thread${peer.threads === 1 ? '' : 's'}`);
    found.push(peer);
  }
  return found;
}
