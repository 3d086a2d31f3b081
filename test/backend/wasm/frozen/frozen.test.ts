import binaryen from 'binaryen';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compare } from '../../../../conformance/judge/compare.ts';
import { createEngine, type Engine, exportWasm, inspect, nn, ops } from '../../../../src/index.ts';
import { instantiateFrozen, randomSamples, runFrozen, untrained } from '../../../support/frozen.ts';
import { missing } from '../../../support/parts.ts';

let engine: Engine;
let reference: Engine;
beforeAll(async () => {
  engine = await createEngine({ backend: 'wasm', threads: 1, build: 'simd128' });
  reference = await createEngine({ backend: 'reference' });
});
afterAll(() => {
  engine.dispose();
  reference.dispose();
});

/** What the standard's second version added to the first. */
const WEBASSEMBLY_2 = [
  'SignExt',
  'MutableGlobals',
  'NontrappingFPToInt',
  'SIMD128',
  'BulkMemory',
  'BulkMemoryOpt',
  'ReferenceTypes',
  'Multivalue',
].reduce((all, name) => all | binaryen.Features[name as keyof typeof binaryen.Features], 0);

const noRelaxed = await missing('relaxed');
const builds = [
  ['simd128', false],
  ['relaxed', true],
] as const;

/** Sizes around vectors and tiles, tables and clamps, ops that only move, and what stays f32. */
const models: Record<string, { model: nn.Module; input: readonly number[] }> = {
  'one layer': { model: nn.linear(5, 3), input: [5] },
  'one number to one number': { model: nn.linear(1, 1), input: [1] },
  'ReLU between odd sizes': {
    model: nn.sequential(nn.linear(37, 23), nn.relu(), nn.linear(23, 19), nn.relu(), nn.linear(19, 7)),
    input: [37],
  },
  'tables, no biases': {
    model: nn.sequential(
      nn.linear(70, 33, { bias: false }),
      nn.gelu(),
      nn.linear(33, 17),
      nn.tanh(),
      nn.linear(17, 1),
    ),
    input: [70],
  },
  'wide and flat': { model: nn.sequential(nn.linear(300, 2), nn.silu(), nn.linear(2, 130)), input: [300] },
  images: {
    model: nn.sequential(nn.flatten(), nn.linear(63, 16), nn.relu(), nn.linear(16, 4)),
    input: [7, 9],
  },
  'rows of a sample': {
    model: nn.sequential(nn.linear(6, 9), nn.hardswish(), nn.linear(9, 4)),
    input: [3, 6],
  },
  'moved about': {
    model: nn.module({ first: nn.linear(6, 9), last: nn.linear(3, 5) }, (x, { first, last }) => {
      const turned = ops.transpose(first.forward(x), [0, 2, 1]);
      return last.forward(ops.slice(turned, [0, 2, 0], [turned.shape[0], 8, 3]));
    }),
    input: [3, 6],
  },
};

