import { describe, expect, it } from 'vitest';
import { createWasmBackend } from '../../src/backend/wasm/backend.ts';
import { differentiate } from '../../src/graph/autodiff.ts';
import { buildPlan } from '../../src/graph/build-plan.ts';
import { type Tensor, Tracer } from '../../src/graph/trace.ts';
import { createEngine, type Engine, ops as f, f32, i32, nn, optim, u8 } from '../../src/index.ts';

const tracer = () => new Tracer({ training: true });
const input = (shape: number[], dtype: 'f32' | 'i32' | 'u8' = 'f32') => tracer().input('x', { dtype, shape });

/** A model as it was made. */
const frozenOf = async (engine: Engine, model: nn.Module, input: ReturnType<typeof f32>) => {
  const training = await engine.train(model, {
    loss: nn.mse,
    optimizer: optim.sgd(),
    inputs: { input },
  });
  return training.freeze();
};

describe('an embedding', () => {
  it('learns its rows, all but the padding, which stays what it is', async () => {
    const engine = await createEngine({ backend: 'wasm', threads: 1 });
    const model = nn.sequential(nn.embedding(5, 3, { paddingIdx: -5 }), nn.flatten(), nn.linear(6, 2));
    const training = await engine.train(model, {
      loss: nn.crossEntropy,
      optimizer: optim.sgd({ lr: 0.1 }),
      inputs: { input: i32(2) },
      seed: 1,
    });
    const before = (await training.freeze()).stateDict()['0.weight'].data.slice();
    await training.stepOn(Int32Array.of(0, 1, 0, 2, 1, 1), Int32Array.of(0, 1, 0), 3);
    const after = (await training.freeze()).stateDict()['0.weight'].data;
    expect(Array.from(before.subarray(0, 3))).toEqual([0, 0, 0]);
    const changed = [0, 1, 2, 3, 4].map((row) =>
      [0, 1, 2].some((i) => after[row * 3 + i] !== before[row * 3 + i]),
    );
    expect(changed).toEqual([false, true, true, false, false]);
    training.dispose();
    engine.dispose();
  });

  it('refuses a padding index that is no row, and indices that are none', () => {
    expect(() => nn.embedding(5, 3, { paddingIdx: 5 })).toThrow(/paddingIdx is 5/);
    expect(() => nn.embedding(5, 3, { paddingIdx: -6 })).toThrow(/paddingIdx is -6/);
    const x = input([4]);
    expect(() => f.embedding(x, x)).toThrow(/expected \(entries, features\)/);
    expect(() => f.gather(x, x)).toThrow(/expected i32/);
  });
});

describe('indices', () => {
  const bound = (use: (x: Tensor) => Tensor, dtype: 'i32' | 'u8') => {
    const t = tracer();
    t.output('y', use(t.input('x', { dtype, shape: [2, 3] })));
    return buildPlan(t.graph, { name: 'indices' }).slots.x.below;
  };
  const table = (t: Tensor) => t.tracer.state('table', { dtype: 'f32', shape: [7, 2] });

  it('are checked before a run, also through a reshape and a cast', () => {
    expect(bound((x) => f.gather(table(x), x), 'i32')).toBe(7);
    expect(bound((x) => f.gather(table(x), f.reshape(x, [6])), 'i32')).toBe(7);
    expect(bound((x) => f.gather(table(x), f.cast(f.reshape(x, [3, 2]), 'i32')), 'u8')).toBe(7);
    expect(bound((x) => f.oneHot(x, 4), 'i32')).toBe(4);
    expect(bound((x) => f.gatherElements(table(x), f.slice(x, [], [2, 2]), 0), 'i32')).toBeUndefined();
  });

  it('of a u8 input without a row are refused with their place', async () => {
    const engine = await createEngine({ backend: 'wasm', threads: 1 });
    const model = nn.module({ table: nn.parameter([7, 2], nn.init.normal()) }, (x: Tensor, { table }) =>
      f.gather(table, f.cast(x, 'i32')),
    );
    const infer = await engine.infer(await frozenOf(engine, model, u8(3)), { batchSize: 1 });
    await expect(infer(Uint8Array.of(1, 7, 2))).rejects.toThrow(/holds 7 at position 1/);
    engine.dispose();
  });
});

