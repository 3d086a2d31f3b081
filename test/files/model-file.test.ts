import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createEngine,
  type Engine,
  exportWasm,
  FrozenModel,
  f32,
  loadModel,
  nn,
  ops,
  optim,
  type QuantizedModel,
  Random,
  saveModel,
  type Tensor,
} from '../../src/index.ts';
import { parseSafetensors, valuesOf, writeSafetensors } from '../../src/io/safetensors.ts';
import { seal, UNSEALED } from '../../src/io/seal.ts';

const layers = () => [
  nn.linear(6, 16),
  nn.gelu('tanh'),
  nn.dropout(0.25),
  nn.sequential(nn.linear(16, 9, { bias: false }), nn.leakyRelu(0.2)),
  nn.linear(9, 4),
];
const random = new Random(3);
const samples = Float32Array.from({ length: 6 * 40 }, () => random.uniform() * 4 - 2);

let engine: Engine;
let frozen: FrozenModel;
let int8: QuantizedModel;

async function freezeAny(model: nn.Module): Promise<FrozenModel> {
  const training = await engine.train(model, { loss: nn.mse, optimizer: optim.sgd(), input: [6], seed: 5 });
  return training.freeze();
}

const run = async (model: FrozenModel | QuantizedModel) =>
  (await engine.infer(model, { batchSize: 8 }))(samples);

beforeAll(async () => {
  engine = await createEngine({ backend: 'reference' });
  frozen = await freezeAny(nn.sequential(...layers()));
  int8 = await engine.quantize(frozen, { calibration: samples });
});
afterAll(() => engine.dispose());

