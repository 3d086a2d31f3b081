import { afterAll, describe, expect, it } from 'vitest';
import {
  createEngine,
  data,
  type FrozenModel,
  nn,
  ops,
  optim,
  type Tensor,
  type TrainingOptions,
} from '../../src/index.ts';

const engine = await createEngine({ backend: 'wasm', threads: 1 });
afterAll(() => engine.dispose());

/** The mean square of what a model makes of samples. */
async function lossOf(model: FrozenModel, xs: Float32Array): Promise<number> {
  const infer = await engine.infer(model, { batchSize: 5 });
  const ys = await infer(xs);
  return ys.reduce((sum, y) => sum + y * y, 0) / ys.length;
}

/** A training whose weights are 1, 2, 3 ... after its steps. */
async function counting(average: TrainingOptions['average']) {
  const w = nn.parameter([1], nn.init.values(new Float32Array(1)), 'w');
  const model = (x: Tensor) => ops.mul(x, w);
  const loss = (y: Tensor) => ops.sum(y);
  const training = await engine.train(model, { loss, optimizer: optim.sgd({ lr: 1 }), input: [1], average });
  return {
    training,
    step: () => training.stepOn(Float32Array.of(-1), Float32Array.of(0), 1),
    mean: async () => (await training.freeze({ average: true })).stateDict().w.data[0],
  };
}

describe('the mean of the weights', () => {
  it('is that of the first update, then decay mean + (1 - decay) weights', async () => {
    const { step, mean, training } = await counting({ decay: 0.9 });
    expect(await mean()).toBe(0);
    await step();
    expect(await mean()).toBe(1);
    await step();
    expect(await mean()).toBeCloseTo(1.1, 6);
    // The training goes on from its own weights.
    expect((await training.read('w'))[0]).toBe(2);
    await step();
    expect((await training.read('w'))[0]).toBe(3);
    expect(await mean()).toBeCloseTo(0.9 * 1.1 + 0.1 * 3, 6);
  });

  it('without decay is the plain mean, from a step on, of every so many', async () => {
    const { step, mean } = await counting({ start: 3, every: 2 });
    const means: number[] = [];
    for (let i = 0; i < 7; i++) {
      await step();
      means.push(await mean());
    }
    // Of the weights 3, 5 and 7.
    [1, 2, 3, 3, 4, 4, 5].forEach((x, i) => void expect(means[i]).toBeCloseTo(x, 6));
  });

  it('is kept in checkpoints, and asked of trainings that keep it', async () => {
    const [first, second] = [await counting({ decay: 0.5 }), await counting({ decay: 0.5 })];
    for (let i = 0; i < 3; i++) await first.step();
    await second.training.restore(await first.training.checkpoint());
    expect(await second.mean()).toBe(await first.mean());
    for (const { step } of [first, second]) await step();
    expect(await second.mean()).toBe(await first.mean());
    const none = await counting(undefined);
    await expect(none.training.freeze({ average: true })).rejects.toThrow(/keeps no mean of the weights/);
    await expect(none.training.restore(await first.training.checkpoint())).rejects.toThrow(
      /unknown optimizer.average.w/,
    );
    await expect(counting({ decay: 2 })).rejects.toThrow(/decay is 2/);
  });

  it('goes with groups, LAMB and frozen parameters, and takes buffers from the model', async () => {
    const xs = Float32Array.from({ length: 15 }, (_, i) => Math.sin(i) + 2);
    const model = nn.sequential({ fc: nn.linear(3, 2), norm: nn.batchNorm1d(2), out: nn.linear(2, 2) });
    const groups = [
      { match: 'out', frozen: true },
      { match: /bias$/, weightDecay: 0 },
    ];
    for (const optimizer of [optim.lamb({ lr: 0.1, groups }), optim.adamw({ lr: 0.1, groups })]) {
      const training = await engine.train(model, {
        ...{ loss: nn.mse, optimizer, input: [3], seed: 3, average: { decay: 0.5 }, clipNorm: 1 },
      });
      const states: Record<string, ArrayLike<number>>[] = [];
      for (let i = 0; i < 3; i++) {
        await training.stepOn(xs, new Float32Array(10), 5);
        states.push(await training.parameters());
      }
      const set = data.fromArrays({
        input: xs,
        inputShape: [3],
        target: new Float32Array(10),
        targetShape: [2],
      });
      const [ofMean, ofNow] = [await training.evaluate(set, { average: true }), await training.evaluate(set)];
      expect(ofMean.loss).toBeCloseTo(await lossOf(await training.freeze({ average: true }), xs), 6);
      expect(ofNow.loss).toBeCloseTo(await lossOf(await training.freeze(), xs), 6);
      expect(ofMean.loss).not.toBe(ofNow.loss);
      const mean = (await training.freeze({ average: true })).stateDict();
      const now = (await training.freeze()).stateDict();
      expect(mean['norm.running_mean'].data).toEqual(now['norm.running_mean'].data);
      expect(mean['norm.running_mean'].data[0]).not.toBe(0);
      expect(mean['out.weight'].data).toEqual(now['out.weight'].data);
      for (const name of ['fc.weight', 'fc.bias', 'norm.weight', 'norm.bias'])
        mean[name].data.forEach((x, i) => {
          const want = 0.25 * states[0][name][i] + 0.25 * states[1][name][i] + 0.5 * states[2][name][i];
          expect(x).toBeCloseTo(want, 5);
        });
    }
  });
});

describe('reduceOnPlateau in a training', () => {
  it('follows what is observed, in checkpoints too', async () => {
    const w = () => nn.parameter([1], nn.init.values(new Float32Array(1)), 'w');
    const start = () => {
      const own = w();
      return engine.train((x) => ops.mul(x, own), {
        ...{ loss: (y: Tensor) => ops.sum(y), input: [1] },
        optimizer: optim.sgd({ lr: optim.reduceOnPlateau({ lr: 1, factor: 0.5, patience: 0 }) }),
      });
    };
    const training = await start();
    const step = (t = training) => t.stepOn(Float32Array.of(-1), Float32Array.of(0), 1);
    await step();
    training.observe(3);
    await step();
    training.observe(3);
    await step();
    expect((await training.read('w'))[0]).toBe(2.5);
    training.observe(Number.NaN);
    const other = await start();
    await other.restore(await training.checkpoint());
    for (const t of [training, other]) {
      await step(t);
      expect((await t.read('w'))[0]).toBe(2.75);
    }
    expect(() => training.observe('3' as never)).toThrow(/observe: value is '3'/);
  });
});
