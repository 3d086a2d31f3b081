/** What engines get wrong about normalization, with the values of PyTorch's definitions. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { differentiate } from '../../src/graph/autodiff.ts';
import { buildPlan } from '../../src/graph/build-plan.ts';
import { type Tensor, Tracer } from '../../src/graph/trace.ts';
import { createEngine, type Engine, type FrozenModel, ops as f, nn, optim } from '../../src/index.ts';
import { inferPlan } from '../../src/plans/infer.ts';
import { backends, reference } from '../support/backends.ts';

const places = [{ name: 'reference', create: async () => reference(), absent: false }, ...backends];

describe.each(places.filter(({ absent }) => !absent))('$name normalizes', ({ create }) => {
  let backend: Promise<Backend> | undefined;
  afterAll(async () => (await backend)?.dispose());

  /** y = work(x), and the gradient of sum(y dy). */
  async function worked(
    shape: number[],
    values: number[],
    work: (x: Tensor) => Tensor,
    dy = values.map(() => 1),
  ) {
    const type = { dtype: 'f32', shape } as const;
    const tracer = new Tracer({ training: true });
    const x = tracer.state('x', type);
    const y = tracer.run(() => work(x));
    const loss = tracer.run(() => f.sum(f.mul(y, tracer.constant(Float32Array.from(dy), y))));
    tracer.output('y', y);
    tracer.output('d', differentiate(tracer, loss, [x])[0]);
    const plan = buildPlan(tracer.graph, { name: 'norm' });
    backend ??= create();
    const program = await (await backend).compile(plan);
    program.write(plan.slots.x, Float32Array.from(values));
    program.run();
    const [got, d] = [await program.read(plan.slots.y), await program.read(plan.slots.d)];
    program.dispose();
    return { y: Array.from(got), d: Array.from(d) };
  }
  const near = (got: number[], want: number[], room = 1e-5) => {
    expect(got).toHaveLength(want.length);
    for (const [i, w] of want.entries())
      expect(Math.abs(got[i] - w)).toBeLessThanOrEqual(room * Math.max(1, Math.abs(w)));
  };
  const layerNorm = (n: number) => (x: Tensor) => f.layerNorm(x, [n]);
  const batchNorm = (x: Tensor) =>
    f.batchNorm(
      x,
      x.tracer.constant(Float32Array.of(1), { dtype: 'f32', shape: [1] }),
      x.tracer.constant(Float32Array.of(0), { dtype: 'f32', shape: [1] }),
      { eps: 1e-5 },
    ).y;
  const quarter = [-1.3416354, -0.4472118, 0.4472118, 1.3416354];

  it('what lies far from 0 beside how it varies: two passes', async () => {
    const far = [40000, 40001, 40002, 40003];
    near((await worked([1, 4], far, layerNorm(4))).y, quarter);
    near((await worked([4, 1], far, batchNorm)).y, quarter);
    near((await worked([1, 4, 1], far, (x) => f.groupNorm(x, 1))).y, quarter);
    const close = Array.from({ length: 16 }, (_, i) => Math.fround(10000 + i * 0.001));
    const mean = close.reduce((a, b) => a + b) / 16;
    const variance = close.reduce((a, b) => a + (b - mean) ** 2, 0) / 16;
    const want = close.map((v) => (v - mean) / Math.sqrt(variance + 1e-5));
    near((await worked([1, 16], close, layerNorm(16))).y, want, 1e-4);
    near((await worked([16, 1], close, batchNorm)).y, want, 1e-4);
  });

  it('rows that begin unlike the rest of them', async () => {
    const n = 300;
    const row = Array.from({ length: n }, (_, i) => (i < 8 ? 30000 + i : Math.sin(i)));
    const mean = row.reduce((a, b) => a + b) / n;
    const std = Math.sqrt(row.reduce((a, b) => a + (b - mean) ** 2, 0) / n);
    const { y } = await worked([1, n], row, layerNorm(n));
    near(
      y,
      row.map((v) => (v - mean) / std),
      2e-6,
    );
  });

  it('equal values to 0, with a gradient that is finite', async () => {
    for (const value of [1234, 0.1, 1e-3]) {
      const { y } = await worked([1, 256], new Array(256).fill(value), layerNorm(256));
      expect(new Set(y.map(Math.abs))).toEqual(new Set([0]));
    }
    const want = [237.17082, -79.056942, -79.056942, -79.056942];
    near((await worked([1, 4], [3, 3, 3, 3], layerNorm(4), [1, 0, 0, 0])).d, want);
    near((await worked([4, 1], [3, 3, 3, 3], batchNorm, [1, 0, 0, 0])).d, want);
  });

  it('by the root of the mean of squares, with eps inside', async () => {
    const rms = (eps: number) => (x: Tensor) => f.rmsNorm(x, [x.shape.at(-1)!], undefined, { eps });
    near((await worked([1, 2], [0.001, 0.001], rms(1e-5))).y, [0.3015113, 0.3015113]);
    near((await worked([1, 2], [3, 4], rms(0))).y, [0.8485281, 1.1313708]);
    const zero = await worked([1, 3], [0, 0, 0], rms(1e-5), [1, -2, 0.5]);
    expect(zero.y).toEqual([0, 0, 0]);
    near(zero.d, [316.22777, -632.45553, 158.11388]);
    // The machine's epsilon is what is added if nothing is given.
    const tiny = await worked([1, 1], [1e-4], (x) => f.rmsNorm(x, [1]));
    near(tiny.y, [1e-4 / Math.sqrt(1e-8 + 1.1920929e-7)]);
  });

  it('by statistics that are given, in training too: the layer is a line', async () => {
    const of = (x: Tensor, value: number) =>
      x.tracer.constant(Float32Array.of(value), { dtype: 'f32', shape: [1] });
    const { y, d } = await worked([2, 1], [2, 6], (x) =>
      f.fixedBatchNorm(x, of(x, 3), of(x, 0), { mean: of(x, 0), variance: of(x, 4) }, { eps: 1e-5 }),
    );
    near(y, [2.9999963, 8.9999888], 1e-6);
    near(d, [1.4999981, 1.4999981], 1e-6);
  });
});