it('gives the same bits for any number of threads where many indices are equal', async () => {
  const bitsOf = async (threads: number, width: number) => {
    const t = tracer();
    const [table, dy] = [
      t.state('table', { dtype: 'f32', shape: [9, width] }),
      t.state('dy', { dtype: 'f32', shape: [500, width] }),
    ];
    const indices = t.state('indices', { dtype: 'i32', shape: [500] });
    t.output('d', differentiate(t, f.sum(f.mul(f.gather(table, indices), dy)), [table])[0]);
    const plan = buildPlan(t.graph, { name: 'bits' });
    const backend = await createWasmBackend({ threads });
    const program = await backend.compile(plan);
    program.write(
      plan.slots.dy,
      Float32Array.from({ length: 500 * width }, (_, i) => Math.sin(i) * 1000),
    );
    program.write(
      plan.slots.indices,
      Int32Array.from({ length: 500 }, (_, i) => (i * i) % 3),
    );
    program.run();
    const bits = new Uint32Array((await program.read(plan.slots.d)).slice().buffer);
    backend.dispose();
    return bits;
  };
  for (const width of [1, 5, 37, 64]) expect(await bitsOf(3, width)).toEqual(await bitsOf(1, width));
});

describe('padding', () => {
  it('by layers is what it is by functions', () => {
    const shapeOf = (layer: nn.Module) => layer.forward(input([2, 3, 4, 5])).shape;
    expect(shapeOf(nn.zeroPad2d(1))).toEqual([2, 3, 6, 7]);
    expect(shapeOf(nn.constantPad2d([1, 0, -1, 2], 3))).toEqual([2, 3, 5, 6]);
    expect(shapeOf(nn.reflectionPad2d([1, 4, 0, 3]))).toEqual([2, 3, 7, 10]);
    expect(shapeOf(nn.replicationPad1d([7, 0]))).toEqual([2, 3, 4, 12]);
    expect(shapeOf(nn.circularPad1d(5))).toEqual([2, 3, 4, 15]);
    expect(shapeOf(nn.unflatten(1, [3, -1]))).toEqual([2, 3, 1, 4, 5]);
  });

  it('refuses more than there is, with the axis', () => {
    const x = input([2, 3]);
    expect(() => f.pad(x, [3, 0], { mode: 'reflect' })).toThrow(/axis 1 .* needs at most 2/);
    expect(() => f.pad(x, [0, 0, 3, 0], { mode: 'circular' })).toThrow(/axis 0 .* needs at most 2/);
    expect(() => f.pad(x, [-2, -2])).toThrow(/crop more than axis 1/);
    expect(() => f.pad(x, [1])).toThrow(/got 1 numbers/);
    expect(() => f.pad(input([2, 0]), [1, 0], { mode: 'replicate' })).toThrow(/needs at most 0/);
    expect(() => f.pad(input([2], 'u8'), [1, 0], { value: 300 })).toThrow(/300 is no u8/);
    expect(() => nn.zeroPad2d([1, 2])).toThrow(/array of 4 whole numbers/);
  });
});

describe('einsum', () => {
  const x = input([2, 3]);
  it.each([
    ['ij,jk', [x], /2 terms, but there are 1/],
    ['ij', [input([2])], /does not name the 1 axes/],
    ['i', [x], /does not name the 2 axes/],
    ['ij->ik', [x], /'k' must be in it once, and in one of the terms/],
    ['ij->ii', [x], /'i' must be in it once/],
    ['i1', [x], /expected terms of letters/],
    ['ij->i->j', [x], /one '->' at most/],
    ['......', [x], /'...' twice/],
  ])('%s is refused', (equation, given, message) => {
    expect(() => f.einsum(equation, ...given)).toThrow(message);
  });

  it('refuses sizes that differ', () => {
    const t = tracer();
    const a = t.input('a', { dtype: 'f32', shape: [2, 3] });
    expect(() => f.einsum('ij,ij', a, f.transpose(a))).toThrow(/'i' is 2 and, in \[3, 2\], 3/);
  });

  it('multiplies matrices as they lie, without moving them', () => {
    const t = tracer();
    const q = t.input('q', { dtype: 'f32', shape: [2, 4, 5, 8] });
    const k = t.input('k', { dtype: 'f32', shape: [2, 4, 6, 8] });
    f.einsum('bhqd,bhkd->bhqk', q, k);
    expect(t.nodes.map(({ op }) => op).filter((op) => op !== 'reshape')).toEqual(['matmul']);
  });
});

it('moves bytes where a model is quantized', async () => {
  const engine = await createEngine({ backend: 'wasm', threads: 1 });
  const model = nn.sequential(nn.linear(6, 8), nn.reflectionPad1d(2), nn.linear(12, 3));
  const calibration = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i));
  const frozen = await frozenOf(engine, model, f32(6));
  const quantized = await engine.quantize(frozen, { calibration });
  expect(quantized.report.map(({ op, runs }) => [op, runs])).toEqual([
    ['matmul', 'int8'],
    ['extend', 'int8'],
    ['matmul', 'int8'],
  ]);
  engine.dispose();
});
