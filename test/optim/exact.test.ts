import { afterAll, describe, expect, it } from 'vitest';
import { createEngine, nn, ops, optim, type Tensor } from '../../src/index.ts';

const engines = await Promise.all(
  (['reference', 'wasm'] as const).map((backend) => createEngine({ backend, threads: 1 })),
);
afterAll(() => {
  for (const engine of engines) engine.dispose();
});

/** Weights after steps whose gradients are given. */
async function after(
  engine: (typeof engines)[number],
  start: readonly number[],
  gradients: readonly (readonly number[])[],
  options: { optimizer: optim.Optimizer; clipNorm?: number; clipValue?: number },
): Promise<number[]> {
  const n = start.length;
  const w = nn.parameter([n], nn.init.values(Float32Array.from(start)), 'w');
  const loss = (y: Tensor) => ops.sum(y);
  const training = await engine.train((x) => ops.mul(x, w), { loss, input: [n], ...options });
  try {
    for (const g of gradients) await training.stepOn(Float32Array.from(g), new Float32Array(n), 1);
    return [...(await training.read('w'))];
  } finally {
    training.dispose();
  }
}

describe.each(engines.map((engine) => [engine.backend.name, engine] as const))('%s', (_, engine) => {
  const one = async (p: number, g: number, optimizer: optim.Optimizer) =>
    (await after(engine, [p], [[g]], { optimizer }))[0];

  it('AdamW decays the value before the step, times the rate', async () => {
    const make = () => optim.adamw({ lr: 0.1, weightDecay: 0.1 });
    expect(await one(1, 1, make())).toBeCloseTo(0.89, 6);
    expect(await one(1, 0, make())).toBeCloseTo(0.99, 6);
  });

  it('Adam adds eps after the correction', async () => {
    expect(await one(0, 1e-8, optim.adam({ lr: 1 }))).toBeCloseTo(-0.5, 6);
    expect(await one(0, 1e-8, optim.adam({ lr: 1, amsgrad: true }))).toBeCloseTo(-0.5, 6);
    expect(await one(0, 1e-6, optim.lamb({ lr: 1, weightDecay: 0 }))).toBeCloseTo(-0.5, 6);
  });

  it('clips by the norm of all as PyTorch, where squares overflow too', async () => {
    const clipped = (g: number[], clipNorm = 1) =>
      after(
        engine,
        g.map(() => 0),
        [g],
        { optimizer: optim.sgd({ lr: 1 }), clipNorm },
      );
    const [a, b] = await clipped([-3, -4]);
    expect(a).toBeCloseTo(0.5999999, 7);
    expect(b).toBeCloseTo(0.7999998, 7);
    expect(await clipped([-0.3, -0.4])).toEqual([0.3, 0.4].map(Math.fround));
    for (const x of await clipped(Array(100).fill(-1e20))) expect(x).toBeCloseTo(0.1, 6);
    await expect(clipped([1, Number.NaN])).rejects.toMatchObject({ code: 'not_finite' });
    await expect(clipped([1, Infinity])).rejects.toMatchObject({ code: 'not_finite' });
  });

  it('clips by value each element, before the norm of what is left', async () => {
    const clipped = (g: number[], clipNorm?: number) =>
      after(
        engine,
        g.map(() => 0),
        [g],
        { optimizer: optim.sgd({ lr: 1 }), clipValue: 1, clipNorm },
      );
    expect(await clipped([3, -4, 0.5])).toEqual([-1, 1, -0.5]);
    for (const x of await clipped([3, 4], 1)) expect(x).toBeCloseTo(-Math.SQRT1_2, 6);
    await expect(clipped([1, Number.NaN])).rejects.toMatchObject({ code: 'not_finite' });
  });

  it('LAMB steps as far as its rate where a parameter is zero', async () => {
    expect(await one(0, 1, optim.lamb({ lr: 0.1, eps: 0, weightDecay: 0 }))).toBeCloseTo(-0.1, 6);
    // Twice as long a parameter, twice as long a step.
    expect(await one(4, 1, optim.lamb({ lr: 0.1, eps: 0, weightDecay: 0 }))).toBeCloseTo(3.6, 5);
  });

  it('Lion goes by signs, and not at all without a gradient', async () => {
    const make = () => optim.lion({ lr: 0.1 });
    expect(await one(1, 1e-20, make())).toBeCloseTo(0.9, 6);
    expect(await one(1, 0, make())).toBe(1);
    expect(await one(1, 0, optim.lion({ lr: 0.1, weightDecay: 0.5 }))).toBeCloseTo(0.95, 6);
  });

  it('Adagrad may begin with squares', async () => {
    expect(await one(0, 1, optim.adagrad({ lr: 1, initialAccumulatorValue: 3 }))).toBeCloseTo(-0.5, 6);
  });
});

it('Lion reports a gradient that is NaN', async () => {
  const run = after(engines[1], [1], [[Number.NaN]], { optimizer: optim.lion() });
  await expect(run).rejects.toMatchObject({ code: 'not_finite' });
});
