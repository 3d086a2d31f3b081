import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { createEngine } from '../src/index.ts';
import { loadKernels } from '../src/kernels/index.ts';
import { fileGpuCache } from '../src/node.ts';

const folder = mkdtempSync(join(tmpdir(), 'biphase-node-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('fileGpuCache', () => {
  it('keeps entries for the next process, and begins empty without a file or with another one', async () => {
    const path = join(folder, 'cache.json');
    const cache = fileGpuCache(path);
    expect(await cache.get('a')).toBeUndefined();
    await Promise.all([cache.set('a', '1'), cache.set('b', '2')]);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ a: '1', b: '2' });
    expect(await fileGpuCache(path).get('b')).toBe('2');
    for (const text of ['', '[1]', 'null', '{"a": 1}']) {
      writeFileSync(path, text);
      expect(await fileGpuCache(path).get('a')).toBeUndefined();
    }
  });

  it('says why a file cannot be written', async () => {
    const cache = fileGpuCache(join(folder, 'none', 'cache.json'));
    await expect(async () => cache.set('a', '1')).rejects.toThrow(/could not write/);
  });
});

describe('modules that come compiled', () => {
  const module = new WebAssembly.Module(readFileSync(new URL('../build/wasm/simd128.wasm', import.meta.url)));

  it('serve kernels and engines, on one thread', async () => {
    const kernels = await loadKernels({ modules: { simd128: module } });
    expect(kernels.build).toBe('simd128');
    const out = kernels.matmul(Float32Array.of(2), Float32Array.of(3), new Float32Array(1), {
      m: 1,
      n: 1,
      k: 1,
    });
    expect(out[0]).toBe(6);
    const engine = await createEngine({ backend: 'wasm', threads: 2, modules: { simd128: module } });
    expect(engine.describe()).toMatch(/simd128.*1 thread: modules that come compiled/);
    engine.dispose();
  });

  it('are refused where they are none, or not the build that was asked for', async () => {
    await expect(loadKernels({ modules: { simd128: new Uint8Array() as never } })).rejects.toThrow(
      /modules.simd128 is Uint8Array, expected a WebAssembly.Module/,
    );
    await expect(loadKernels({ build: 'relaxed', modules: { simd128: module } })).rejects.toThrow(
      /modules has no relaxed/,
    );
    await expect(loadKernels({ modules: {} })).rejects.toThrow(/no relaxed and no simd128/);
  });

  it('are what a host that forbids compiling is told to give', async () => {
    const forbidden = vi.spyOn(WebAssembly, 'Module').mockImplementation(function refuse() {
      throw new WebAssembly.CompileError('Wasm code generation disallowed by embedder');
    });
    await expect(loadKernels()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/disallowed by embedder.*wasm-unsafe-eval.*the option modules/),
    });
    forbidden.mockRestore();
  });
});
