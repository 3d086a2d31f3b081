import { describe, expect, it } from 'vitest';
import type { Backend, Program } from '../../src/backend/backend.ts';
import { ReferenceBackend } from '../../src/backend/reference/backend.ts';
import { createWasmBackend } from '../../src/backend/wasm/backend.ts';
import { createWebgpuBackend } from '../../src/backend/webgpu/backend.ts';
import { nodeGPU } from '../../src/backend/webgpu/node.ts';
import { growing } from '../../src/graph/growing.ts';
import type { Plan } from '../../src/graph/plan.ts';
import { nn, ops } from '../../src/index.ts';
import { inferPlan } from '../../src/plans/infer.ts';
import { quantizedPlan } from '../../src/quantize/quantize.ts';
import { untrained } from '../support/frozen.ts';
import { missing, type Part } from '../support/parts.ts';
import { FEATURES, int8Model, samples } from '../support/serving.ts';

const MOST = 64;

const wasm = (build: 'simd128' | 'relaxed', threads: number) => () => createWasmBackend({ build, threads });
const gpu = async () => createWebgpuBackend({ gpu: (await nodeGPU()) as GPU });
const backends: { name: string; needs?: Part; create: () => Promise<Backend> }[] = [
  { name: 'wasm, 1 thread', create: wasm('simd128', 1) },
  { name: 'wasm, 2 threads', create: wasm('simd128', 2) },
  { name: 'wasm relaxed', needs: 'relaxed', create: wasm('relaxed', 1) },
  { name: 'webgpu', needs: 'webgpu', create: gpu },
  { name: 'reference', create: async () => new ReferenceBackend() },
];

/** Layers of every kind that serving has: products with and without epilogue, rows, moves, a single row's own kernels. */
const deep = nn.sequential(
  nn.linear(FEATURES, 33),
  nn.gelu(),
  nn.linear(33, 48),
  nn.relu(),
  nn.module({ a: nn.linear(16, 16) }, (x, { a }) => {
    const heads = ops.reshape(x, [x.shape[0], 3, 16]);
    const turned = ops.transpose(a.forward(heads), [0, 2, 1]);
    return ops.concat([ops.reshape(turned, [x.shape[0], 48]), x], 1);
  }),
  nn.linear(96, 7),
  nn.softmax(),
);
/** Large enough that from a few rows on threads share it. */
const wide = nn.sequential(
  nn.linear(FEATURES, 512),
  nn.relu(),
  nn.linear(512, 512),
  nn.relu(),
  nn.linear(512, 9),
);

const models: [string, (rows: number) => Plan][] = [];
for (const [name, model] of [
  ['deep', deep],
  ['wide', wide],
] as const) {
  const frozen = untrained(model, [FEATURES]);
  models.push([`f32 ${name}`, (rows) => inferPlan(frozen, rows)]);
}
const int8 = await int8Model([FEATURES, 256, 301, 6]);
models.push(['int8', (rows) => quantizedPlan(int8, rows)]);

/** 1 to MOST, each once, in an order that goes up and down. */
const anyOrder = Array.from({ length: MOST }, (_, i) => ((i * 37) % MOST) + 1);

async function answer(program: Program, x: Float32Array, rows?: number): Promise<Float32Array> {
  const { input, output } = program.plan.slots;
  program.write(input, x);
  program.run(rows === undefined ? undefined : { rows });
  return (await program.read(output)) as Float32Array;
}

