import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Result } from '../run/case.ts';
import { peerNames } from '../run/comparable.ts';
import { downloadOf } from '../run/download.ts';
import { ensureDist } from './dist.ts';
import type { ProcessSuiteOptions } from './startup.ts';

/** A file, from bench/. */
const at = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Bytes of a module and all it imports, minified for browsers, gzipped; and of the files it loads while it runs. */
async function bundled(entry: string, files: readonly string[] = []): Promise<number> {
  const texts = await downloadOf(`export * from '${entry}';`, at('peers'), {
    platform: 'browser',
    external: ['node:*', 'fs', 'path', 'os', 'util', 'crypto', 'worker_threads', 'perf_hooks', 'module'],
  });
  const parts = [...texts, ...files.map((f) => readFileSync(at(f)))];
  return parts.reduce((sum, part) => sum + gzipSync(part, { level: 9 }).length, 0);
}

/** What a page downloads, gzipped: for f32 products from `biphase/kernels`, and for everything; and each wasm build. */
export async function size({ peers, print }: ProcessSuiteOptions): Promise<Result[]> {
  await ensureDist();
  print('size');
  const rows: { case: string; engine: string; bytes: number }[] = [];
  const add = (name: string, engine: string, bytes: number) => {
    rows.push({ case: name, engine, bytes });
    print(`  ${`${engine}: ${name}`.padEnd(56)} ${(bytes / 1000).toFixed(1).padStart(8)} kB`);
  };
  for (const file of readdirSync(at('../dist/wasm')).filter((f) => f.endsWith('.wasm')))
    add(`${file}, raw`, 'biphase', readFileSync(at(`../dist/wasm/${file}`)).length);
  add('kernels, gzipped', 'biphase', await bundled(at('../dist/kernels/index.js')));
  add('everything, gzipped', 'biphase', await bundled(at('../dist/index.js')));
  if (peers) {
    const { tfjs, onnxruntime, jax } = peerNames;
    const tfjsWasm = 'peers/node_modules/@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm';
    const ortWasm = 'peers/node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm';
    add('everything, gzipped', tfjs, await bundled('@tensorflow/tfjs-backend-wasm', [tfjsWasm]));
    add('everything, gzipped', onnxruntime, await bundled('onnxruntime-web/wasm', [ortWasm]));
    add('everything, gzipped', jax, await bundled('@jax-js/jax'));
  }
  return rows.map(({ case: name, engine, bytes }) => ({
    ...{ suite: 'size', case: name, engine, backend: '', build: '', threads: 1 },
    ...{ median_ms: 0, min_ms: 0, spread: 0, samples: 1, rate: bytes, unit: 'bytes' },
    ...{ intensity: null, share_of_limit: null, ratio_to_best_peer: null },
  }));
}