describe('running statistics', () => {
  let engine: Engine;
  afterAll(() => engine?.dispose());
  /** The buffers after each step, and what the loss was. */
  async function trained(layer: nn.Module, shape: number[], batches: number[][]) {
    engine ??= await createEngine({ backend: 'wasm', threads: 1 });
    const factor = nn.parameter([1], nn.init.constant(1));
    const model = nn.module({ norm: layer, factor }, (x: Tensor, { norm, factor }) =>
      f.mul(norm.forward(x), factor),
    );
    const options = { loss: nn.mse, optimizer: optim.sgd({ lr: 0 }), input: shape.slice(1) };
    const training = await engine.train(model, options);
    const states: Record<string, { data: ArrayLike<number> }>[] = [];
    for (const x of batches) {
      await training.stepOn(Float32Array.from(x), new Float32Array(x.length), shape[0]);
      states.push((await training.freeze()).stateDict());
    }
    const found = (what: string) => states.map((s) => s[`norm.${what}`].data[0]);
    const last = (await training.freeze()) as FrozenModel;
    return { mean: found('running_mean'), variance: found('running_var'), last };
  }
  const near = (got: number[], want: number[]) => {
    for (const [i, w] of want.entries()) expect(got[i]).toBeCloseTo(w, 6);
  };

  it('take the variance without bias and a tenth of the newest batch', async () => {
    const batch = [1, 2, 3, 4];
    for (const [layer, shape] of [
      [nn.batchNorm1d(1), [4, 1]],
      [nn.batchNorm1d(1), [2, 1, 2]],
      [nn.batchNorm2d(1), [1, 1, 2, 2]],
    ] as const) {
      const { mean, variance } = await trained(layer, [...shape], [batch, batch]);
      near(mean, [0.25, 0.475]);
      near(variance, [1.0666667, 1.1266667]);
    }
  });

  it('are the plain mean of all batches where momentum is null', async () => {
    const layer = nn.batchNorm1d(1, { momentum: null });
    const { mean } = await trained(
      layer,
      [2, 1],
      [
        [1, 3],
        [3, 5],
      ],
    );
    near(mean, [2, 3]);
  });

  it('want two values in each channel, of one image or of two', async () => {
    const { mean, variance } = await trained(nn.batchNorm2d(1), [1, 1, 1, 2], [[1, 3]]);
    near(mean, [0.2]);
    near(variance, [1.1]);
    const layer = nn.batchNorm2d(1);
    await expect(trained(layer, [1, 1, 1, 1], [[1]])).rejects.toThrow(/one value in each channel/);
  });

  it('stay as they are in inference', async () => {
    const { last } = await trained(nn.batchNorm2d(1), [1, 1, 2, 2], [[1, 2, 3, 4]]);
    const before = JSON.stringify(last.stateDict());
    const infer = await engine.infer(last);
    await infer(Float32Array.of(5, 6, 7, 8));
    expect(JSON.stringify(last.stateDict())).toBe(before);
  });

  it('of instances are means over samples; inference uses them', async () => {
    // Samples (1, 3) and (2, 8): means 2 and 5, variances without bias 2 and 18.
    const layer = nn.instanceNorm1d(1, { trackRunningStats: true });
    const { mean, variance, last } = await trained(layer, [2, 1, 2], [[1, 3, 2, 8]]);
    near(mean, [0.35]);
    near(variance, [1.9]);
    expect(last.stateDict()['norm.num_batches_tracked'].data).toEqual(Int32Array.of(0));
    const served = await (await engine.infer(last))(Float32Array.of(1, 3));
    near(
      Array.from(served as Float32Array),
      [1, 3].map((v) => (v - 0.35) / Math.sqrt(1.9 + 1e-5)),
    );
    const still = nn.instanceNorm1d(1, { trackRunningStats: true, momentum: null });
    near((await trained(still, [2, 1, 2], [[1, 3, 2, 8]])).mean, [0]);
  });

  it('of a convolution of images go into its weights', async () => {
    engine ??= await createEngine({ backend: 'wasm', threads: 1 });
    const model = nn.sequential(nn.conv2d(2, 4, 3, { bias: false }), nn.batchNorm2d(4), nn.relu());
    const options = { loss: nn.mse, optimizer: optim.sgd({ lr: 0.1 }), input: [2, 5, 5] };
    const training = await engine.train(model, options);
    const x = Float32Array.from({ length: 4 * 50 }, (_, i) => Math.sin(i * i));
    for (let i = 0; i < 5; i++) await training.stepOn(x, new Float32Array(4 * 36).fill(1), 4);
    const frozen = await training.freeze();
    const ops = inferPlan(frozen, 4).steps.map(({ op }) => op);
    expect(ops.filter((op) => ['mul', 'add', 'batch_norm_affine'].includes(op))).toEqual([]);
  });
});
