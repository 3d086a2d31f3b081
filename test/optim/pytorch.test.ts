import { describe, expect, it } from 'vitest';
import { createEngine, nn, ops, optim } from '../../src/index.ts';

/** torch.optim.lr_scheduler.CosineAnnealingLR, in its closed form: the rate after `epoch` calls of step(). */
const annealed = (base: number, least: number, most: number, epoch: number) =>
  least + ((base - least) * (1 + Math.cos((Math.PI * epoch) / most))) / 2;

/** The same by its recursion, which is what get_lr() computes. */
function* recursive(base: number, least: number, most: number) {
  let lr = base;
  for (let epoch = 0; ; epoch++) {
    if (epoch > 0)
      lr =
        ((1 + Math.cos((Math.PI * epoch) / most)) / (1 + Math.cos((Math.PI * (epoch - 1)) / most))) *
          (lr - least) +
        least;
    yield lr;
  }
}

describe('cosine', () => {
  it.each([
    [0.1, 10, 0],
    [3e-4, 7, 1e-5],
    [1, 1, 0.5],
  ])('from %s in %s steps to %s: every step as CosineAnnealingLR', (lr, total, least) => {
    const rate = optim.cosine({ lr, total, least });
    const other = recursive(lr, least, total);
    for (let step = 1; step <= total; step++) {
      expect(rate(step)).toBeCloseTo(annealed(lr, least, total, step - 1), 12);
      expect(rate(step)).toBeCloseTo(other.next().value!, 12);
    }
    expect(rate(1)).toBe(lr);
    expect(rate(total + 1)).toBeCloseTo(least, 12);
    expect(rate(total + 100)).toBeCloseTo(least, 12);
  });

  it('rises for as many steps as it warms up, and falls from the highest rate', () => {
    const rate = optim.cosine({ lr: 1, total: 14, warmup: 4 });
    expect([1, 2, 3, 4, 5].map(rate)).toEqual([0.25, 0.5, 0.75, 1, 1]);
    expect(rate(6)).toBeCloseTo(annealed(1, 0, 10, 1), 12);
    expect(rate(14)).toBeCloseTo(annealed(1, 0, 10, 9), 12);
  });
});

describe('defaults', () => {
  const hyper = (optimizer: optim.Optimizer) => {
    const into = new Float32Array(4);
    optimizer.hyper(1, into);
    return into[0];
  };

  it("are PyTorch's", () => {
    expect(optim.sgd().attrs).toEqual({ momentum: 0, nesterov: false, weightDecay: 0 });
    expect(optim.adam().attrs).toEqual({ beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0 });
    expect(optim.adamw().attrs).toEqual({ beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 1e-2 });
    for (const make of [optim.sgd, optim.adam, optim.adamw]) expect(hyper(make())).toBe(Math.fround(1e-3));
  });

  it('refuses what PyTorch refuses', () => {
    expect(() => optim.sgd({ nesterov: true })).toThrow(/expected a momentum above 0/);
    expect(() => optim.adam({ betas: [1, 0.9] })).toThrow(/betas is \[1, 0.9\], expected two values/);
    expect(() => optim.sgd({ lr: -1 })).toThrow(/learning rate of step 1 is -1/);
    expect(() => optim.adamw({ weightDecay: -1 })).toThrow(/weightDecay is -1/);
  });

  it('an infinite clipNorm is none, to the bit', async () => {
    const engine = await createEngine({ backend: 'wasm', threads: 1 });
    const weights = await Promise.all(
      [undefined, Infinity, 0.01].map(async (clipNorm) => {
        const recipe = { loss: nn.mse, optimizer: optim.sgd({ lr: 1 }), input: [2], clipNorm };
        const training = await engine.train(nn.linear(2, 1), recipe);
        await training.stepOn(Float32Array.of(5, 6), Float32Array.of(9), 1);
        return (await training.freeze()).stateDict().weight.data;
      }),
    );
    expect(weights[1]).toEqual(weights[0]);
    expect(weights[2]).not.toEqual(weights[0]);
    engine.dispose();
  });

  it('given values must be as many as the parameter has', async () => {
    const engine = await createEngine({ backend: 'reference' });
    const start = (count: number) => {
      const w = nn.parameter([2, 3], nn.init.values(new Float32Array(count)), 'w');
      return engine.train((x) => ops.matmul(x, w), { loss: nn.mse, optimizer: optim.sgd(), input: [2] });
    };
    for (const count of [3, 7])
      await expect((await start(count)).freeze()).rejects.toMatchObject({
        code: 'shape_mismatch',
        message: expect.stringContaining(`got ${count} values for a parameter of shape [2, 3], expected 6`),
      });
    await (await start(6)).freeze();
  });
});