describe('a frozen int8 model', () => {
  describe.each(Object.entries(models))('%s', (_, { model, input }) => {
    const frozen = untrained(model, input);
    const size = input.reduce((a, b) => a * b, 1);
    const samples = randomSamples(size * 41, 7);

    it.each(builds)('gives the same bits as the engine, %s', async (build, relaxed) => {
      const int8 = await engine.quantize(frozen, { calibration: samples });
      const bytes = await exportWasm(int8, { maxBatch: 16, relaxed });
      expect(inspect(bytes)).toMatchObject({ build, kernels: 'int8', maxBatch: 16 });
      if (relaxed && noRelaxed) return expect(WebAssembly.validate(bytes)).toBe(false);
      const want = await (await reference.infer(int8, { batchSize: 8 })).quantized(samples);
      const fromWasm = await (await engine.infer(int8, { batchSize: 5 })).quantized(samples);
      expect(fromWasm).toEqual(want);
      expect(new Set(want).size).toBeGreaterThan(10);
      for (const batch of [1, 2, 3, 7, 15, 16]) expect(await runFrozen(bytes, samples, batch)).toEqual(want);
    });
  });

  it.each([1, 2, 3, 4, 5, 64])('for at most %i samples', async (maxBatch) => {
    const { model, input } = models['ReLU between odd sizes'];
    const samples = randomSamples(input[0] * maxBatch * 2, 3);
    const int8 = await engine.quantize(untrained(model, input), { calibration: samples });
    const want = await (await reference.infer(int8, { batchSize: 8 })).quantized(samples);
    const bytes = await exportWasm(int8, { maxBatch });
    for (let batch = 1; batch <= maxBatch; batch++)
      expect(await runFrozen(bytes, samples, batch)).toEqual(want);
  });

  it("gives f32 results too, with the engine's bits", async () => {
    const { model, input } = models['tables, no biases'];
    const samples = randomSamples(input[0] * 9, 4);
    const int8 = await engine.quantize(untrained(model, input), { calibration: samples });
    const bytes = await exportWasm(int8, { maxBatch: 4, output: 'f32' });
    expect(inspect(bytes).output).toMatchObject({ dtype: 'f32', scale: 1, zeroPoint: 0 });
    expect(await runFrozen(bytes, samples, 4)).toEqual(await (await reference.infer(int8))(samples));
  });

  it('may keep some layers in f32', async () => {
    const { model, input } = models.images;
    const samples = randomSamples(63 * 10, 5);
    const frozen = untrained(nn.sequential(model, nn.softmax(), nn.linear(4, 3)), input);
    const int8 = await engine.quantize(frozen, { calibration: samples });
    const bytes = await exportWasm(int8, { maxBatch: 8 });
    expect(inspect(bytes).kernels).toBe('full');
    const want = await (await engine.infer(int8)).quantized(samples);
    for (const batch of [1, 3, 8]) expect(await runFrozen(bytes, samples, batch)).toEqual(want);
  });

  it('may answer with whole numbers', async () => {
    const model = nn.module({ a: nn.linear(20, 12) }, (x, { a }) => ops.argmax(a.forward(x)));
    const samples = randomSamples(20 * 30, 8);
    const int8 = await engine.quantize(untrained(model, [20]), { calibration: samples });
    const bytes = await exportWasm(int8, { maxBatch: 7 });
    expect(inspect(bytes).output).toEqual({
      name: 'output',
      dtype: 'i32',
      shape: [],
      scale: 1,
      zeroPoint: 0,
    });
    const { query, output_bytes } = await instantiateFrozen(bytes);
    expect([query(1, 0), query(1, 1), query(1, 4), output_bytes()]).toEqual([1, 0, Number.NaN, 4]);
    const want = await (await reference.infer(int8))(samples);
    expect(new Set(want).size).toBeGreaterThan(3);
    for (const batch of [1, 4, 7]) expect([...(await runFrozen(bytes, samples, batch))]).toEqual([...want]);
  });

  it.each(['images', 'ReLU between odd sizes'])('takes bytes as a data set makes them: %s', async (name) => {
    const { model, input } = models[name];
    const size = input.reduce((a, b) => a * b, 1);
    const pixels = Uint8Array.from({ length: size * 30 }, (_, i) => (i * 7919) >> 3);
    const byteInput = { scale: 1 / 255 / 0.3081, shift: -0.1307 / 0.3081 };
    const samples = Float32Array.from(pixels, (p) => p * byteInput.scale + byteInput.shift);
    const int8 = await engine.quantize(untrained(model, input), { calibration: samples });
    const bytes = await exportWasm(int8, { maxBatch: 8, byteInput });
    expect(inspect(bytes).input).toMatchObject({ dtype: 'u8', shape: input, scale: byteInput.scale });
    const want = await (await reference.infer(int8, { batchSize: 8 })).quantized(samples);
    expect(await runFrozen(bytes, pixels, 8)).toEqual(want);
  });

  it('stays within 48 KiB beyond its weights, with the kernels of either kind', async () => {
    const frozen = untrained(
      nn.sequential(nn.linear(784, 256), nn.relu(), nn.linear(256, 128), nn.relu(), nn.linear(128, 10)),
      [784],
    );
    const int8 = await engine.quantize(frozen, { calibration: randomSamples(784 * 8, 1) });
    for (const [, relaxed] of builds)
      for (const bytes of [
        await exportWasm(int8, { relaxed }),
        await exportWasm(frozen, { relaxed, f32: true }),
      ]) {
        const { weightBytes, fileBytes } = inspect(bytes);
        expect(fileBytes).toBe(bytes.length);
        expect(weightBytes).toBeGreaterThan(230_000);
        expect(bytes.length - weightBytes).toBeLessThanOrEqual(48 * 1024);
      }
    expect(inspect(await exportWasm(int8)).weightBytes).toBe(int8.byteLength);
  });

  it('is WebAssembly 2.0 and no more; with relaxed SIMD, that alone beside it; and imports nothing', async () => {
    const { model, input } = models.images;
    const frozen = untrained(model, input);
    const int8 = await engine.quantize(frozen, { calibration: randomSamples(63 * 8, 1) });
    for (const [, relaxed] of builds)
      for (const bytes of [
        await exportWasm(int8, { relaxed }),
        await exportWasm(frozen, { relaxed, f32: true }),
      ]) {
        const module = binaryen.readBinary(bytes);
        const validAs = (features: number) => {
          module.setFeatures(features);
          return module.validate() === 1;
        };
        expect(validAs(WEBASSEMBLY_2)).toBe(!relaxed);
        expect(validAs(WEBASSEMBLY_2 | binaryen.Features.RelaxedSIMD)).toBe(true);
        expect(validAs(WEBASSEMBLY_2 & ~binaryen.Features.SIMD128)).toBe(false);
        expect(module.emitText()).not.toContain('(import ');
        module.dispose();
      }
  });

  it('is the same bytes every time', async () => {
    const { model, input } = models.images;
    const int8 = await engine.quantize(untrained(model, input), { calibration: randomSamples(63 * 8, 1) });
    expect(await exportWasm(int8)).toEqual(await exportWasm(int8));
  });

  it.skipIf(noRelaxed)('uses the relaxed dot where the engine finds it exact', async () => {
    const { model, input } = models.images;
    const int8 = await engine.quantize(untrained(model, input), { calibration: randomSamples(63 * 8, 1) });
    const relaxedEngine = await createEngine({
      backend: 'wasm',
      threads: 1,
      build: 'relaxed',
      tiles: 'usual',
    });
    const engineUses = relaxedEngine.describe().includes('by relaxed dot');
    relaxedEngine.dispose();
    const { query } = await instantiateFrozen(await exportWasm(int8, { relaxed: true }));
    expect(query(-1, 0)).toBe(engineUses ? 1 : 0);
  });
});

