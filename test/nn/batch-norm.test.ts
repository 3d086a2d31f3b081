import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createEngine,
  type Engine,
  exportWasm,
  FrozenModel,
  loadModel,
  nn,
  ops,
  optim,
  Random,
  saveModel,
  type Tensor,
} from '../../src/index.ts';
import { inferPlan } from '../../src/plans/infer.ts';
import { trainPlan } from '../../src/plans/train.ts';
import { runFrozen } from '../support/frozen.ts';
/** Computed in f64 by torch.nn.BatchNorm1d of PyTorch 2.15: three batches x, x + 1, x + 2 while training, then x in inference. */
import pytorch from './batch-norm.json' with { type: 'json' };

interface Case {
  readonly shape: readonly number[];
  readonly options: Record<string, unknown>;
  readonly start: Readonly<Record<string, readonly number[]>>;
  readonly x: readonly number[];
  readonly t: readonly number[];
  readonly losses: readonly number[];
  readonly state: Readonly<Record<string, readonly number[]>>;
  readonly gradients: Readonly<Record<string, readonly number[]>>;
  readonly served: readonly number[];
}

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ backend: 'wasm', threads: 1 });
});
afterAll(() => engine.dispose());

const pythonNames: Record<string, string> = { track_running_stats: 'trackRunningStats' };
const expectNear = (got: ArrayLike<number>, want: readonly number[]) => {
  expect(got.length).toBe(want.length);
  for (const [i, w] of want.entries())
    expect(Math.abs(got[i] - w)).toBeLessThan(2e-5 * Math.max(1, Math.abs(w)));
};

/** The layer with PyTorch's values; the factor of 1 is there so that there is something to train. */
function modelOf({ shape, options, start }: Case): FrozenModel {
  const named = Object.entries(options).map(([name, value]) => [pythonNames[name] ?? name, value]);
  const bn = nn.batchNorm1d(shape[1], Object.fromEntries(named));
  const factor = nn.parameter([1], nn.init.constant(1));
  const model = nn.module({ bn, factor }, (x: Tensor, { bn, factor }) => ops.mul(bn.forward(x), factor));
  const variables = [...nn.namedVariables(model)].map(([variable, name]) => ({ variable, name }));
  const values = variables.map(({ variable, name }) => {
    const Values = variable.dtype === 'i32' ? Int32Array : Float32Array;
    return [variable, Values.from(start[name.replace('bn.', '')] ?? [1])] as const;
  });
  return new FrozenModel(model, { dtype: 'f32', shape: shape.slice(1) }, variables, new Map(values));
}

describe("nn.batchNorm1d gives PyTorch's numbers", () => {
  const run = async (wanted: Case, lr: (step: number) => number) => {
    const training = await engine.train(modelOf(wanted), { loss: nn.mse, optimizer: optim.sgd({ lr }) });
    const losses: number[] = [];
    for (const step of [0, 1, 2]) {
      const x = Float32Array.from(wanted.x, (v) => v + step);
      losses.push(await training.stepOn(x, Float32Array.from(wanted.t), wanted.shape[0]));
    }
    return { losses, frozen: await training.freeze() };
  };

  it.each(Object.entries(pytorch as unknown as Record<string, Case>))('%s', async (_, wanted) => {
    const { losses, frozen } = await run(wanted, () => 0);
    expectNear(losses, wanted.losses);
    const state = frozen.stateDict();
    expect(Object.keys(state).sort()).toEqual(
      ['factor', ...Object.keys(wanted.state).map((n) => `bn.${n}`)].sort(),
    );
    for (const [name, values] of Object.entries(wanted.state)) expectNear(state[`bn.${name}`].data, values);
    const infer = await engine.infer(frozen, { batchSize: wanted.shape[0] });
    expectNear(await infer(Float32Array.from(wanted.x)), wanted.served);
    // A step of rate 1 takes the gradient away.
    const moved = (await run(wanted, (step) => (step === 3 ? 1 : 0))).frozen.stateDict();
    for (const [name, gradient] of Object.entries(wanted.gradients)) {
      const { data } = state[`bn.${name}`];
      expectNear(
        moved[`bn.${name}`].data.map((w, i) => data[i] - w),
        gradient,
      );
    }
  });
});

/** A safetensors file as Python writes it, whole numbers in 64 bits. */
function pytorchFile(
  state: readonly (readonly [string, { shape: readonly number[]; data: ArrayLike<number> }])[],
) {
  const header: Record<string, unknown> = {};
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const [name, { shape, data }] of state) {
    const whole = data instanceof Int32Array;
    const { buffer } = whole ? BigInt64Array.from(data, BigInt) : Float32Array.from(data);
    parts.push(new Uint8Array(buffer));
    header[name] = { dtype: whole ? 'I64' : 'F32', shape, data_offsets: [at, at + buffer.byteLength] };
    at += buffer.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = new Uint8Array(new BigUint64Array([BigInt(text.length)]).buffer);
  return Uint8Array.from([length, text, ...parts].flatMap((part) => [...part]));
}

