import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { EngineOptions } from '../../src/index.ts';
import type { Result } from '../run/case.ts';
import { peerNames } from '../run/comparable.ts';
import { summarize, time } from '../run/measure.ts';
import { ensureDist } from './dist.ts';

export interface ProcessSuiteOptions {
  readonly quick: boolean;
  readonly peers: boolean;
  readonly print: (line: string) => void;
  /** For suites that make engines: which backend, build and threads. */
  readonly engine: EngineOptions;
}

/** A file, from bench/. */
const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const SIZE = 64;

/** What each engine needs for a first product in a new process; prints the milliseconds from before the import to its values. */
const programs: Record<string, string> = {
  biphase: `
    const { loadKernels } = await import('${at('../dist/kernels/index.js')}');
    const k = await loadKernels();
    const [a, b, out] = [0, 1, 2].map(() => k.alloc('f32', ${SIZE * SIZE}));
    a.fill(1); b.fill(2);
    k.matmul(a, b, out, { m: ${SIZE}, n: ${SIZE}, k: ${SIZE} });
    const y = out[0];`,
  [peerNames.tfjs]: `
    const tf = await import('@tensorflow/tfjs-core');
    const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
    setWasmPaths('${at('peers/node_modules/@tensorflow/tfjs-backend-wasm/dist/')}');
    await tf.setBackend('wasm');
    const [a, b] = [tf.fill([${SIZE}, ${SIZE}], 1), tf.fill([${SIZE}, ${SIZE}], 2)];
    const y = (await tf.matMul(a, b).data())[0];`,
  [peerNames.jax]: `
    const { init, defaultDevice, numpy: np } = await import('@jax-js/jax');
    await init('wasm'); defaultDevice('wasm');
    const y = (await np.matmul(np.full([${SIZE}, ${SIZE}], 1), np.full([${SIZE}, ${SIZE}], 2)).data())[0];`,
};

async function once(program: string): Promise<number> {
  const source = `const begin = performance.now();${program}
    if (y !== ${SIZE * 2}) throw new Error('wrong: ' + y);
    console.log('ms', performance.now() - begin); process.exit(0);`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source], {
    cwd: at('peers'),
  });
  return Number(/ms ([\d.]+)/.exec(stdout)![1]);
}

/** From before the import to the first 64 x 64 product, one thread, a new process each time; engines take turns. */
export async function startup({ quick, peers, print }: ProcessSuiteOptions): Promise<Result[]> {
  await ensureDist();
  const engines = Object.keys(programs).filter(
    (name) => name === 'biphase' || (peers && existsSync(at('peers/node_modules'))),
  );
  const samples = new Map<string, number[]>(engines.map((name) => [name, []]));
  for (let round = 0; round < (quick ? 3 : 11); round++)
    for (const name of engines) samples.get(name)!.push(await once(programs[name]));
  const timings = engines.map((name) => summarize(samples.get(name)!));
  const fastest = Math.min(...timings.slice(1).map((t) => t.medianMs));
  print('startup');
  return engines.map((engine, i) => {
    const { medianMs, minMs, spread, samples } = timings[i];
    print(
      `  ${engine.padEnd(40)} ${time(medianMs).padStart(10)} ±${(spread * 100).toFixed(0).padStart(2)} %`,
    );
    return {
      ...{
        suite: 'startup',
        case: 'import to the first 64x64 product',
        engine,
        backend: 'wasm',
        build: '',
        threads: 1,
      },
      ...{
        median_ms: medianMs,
        min_ms: minMs,
        spread,
        samples,
        rate: null,
        unit: 'ms',
        intensity: null,
        share_of_limit: null,
      },
      ratio_to_best_peer: engines.length > 1 ? fastest / medianMs : null,
    };
  });
}