describe('a frozen f32 model', () => {
  it.each(builds)('is within the bound of a product, %s', async (_, relaxed) => {
    if (relaxed && noRelaxed) return;
    for (const [k, n] of [
      [1, 1],
      [70, 33],
      [300, 130],
    ]) {
      const layer = nn.linear(k, n);
      const frozen = untrained(layer, [k]);
      const samples = randomSamples(k * 30, 2);
      const bytes = await exportWasm(frozen, { f32: true, maxBatch: 16, relaxed });
      const [weight, bias] = frozen.parameters.map(({ parameter }) => ({
        ...{ dtype: 'f32' as const, shape: parameter.shape },
        data: frozen.values(parameter),
      }));
      const inputs = [{ dtype: 'f32' as const, shape: [30, k], data: samples }, weight, bias];
      const want = await (await reference.infer(frozen, { batchSize: 30 }))(samples);
      for (const batch of [1, 2, 5, 16])
        expect(
          compare(
            'matmul',
            inputs,
            { transposeA: false, transposeB: true },
            want,
            await runFrozen(bytes, samples, batch),
          ),
        ).toEqual([]);
    }
  });

  it.each(Object.entries(models))(
    "has the engine's bits on the same instructions: %s",
    async (_, { model, input }) => {
      const frozen = untrained(model, input);
      const samples = randomSamples(12 * input.reduce((a, b) => a * b, 1), 2);
      const bytes = await exportWasm(frozen, { f32: true, maxBatch: 4 });
      expect(inspect(bytes).kernels).toBe('full');
      for (const batch of [1, 2, 3, 4])
        expect(await runFrozen(bytes, samples, batch)).toEqual(
          await (await engine.infer(frozen, { batchSize: batch }))(samples),
        );
    },
  );

  it('takes every activation, reduction and broadcast', async () => {
    const layers = [
      nn.relu(),
      nn.leakyRelu(),
      nn.elu(),
      nn.gelu(),
      nn.gelu('tanh'),
      nn.silu(),
      nn.sigmoid(),
      nn.tanh(),
      nn.softplus(),
      nn.hardswish(),
      nn.logSoftmax(),
      nn.softmax(),
    ];
    const parts = nn.sequential(...layers.flatMap((l) => [nn.linear(11, 11), l]));
    const model = nn.module({ parts, last: nn.linear(22, 3) }, (x, { parts, last }) => {
      const y = parts.forward(x);
      const centred = ops.sub(y, ops.mean(y, { axes: [1], keepDims: true }));
      return last.forward(ops.concat([ops.mul(centred, ops.scale(x, 0.5)), ops.div(x, ops.add(y, 2))], 1));
    });
    const frozen = untrained(model, [11]);
    const samples = randomSamples(11 * 10, 6);
    const bytes = await exportWasm(frozen, { f32: true, maxBatch: 5 });
    for (const batch of [1, 2, 5])
      expect(await runFrozen(bytes, samples, batch)).toEqual(
        await (await engine.infer(frozen, { batchSize: batch }))(samples),
      );
  });
});