describe('a model with batch norm', () => {
  const random = new Random(8);
  const samples = Float32Array.from({ length: 60 * 6 }, () => random.normal() * 2 + 0.5);
  const targets = Float32Array.from({ length: 60 * 2 }, () => random.normal());
  const build = () =>
    nn.sequential({
      ...{ fc1: nn.linear(6, 16), norm: nn.batchNorm1d(16), act: nn.relu() },
      ...{
        fc2: nn.linear(16, 8, { bias: false }),
        norm2: nn.batchNorm1d(8, { affine: false }),
        fc3: nn.linear(8, 2),
      },
    });
  let frozen: FrozenModel;
  beforeAll(async () => {
    const training = await engine.train(build(), {
      loss: nn.mse,
      optimizer: optim.adam({ lr: 0.02 }),
      seed: 2,
      input: [6],
    });
    const losses: number[] = [];
    for (let i = 0; i < 40; i++) losses.push(await training.stepOn(samples, targets, 60));
    expect(losses.at(-1)).toBeLessThan(0.8 * losses[0]);
    frozen = await training.freeze();
  });

  it('is served without any: the products before it absorb it', async () => {
    expect(inferPlan(frozen, 4).steps.map((s) => [s.path, s.op])).toEqual([
      ...[
        ['fc1', 'matmul'],
        ['fc2', 'matmul'],
        ['fc3', 'matmul'],
      ],
    ]);
    // And means the same: each layer by itself, from the values in the state dict.
    const state = frozen.stateDict();
    const rows = (x: Float64Array, n: number) =>
      Array.from({ length: x.length / n }, (_, r) => x.subarray(r * n, r * n + n));
    const linear = (x: Float64Array, n: number, name: string) => {
      const { shape, data } = state[`${name}.weight`];
      const bias = state[`${name}.bias`]?.data;
      return Float64Array.from(
        rows(x, n).flatMap((row) =>
          Array.from({ length: shape[0] }, (_, c) =>
            row.reduce((sum, v, k) => sum + v * data[c * n + k], bias?.[c] ?? 0),
          ),
        ),
      );
    };
    const norm = (x: Float64Array, n: number, name: string) =>
      x.map((v, i) => {
        const at = (what: string, rest: number) => state[`${name}.${what}`]?.data[i % n] ?? rest;
        const normal = (v - at('running_mean', 0)) / Math.sqrt(at('running_var', 1) + 1e-5);
        return normal * at('weight', 1) + at('bias', 0);
      });
    const hidden = norm(linear(Float64Array.from(samples), 6, 'fc1'), 16, 'norm').map((v) => Math.max(0, v));
    const want = linear(norm(linear(hidden, 16, 'fc2'), 8, 'norm2'), 8, 'fc3');
    const got = await (await engine.infer(frozen, { batchSize: 60 }))(samples);
    for (const [i, w] of want.entries()) expect(got[i]).toBeCloseTo(w, 4);
  });

  it('is quantized whole, and gives the same bytes in a file', async () => {
    const int8 = await engine.quantize(frozen, { calibration: samples });
    expect(int8.report.map((r) => [r.path, r.runs])).toEqual([
      ...[
        ['fc1', 'int8'],
        ['fc2', 'int8'],
        ['fc3', 'int8'],
      ],
    ]);
    const answers = await (await engine.infer(int8, { batchSize: 4 })).quantized(samples);
    const file = await exportWasm(int8, { maxBatch: 4 });
    expect(await runFrozen(file, samples, 4)).toEqual(answers);
    const { model } = await loadModel(await saveModel(int8));
    expect(await (await engine.infer(model, { batchSize: 4 })).quantized(samples)).toEqual(answers);
  });

  it('is kept in a file with its statistics, and trained on from there', async () => {
    const { model } = await loadModel(await saveModel(frozen));
    const loaded = model as FrozenModel;
    const plain = ({ data }: { data: ArrayLike<number> }) => Array.from(data);
    const state = loaded.stateDict();
    for (const [name, values] of Object.entries(frozen.stateDict()))
      expect(plain(state[name])).toEqual(plain(values));
    expect(state['norm.num_batches_tracked'].data).toEqual(Int32Array.of(40));
    const training = await engine.train(loaded, { loss: nn.mse, optimizer: optim.sgd() });
    await training.stepOn(samples, targets, 60);
    expect((await training.freeze()).stateDict()['norm.num_batches_tracked'].data).toEqual(Int32Array.of(41));
  });

  it.each(['its names', 'other names'])(
    'takes the state dict of PyTorch, which counts in I64: %s',
    async (names) => {
      const state = Object.entries(frozen.stateDict());
      const named = state.map(([name, t]) => [names === 'its names' ? name : `model.${name}`, t] as const);
      const { model } = await loadModel(pytorchFile(named), { model: build(), input: [6] });
      for (const [name, { data }] of state)
        expect(Array.from((model as FrozenModel).stateDict()[name].data)).toEqual(Array.from(data));
      const wrong = named.map(
        ([name, t]) => [name, t.data instanceof Int32Array ? { ...t, data: Int32Array.of(-5) } : t] as const,
      );
      const { model: negative } = await loadModel(pytorchFile(wrong), { model: build(), input: [6] });
      expect((negative as FrozenModel).stateDict()['norm.num_batches_tracked'].data).toEqual(
        Int32Array.of(-5),
      );
    },
  );

  it('is refused a batch that has no variance, and inputs of another width', () => {
    const options = { loss: nn.mse, optimizer: optim.sgd() };
    const plan = (width: number, batch: number) => () =>
      trainPlan(nn.sequential({ norm: nn.batchNorm1d(3) }), { dtype: 'f32', shape: [width] }, batch, options);
    expect(plan(3, 1)).toThrow(/layer 'norm': batchNorm1d: one value in each channel has no variance/);
    expect(plan(4, 8)).toThrow(/expected \(batch, 3\) or \(batch, 3, length\)/);
    expect(() => nn.batchNorm1d(0)).toThrow(/features/);
    expect(() => nn.batchNorm1d(3, { momentum: 2 })).toThrow(/momentum/);
  });

  it('is built from JSON as by code', () => {
    const spec = { layer: 'batchNorm1d', features: 3, momentum: null };
    expect(nn.specOf(nn.fromSpec(spec))).toEqual(nn.specOf(nn.batchNorm1d(3, { momentum: null })));
  });
});
