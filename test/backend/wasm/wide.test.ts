import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { instantiate } from '../../../src/backend/wasm/load.ts';
import { WasmHeap } from '../../../src/backend/wasm/memory.ts';
import { candidates, TileProbe } from '../../../src/backend/wasm/tile-probe.ts';
import { flagOf, provenOn, whyFixed } from '../../../src/backend/wasm/wide.ts';
import { missing, node24, node26 } from '../../support/parts.ts';

describe('where vectors can be made wide', () => {
  const v8 = '13.6.233.17-node.53';
  it.each([
    [{ versions: { v8 }, arch: 'x64' }, undefined],
    [{ versions: { v8: '14.6.202' }, arch: 'x64' }, undefined],
    [{ versions: { v8: '11.3.244.8-node.38' }, arch: 'x64' }, /Node 24 is the first/],
    [{ versions: { v8 }, arch: 'arm64' }, /x64 only, not on arm64/],
    [{ versions: { v8, deno: '2.9.6' }, arch: 'x64' }, /--v8-flags=--experimental-wasm-revectorize/],
    [{ versions: { v8, bun: '1.4.5' }, arch: 'x64' }, /Bun/],
    [{}, /browsers/],
  ])('%j', (host, want) => {
    const why = whyFixed(host);
    if (want) expect(why).toMatch(want);
    else expect(why).toBeUndefined();
  });

  it('knows the names that V8 gave the flag, and the versions that are tested', () => {
    expect(flagOf('13.6.1')).toBe('experimental-wasm-revectorize');
    expect(flagOf('15.3.9')).toBe('experimental-wasm-revectorize');
    expect(flagOf('15.4.0')).toBe('wasm-revectorize');
    expect(flagOf('16.0.0')).toBe('wasm-revectorize');
    expect(provenOn('14.6.202.34-node.34')).toBe(true);
    expect(provenOn('14.60.1')).toBe(false);
    expect(provenOn(undefined)).toBe(false);
  });
});

describe('the check of a tile', () => {
  it('passes every tile, and none that has a single lane wrong', async () => {
    const instance = await instantiate({ build: 'simd128', pages: 16 });
    const heap = new WasmHeap(instance.memory);
    let lane = -1;
    const run: typeof instance.exports.run = (...args) => {
      const end = instance.exports.run(...args);
      const [, , , rows, columns, length, , operands] = new Uint32Array(instance.memory.buffer, args[0], 8);
      const sums = new Uint32Array(instance.memory.buffer, operands + (rows + columns) * length * 4);
      if (lane >= 0) sums[lane] ^= 1 << 20;
      return end;
    };
    const probe = new TileProbe({ ...instance, exports: { ...instance.exports, run } }, heap);
    for (const candidate of candidates(false)) {
      const last = candidate.tile[0] * candidate.tile[1] - 1;
      for (lane of [-1, 0, 7, last]) expect(probe.isRight(candidate), `${lane}`).toBe(lane < 0);
    }
  });
});

const root = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * The same, a few times where V8 did not optimize in time: on a busy machine its code may be ready before the first look at what
 * came before it, and then nothing shows that it is. Narrow vectors are what a user gets then.
 */
async function scenario(node: string, name: 'wide' | 'refused') {
  for (let left = 3; ; left--) {
    const found = await once(node, name);
    if (left === 1 || !/in time/.test(`${found.family} ${found.vectors.reason}`)) return found;
  }
}

/** What a scenario printed, and the functions in which V8 joined vectors, before and after the fixture's mark. */
async function once(node: string, name: 'wide' | 'refused') {
  const fixture = fileURLToPath(new URL('wide.fixture.ts', import.meta.url));
  const args = ['--trace-wasm-revectorize', '--import', 'tsx', fixture, name];
  // A process may hang in process.exit() while V8 compiles in the background; what it had to say is on stderr by then.
  const limits = { cwd: root, maxBuffer: 2 ** 28, timeout: 60_000, killSignal: 'SIGKILL' } as const;
  const { stdout, stderr } = await promisify(execFile)(node, args, limits).catch((error) =>
    error.killed ? (error as { stdout: string; stderr: string }) : Promise.reject(error),
  );
  const result = JSON.parse(stderr.trim().split('\n').at(-1)!);
  const mark = stdout.indexOf('--- wide');
  const joined = (text: string) => text.includes('Revec: NewPackNode');
  return { ...result, early: joined(stdout.slice(0, Math.max(mark, 0))), joined: joined(stdout) };
}

for (const [name, node] of [
  ['node24', node24],
  ['node26', node26],
] as const)
  describe.skipIf(await missing(name))(`wide vectors in ${name}`, () => {
    it('are made after the flag is set, checked, and give the bits of narrow ones in every family of kernels', async () => {
      const found = await scenario(node, 'wide');
      expect(found.before).toEqual({ wide: false });
      expect(found.early).toBe(false);
      // A processor without AVX2 has none, and says so.
      if (!found.vectors.wide) return expect(found.vectors.reason).toMatch(/AVX2/);
      expect(found.joined).toBe(true);
      expect(found.family ?? 'none differs').toBe('none differs');
      expect(found).toMatchObject({ wide: true });
      expect(found.description).toMatch(/^WebAssembly relaxed, vectors of 256 bits, f32 tile \d+x16/);
    });

    it('are given up, for all that is compiled from then on, when a check fails', async () => {
      const { vectors, description, joined } = await scenario(node, 'refused');
      expect(vectors).toEqual({ wide: false, reason: 'a bit differs' });
      expect(description).toContain('vectors not made wide (a bit differs)');
      expect(joined).toBe(false);
    });
  });