describe('a model in a file', () => {
  it('gives the same f32 bits after loading, and keeps notes', async () => {
    const { model, notes } = await loadModel(await saveModel(frozen, { notes: { classes: '4' } }));
    expect(model).toBeInstanceOf(FrozenModel);
    expect(await run(model)).toEqual(await run(frozen));
    expect(notes).toEqual({ classes: '4' });
  });

  it('gives the same int8 bits after loading', async () => {
    const { model } = await loadModel(await saveModel(int8));
    expect(model).not.toBeInstanceOf(FrozenModel);
    expect((model as QuantizedModel).report.map((r) => r.runs)).toEqual(int8.report.map((r) => r.runs));
    expect(await run(model)).toEqual(await run(int8));
  });

  it("reads a Node Buffer, and leaves the caller's bytes alone", async () => {
    const file = await saveModel(int8);
    const pooled = Buffer.concat([Buffer.from('xyz'), file]).subarray(3);
    const { model } = await loadModel(pooled);
    expect(await run(model)).toEqual(await run(int8));
    expect(new Uint8Array(pooled)).toEqual(file);
  });

  it('takes a plain state dict, given the model', async () => {
    const tensors = Object.entries(frozen.stateDict()).map(([name, t]) => ({ name, ...t }));
    const plain = writeSafetensors(tensors, {});
    await expect(loadModel(plain)).rejects.toMatchObject({ code: 'invalid_data' });
    const { model } = await loadModel(plain, { model: nn.sequential(...layers()), input: [6] });
    expect(await run(model)).toEqual(await run(frozen));
    const other = loadModel(plain, { model: nn.linear(6, 4), input: [6] });
    await expect(other).rejects.toMatchObject({ code: 'invalid_data' });
  });

  it('keeps what its inputs are, and takes files that knew one of floats alone', async () => {
    const bytes = { input: { dtype: 'u8', shape: [6] } } as const;
    const values = new Map(frozen.parameters.map(({ parameter }) => [parameter, frozen.values(parameter)]));
    const ofBytes = new FrozenModel(frozen.model, bytes, frozen.parameters, values);
    const { model } = await loadModel(await saveModel(ofBytes));
    expect((model as FrozenModel).inputs).toEqual(bytes);
    const { metadata, tensors } = parseSafetensors(await saveModel(frozen));
    const { inputs, ...older } = metadata;
    expect(JSON.parse(inputs)).toEqual({ input: { dtype: 'f32', shape: [6] } });
    const parts = [...tensors].map(([name, t]) => ({ name, shape: t.shape, data: valuesOf(t, name) }));
    const file = writeSafetensors(parts, { ...older, input: '[6]', sha256: UNSEALED });
    await seal(file);
    expect(((await loadModel(file)).model as FrozenModel).inputs).toEqual(frozen.inputs);
    const odd = writeSafetensors(parts, {
      ...metadata,
      inputs: '{"x":{"dtype":"f64","shape":[6]}}',
      sha256: UNSEALED,
    });
    await seal(odd);
    await expect(loadModel(odd)).rejects.toThrow(/the model file's inputs cannot be read/);
  });

  it('takes weights by their names into a model with several inputs', async () => {
    const own = nn.module(
      { left: nn.linear(3, 2), right: nn.linear(2, 2) },
      ({ a, b }: { a: Tensor; b: Tensor }, { left, right }) => ({
        y: ops.add(left.forward(a), right.forward(b)),
      }),
    );
    const parts = (
      [
        ['left', 3],
        ['right', 2],
      ] as const
    ).flatMap(([name, n]) => [
      { name: `${name}.weight`, shape: [2, n], data: new Float32Array(2 * n).fill(1) },
      { name: `${name}.bias`, shape: [2], data: new Float32Array(2) },
    ]);
    const types = { a: f32(3), b: f32(2) };
    const { model } = await loadModel(writeSafetensors(parts, {}), { model: own, inputs: types });
    const infer = await engine.infer(model);
    expect(await infer({ a: Float32Array.of(1, 2, 3), b: Float32Array.of(4, 5) })).toEqual({
      y: Float32Array.of(15, 15),
    });
    await expect(saveModel(model)).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('refuses a model that no file can describe', async () => {
    const own = nn.module({ inner: nn.linear(6, 4) }, (x, { inner }) => inner.forward(x));
    await expect(saveModel(await freezeAny(own))).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('refuses every file with a changed, missing or added byte', async () => {
    const file = await saveModel(int8);
    const changed = fc.tuple(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }));
    await fc.assert(
      fc.asyncProperty(changed, async ([at, by]) => {
        const copy = file.slice();
        copy[at] ^= by;
        await expect(loadModel(copy)).rejects.toMatchObject({ name: 'BiphaseError' });
      }),
      { numRuns: 200 },
    );
    for (const cut of [0, 7, 100, file.length - 1])
      await expect(loadModel(file.slice(0, cut))).rejects.toMatchObject({ code: 'invalid_data' });
    await expect(loadModel(Uint8Array.of(...file, 0))).rejects.toMatchObject({ code: 'invalid_data' });
  });
});

describe('a file of version 1, which kept ranges by the numbers of tensors', () => {
  const file = new Uint8Array(readFileSync(new URL('version-1.safetensors', import.meta.url)));
  const answers = async (model: QuantizedModel | FrozenModel) =>
    createHash('sha256')
      .update(await (await engine.infer(model, { batchSize: 8 })).quantized(samples))
      .digest('hex');

  it('gives the int8 answers it always gave, also after it is written anew', async () => {
    const { model, notes } = await loadModel(file);
    expect(notes.made).toMatch(/version 0.1.0/);
    expect(await answers(model)).toBe('5eb49bd90effaf0168a54d39365d2ae68151cc7127e34891974d6e63832fd6ef');
    const anew = await saveModel(model);
    expect(new TextDecoder().decode(anew)).toContain('encoder.0:matmul');
    expect(await answers((await loadModel(anew)).model)).toBe(await answers(model));
    expect((model as QuantizedModel).report).toMatchObject([
      { path: 'embed', op: 'matmul', runs: 'int8' },
      { path: 'encoder.0', op: 'matmul', runs: 'int8' },
      { path: 'encoder.2', op: 'softmax', runs: 'f32' },
      { path: 'encoder.3', op: 'matmul', runs: 'int8' },
      { path: 'head', op: 'matmul', runs: 'int8' },
    ]);
  });

  it.each([
    ['other ops', 'matmul 0,1 2', 'sub 0,1 2'],
    ['fewer ops', 'sigmoid 18 19', ''],
    ['numbers of no tensor', '[[0,', '[[77,'],
  ])('is refused where it tells of %s', async (_, from, to) => {
    const { metadata, tensors } = parseSafetensors(file);
    const change = (text: string) => text.replace(from, to).trimEnd();
    const changed = writeSafetensors(
      [...tensors].map(([name, t]) => ({ name, shape: t.shape, data: valuesOf(t) as Float32Array })),
      {
        ...metadata,
        ranges: change(metadata.ranges),
        signature: change(metadata.signature),
        sha256: UNSEALED,
      },
    );
    await seal(changed);
    await expect(loadModel(changed)).rejects.toMatchObject({ code: 'unsupported' });
  });
});

describe('a model in JSON', () => {
  it('is built as code would', () => {
    const spec = [{ layer: 'linear', inFeatures: 6, outFeatures: 3 }, 'relu', { layer: 'dropout', p: 0.1 }];
    expect(nn.specOf(nn.fromSpec(spec))).toEqual({
      layer: 'sequential',
      layers: [
        { layer: 'linear', inFeatures: 6, outFeatures: 3, bias: true },
        { layer: 'relu' },
        { layer: 'dropout', p: 0.1 },
      ],
    });
    const whole = nn.sequential(...layers());
    expect(nn.specOf(nn.fromSpec(JSON.parse(JSON.stringify(nn.specOf(whole)))))).toEqual(nn.specOf(whole));
  });

  it.each([
    [null, 'expected a layer'],
    [['relu', 'nothing'], "the model[1]: there is no layer 'nothing'"],
    [{ layer: 'linear', inFeatures: 3 }, "linear needs 'outFeatures'"],
    [
      { layer: 'linear', inFeatures: '3', outFeatures: 1 },
      "inFeatures is '3', expected a whole number from 1",
    ],
    [{ layer: 'relu', slope: 1 }, "relu has no 'slope'"],
    [{ layer: 'gelu', approximate: 'fast' }, "expected 'none' or 'tanh'"],
    [{ layer: 'constructor' }, 'there is no layer'],
    [{ layer: 'linear', inFeatures: 0, outFeatures: 1 }, 'inFeatures is 0'],
    [{ layer: 'sequential' }, "needs a list 'layers'"],
  ])('refuses %j', (spec, message) => {
    expect(() => nn.fromSpec(spec)).toThrow(message);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    'of a training that diverged is not kept, served or quantized: %s',
    async (value) => {
      const state = frozen.stateDict();
      const name = '4.bias';
      state[name].data[2] = value;
      const values = new Map(frozen.parameters.map((p) => [p.parameter, state[p.name].data]));
      const diverged = new FrozenModel(frozen.model, frozen.input, frozen.variables, values);
      const refused = {
        code: 'invalid_data',
        message: expect.stringMatching(new RegExp(`'4.bias' holds ${value} \\(at 2 of 4\\).*diverged`)),
      };
      await expect(saveModel(diverged)).rejects.toMatchObject(refused);
      await expect(exportWasm(diverged, { f32: true })).rejects.toMatchObject(refused);
      await expect(engine.quantize(diverged, { calibration: samples })).rejects.toMatchObject(refused);
    },
  );
});
