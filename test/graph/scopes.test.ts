import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createEngine,
  type Engine,
  type FrozenModel,
  NotFiniteError,
  nn,
  ops,
  optim,
  type Tensor,
  Tracer,
} from '../../src/index.ts';
import { inferGraph } from '../../src/plans/infer.ts';
import { trainPlan } from '../../src/plans/train.ts';
import { calibrationGraph, tensorsToObserve } from '../../src/quantize/quantize.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ backend: 'reference' });
});
afterAll(() => engine.dispose());

const options = { loss: nn.mse, optimizer: optim.sgd() };
const frozenOf = async (model: nn.Model, width = 6): Promise<FrozenModel> =>
  (await engine.train(model, { ...options, input: [width], seed: 1 })).freeze();
const pathsOf = (frozen: FrozenModel) => inferGraph(frozen, 2).nodes.map(({ path, op }) => `${path}:${op}`);

const block = (width: number) =>
  nn.module({ inner: nn.linear(width, width), norm: nn.sequential(nn.tanh()) }, (x, { inner, norm }) =>
    ops.add(x, norm.forward(inner.forward(x))),
  );

describe('the layer that an op belongs to', () => {
  it('is the path of its module, through modules and sequences', async () => {
    const model = nn.sequential({ embed: nn.linear(6, 4), encoder: nn.sequential(block(4), nn.relu()) });
    expect(pathsOf(await frozenOf(model))).toEqual([
      'embed:matmul',
      'embed:add',
      'encoder.0.inner:matmul',
      'encoder.0.inner:add',
      'encoder.0.norm.0:tanh',
      'encoder.0:add',
      'encoder.1:relu',
    ]);
  });

  it('is where a shared layer is called, and none outside of modules', async () => {
    const shared = nn.linear(6, 6);
    expect(pathsOf(await frozenOf(nn.sequential(shared, nn.relu(), shared)))).toEqual([
      ...['0:matmul', '0:add', '1:relu', '2:matmul', '2:add'],
    ]);
    const w = nn.parameter([6, 6], nn.init.uniform(0.4), 'w');
    expect(pathsOf(await frozenOf((x: Tensor) => ops.relu(ops.matmul(x, w))))).toEqual([':matmul', ':relu']);
  });

  it('calls other methods of a part by its name too, with their own `this`', async () => {
    class Pair {
      readonly children = { w: nn.parameter([6, 6], nn.init.uniform(0.4)) };
      #factor = 2;
      forward(x: Tensor): Tensor {
        return ops.matmul(x, this.children.w);
      }
      twice(x: Tensor): Tensor {
        return ops.scale(this.forward(x), this.#factor);
      }
    }
    const model = nn.module({ pair: Object.freeze(new Pair()) }, (x, { pair }) => pair.twice(x));
    expect(pathsOf(await frozenOf(model))).toEqual(['pair:matmul', 'pair:scale']);
  });

  it('is kept by gradients and by what is fused', () => {
    const model = nn.sequential({ fc1: nn.linear(6, 8), act: nn.gelu(), fc2: nn.linear(8, 2) });
    const { plan } = trainPlan(model, { dtype: 'f32', shape: [6] }, 4, options);
    const of = (section: string) =>
      plan.steps.filter((s) => s.section === section).map((s) => [s.path, s.op]);
    expect(of('forward')).toEqual([
      ['fc1', 'matmul'],
      ['act', 'gelu'],
      ['fc2', 'matmul'],
    ]);
    expect(of('backward').filter(([path]) => path)).toEqual([
      ['fc2', 'matmul'],
      ['fc2', 'linear_backward'],
      ['fc1', 'linear_backward'],
    ]);
    expect(of('update')).toEqual([['', 'sgd']]);
  });
});

describe('layers in messages', () => {
  it('are named where shapes do not fit, the innermost one', async () => {
    const model = nn.sequential({ fc1: nn.linear(6, 8), encoder: nn.sequential(nn.relu(), nn.linear(9, 2)) });
    await expect(frozenOf(model)).rejects.toMatchObject({
      code: 'shape_mismatch',
      message: expect.stringMatching(/^layer 'encoder.1': matmul/),
    });
  });

  it('are named where there is no gradient', async () => {
    const model = nn.sequential({
      fc: nn.linear(6, 8),
      slope: nn.module({}, (x) => x.tracer.apply('relu_backward', [x, x])),
    });
    await expect(frozenOf(model)).rejects.toThrow(/^layer 'slope': relu_backward has no gradient/);
  });

  it('are named by a training that is no longer finite', async () => {
    const grow = nn.module({}, (x) => ops.scale(x, 3e38));
    const model = nn.sequential({ fc: nn.linear(2, 8), grow, end: nn.linear(8, 1) });
    const training = await engine.train(model, { ...options, input: [2] });
    const error = await training.stepOn(Float32Array.of(99, 99), Float32Array.of(0), 1).catch((e) => e);
    expect(error).toBeInstanceOf(NotFiniteError);
    expect(error).toMatchObject({ quantity: 'output', layer: 'grow', parameter: 'fc.bias' });
    expect(error.message).toContain("the output of layer 'grow' (scale) at 'fc.bias' is");
  });

  it('are in costs, whose sums are those of the whole', async () => {
    const model = nn.sequential({ fc1: nn.linear(6, 8), fc2: nn.linear(8, 2) });
    const training = await engine.train(model, { ...options, input: [6] });
    for (const batch of [2, 3, 3])
      await training.stepOn(new Float32Array(6 * batch), new Float32Array(2 * batch), batch);
    const cost = training.cost();
    expect(cost.layers.map((l) => l.path)).toEqual(['fc1', 'fc2', '']);
    for (const what of ['flops', 'bytes'] as const)
      expect(cost.layers.reduce((sum, l) => sum + l[what], 0)).toBe(cost[what]);
  });
});

describe('ranges of a quantized model', () => {
  const samples = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i));

  it('are kept by layer and op, whatever the batch size', async () => {
    const shared = nn.linear(6, 6);
    const model = nn.module({ shared, act: nn.tanh() }, (x, { shared, act }) =>
      shared.forward(act.forward(shared.forward(x))),
    );
    const int8 = await engine.quantize(await frozenOf(model), { calibration: samples });
    const keys = ['input', 'shared:matmul', 'shared:add', 'act:tanh', 'shared:matmul#1', 'shared:add#1'];
    expect([...int8.ranges.keys()]).toEqual(keys);
    const answers = await Promise.all(
      [1, 2, 5].map(async (batchSize) => (await engine.infer(int8, { batchSize })).quantized(samples)),
    );
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
  });

  it('have the same keys at every batch size, also where what is folded depends on it', async () => {
    const table = new Float32Array(2 ** 14);
    const w = nn.parameter([6, 6], nn.init.uniform(0.4), 'w');
    const frozen = await frozenOf((x: Tensor) => {
      const [rows] = x.shape;
      const wide = ops.add(
        ops.broadcast(x.tracer.constant(table, { dtype: 'f32', shape: [1, 2 ** 14] }), [rows, 2 ** 14]),
        1,
      );
      return ops.add(ops.matmul(x, w), ops.slice(wide, [0, 0], [rows, 6]));
    });
    const keys = [1, 64].map((batch) => {
      const graph = calibrationGraph(frozen, batch);
      return { nodes: graph.nodes.length, last: graph.keys.get(tensorsToObserve(graph).at(-1)!) };
    });
    expect(keys[0].nodes).toBeLessThan(keys[1].nodes);
    expect(keys.map((k) => k.last)).toEqual([':add#1', ':add#1']);
  });

  it('are not taken for those of another computation', async () => {
    const w = nn.parameter([6, 6], nn.init.uniform(0.4), 'w');
    const frozen = await frozenOf((x: Tensor) =>
      x.shape[0] > 2 ? ops.matmul(ops.relu(ops.matmul(x, w)), w) : ops.matmul(x, w),
    );
    const int8 = await engine.quantize(frozen, { calibration: samples });
    await expect(engine.infer(int8, { batchSize: 1 })).rejects.toThrow(/different things at batch size 1/);
    expect(int8.ranges.size).toBe(4);
  });
});

describe('one trace at a time', () => {
  it('refuses a trace within a model function', () => {
    const [outer, inner] = [0, 1].map(() => new Tracer({ training: false }));
    expect(() => outer.run(() => inner.run(() => 0))).toThrow(/may not trace another model/);
    // And is over after an error.
    expect(inner.run(() => 1)).toBe(1);
  });
});