for (const { name, needs, create } of backends) {
  const absent = needs ? await missing(needs) : false;
  describe.skipIf(absent)(`a growing program on ${name}`, () => {
    // Shaders take long to compile where the GPU is simulated.
    it.each(models.filter(([model]) => name !== 'webgpu' || model !== 'f32 wide'))(
      '%s: gives the bits of plans of a fixed size, whatever ran before',
      async (_, planOf) => {
        const backend = await create();
        const program = await backend.compile(growing(planOf, { most: MOST }));
        for (const rows of name === 'webgpu' ? [64, 1, 33, 2, 1, 8] : anyOrder) {
          const x = samples(rows, rows);
          const fixed = await backend.compile(planOf(rows));
          const want = await answer(fixed, x);
          fixed.dispose();
          const got = await answer(program, x, rows);
          expect(got.length).toBe(want.length);
          expect([rows, got]).toEqual([rows, want]);
        }
        program.dispose();
        expect(backend.allocatedBytes).toBe(0);
        backend.dispose();
      },
    );

    it('reads as many rows as there is room for, and refuses what is no row', async () => {
      const backend = await create();
      const [, planOf] = models[0];
      const program = await backend.compile(growing(planOf, { most: 8 }));
      const { input, output } = program.plan.slots;
      const x = samples(5, 3);
      const all = await answer(program, x, 5);
      expect(all).toHaveLength(5 * 7);
      expect(await program.read(output, new Float32Array(14))).toEqual(all.slice(0, 14));
      const wrong = (length: number) => () => program.write(input, new Float32Array(length));
      expect(wrong(FEATURES + 1)).toThrow(/24 for each of 1 to 8 rows/);
      expect(wrong(0)).toThrow(/got 0 elements/);
      expect(wrong(9 * FEATURES)).toThrow(/got 216 elements/);
      await expect(program.read(output, new Float32Array(6))).rejects.toThrow(/7 for each of 1 to 8/);
      for (const rows of [0, 9, 1.5, Number.NaN])
        expect(() => program.run({ rows })).toThrow(/expected a whole number from 1 to 8/);
      const fixed = await backend.compile(planOf(2));
      expect(() => fixed.run({ rows: 1 })).toThrow(/compiled for one number of rows/);
      expect(() => program.run({ entry: 'train' })).toThrow(/no entry 'train'/);
      program.dispose();
      expect(() => program.run({ rows: 1 })).toThrow(/disposed/);
      backend.dispose();
      await expect(backend.compile(growing(planOf, { most: 8 }))).rejects.toThrow(/disposed/);
    });

    it('refuses a model that does something else for other numbers of rows', async () => {
      const backend = await create();
      const constant = nn.module({ a: nn.linear(FEATURES, 4) }, (x, { a }) => {
        const y = a.forward(x);
        return x.shape[0] < 3 ? y : ops.softmax(y);
      });
      const frozen = untrained(constant, [FEATURES]);
      const compile = () => backend.compile(growing((rows) => inferPlan(frozen, rows), { most: 8 }));
      await expect(compile()).rejects.toThrow(/with \d rows it takes other steps/);
      await expect(compile()).rejects.toMatchObject({ code: 'unsupported' });
      await expect(backend.compile({ planOf: models[0][1], most: 0 })).rejects.toThrow(/rows go from 1 to 0/);
      expect(backend.allocatedBytes).toBe(0);
      backend.dispose();
    });
  });
}

describe('a growing program', () => {
  it('holds one copy of its weights', async () => {
    const backend = await createWasmBackend({ threads: 1, build: 'simd128', tiles: 'usual' });
    const [, planOf] = models[1];
    const one = await backend.compile(planOf(MOST));
    const bytes = one.bytes;
    one.dispose();
    const program = await backend.compile(growing(planOf, { most: MOST }));
    expect(program.bytes).toBe(backend.allocatedBytes);
    expect(program.bytes).toBeLessThan(1.02 * bytes);
    backend.dispose();
  });

  it('takes as many rows as it says, not fewer', async () => {
    const backend = new ReferenceBackend();
    const program = await backend.compile(growing(models[0][1], { least: 3, most: 5 }));
    expect(() => program.run({ rows: 2 })).toThrow(/from 3 to 5/);
    expect(await answer(program, samples(3, 1), 3)).toHaveLength(21);
  });
});