describe('freeze refuses', () => {
  const frozen = untrained(nn.linear(4, 2), [4]);
  const cases: [string, () => Promise<unknown>, RegExp][] = [
    ['an f32 model unless told', () => exportWasm(frozen), /not quantized.*f32: true/],
    ['no samples', () => exportWasm(frozen, { f32: true, maxBatch: 0 }), /maxBatch is 0/],
    ['half a sample', () => exportWasm(frozen, { f32: true, maxBatch: 1.5 }), /maxBatch is 1.5/],
    [
      'bytes for an f32 model',
      () => exportWasm(frozen, { f32: true, byteInput: { scale: 1, shift: 0 } }),
      /quantize it/,
    ],
    ['u8 results of an f32 model', () => exportWasm(frozen, { f32: true, output: 'u8' }), /quantize it/],
  ];
  it.each(cases)('%s', async (_, act, message) => {
    await expect(act()).rejects.toThrow(message);
    await expect(act()).rejects.toMatchObject({ name: 'BiphaseError' });
  });

  it('a model that mixes the samples of a batch', async () => {
    const model = nn.module({ a: nn.linear(4, 2) }, (x, { a }) =>
      a.forward(ops.sub(x, ops.mean(x, { axes: [0], keepDims: true }))),
    );
    await expect(exportWasm(untrained(model, [4]), { f32: true })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(/maxBatch to 1/),
    });
  });

  it('a byte scale that is nonsense', async () => {
    const int8 = await engine.quantize(frozen, { calibration: randomSamples(40, 1) });
    await expect(exportWasm(int8, { byteInput: { scale: 0, shift: 1 } })).rejects.toThrow(/scale not 0/);
    await expect(exportWasm(int8, { byteInput: { scale: Number.NaN, shift: 1 } })).rejects.toThrow(/finite/);
  });
});
