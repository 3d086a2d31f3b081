import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type BiphaseError,
  createEngine,
  data,
  type Engine,
  nn,
  ops,
  optim,
  type Training,
} from '../../src/index.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ backend: 'wasm', threads: 1 });
});
afterAll(() => engine.dispose());

const values = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i));
const classes = Int32Array.from({ length: 8 }, (_, i) => i % 2);
const set = data.fromArrays({ input: values, inputShape: [3], target: classes });
const recipe = () => ({ loss: nn.crossEntropy, optimizer: optim.adamw(), input: [3] });
const start = (options: object = {}) => engine.train(nn.linear(3, 2), { ...recipe(), ...options });
const one = { batchSize: 4 };

async function errorOf(run: () => unknown): Promise<BiphaseError> {
  try {
    await run();
  } catch (error) {
    return error as BiphaseError;
  }
  throw new Error('it did not fail');
}

async function losses(training: Training, from = set): Promise<number[]> {
  const all: number[] = [];
  for await (const { loss } of training.fit(from, { ...one, epochs: 2 })) all.push(loss);
  return all;
}

describe('a fit that is left between two steps', () => {
  it.each([
    ['another fit', (t: Training) => t.fit(set, one).next()],
    ['a step', (t: Training) => t.stepOn(values.slice(0, 12), classes.slice(0, 4), 4)],
    ['a checkpoint that is loaded', async (t: Training) => t.restore(await t.checkpoint())],
  ])('keeps the training until it is ended, and the next call says how: %s', async (_, ask) => {
    const training = await start();
    const left = training.fit(set, one);
    expect((await left.next()).value?.step).toBe(1);
    const message = expect.stringMatching(
      /open after step 1: leave its loop \(break\), .* training.stop\(\)/,
    );
    expect(await errorOf(() => ask(training))).toMatchObject({ code: 'busy', message });
    training.stop();
    await ask(training);
    // Whoever still has it is told, and it is over.
    const aborted = { code: 'aborted', message: expect.stringMatching(/stop\(\) was called/) };
    expect(await errorOf(() => left.next())).toMatchObject(aborted);
    expect((await left.next()).done).toBe(true);
  });

  it('is ended by return(), by break, and by what its loop throws', async () => {
    const training = await start();
    const left = training.fit(set, one);
    await left.next();
    await left.return();
    for await (const _ of training.fit(set, one)) break;
    const thrown = new Error('of the loop');
    const loop = async () => {
      for await (const _ of training.fit(set, one)) throw thrown;
    };
    expect(await errorOf(loop)).toBe(thrown);
    expect(await losses(training)).toHaveLength(4);
  });

  it('ends after the step under way where stop() is called meanwhile', async () => {
    const training = await start();
    const under = training.fit(set, one).next();
    training.stop();
    expect(await errorOf(() => under)).toMatchObject({ code: 'aborted' });
    expect(training.step).toBe(1);
    training.stop();
    expect(await losses(training)).toHaveLength(4);
  });

  it('may be frozen and kept meanwhile, and goes on', async () => {
    const training = await start();
    const left = training.fit(set, one);
    await left.next();
    await training.freeze();
    await training.checkpoint();
    expect((await left.next()).value?.step).toBe(2);
  });

  it('is busy only while a step is under way', async () => {
    const training = await start();
    const under = training.fit(set, one).next();
    expect(await errorOf(() => training.fit(set, one).next())).toMatchObject({ code: 'busy' });
    await under;
    training.stop();
    expect(await losses(training)).toHaveLength(4);
  });
});

describe('callbacks', () => {
  const rejections: unknown[] = [];
  const onRejection = (error: unknown) => rejections.push(error);
  beforeAll(() => void process.on('unhandledRejection', onRejection));
  afterAll(() => void process.off('unhandledRejection', onRejection));

  /** As the data set, but its samples come later. */
  const slow = {
    ...set,
    gather: async (indices: ArrayLike<number>, input: Float32Array, target: Int32Array) => {
      await wait(1);
      await set.gather(indices, input, target);
    },
  } as unknown as typeof set;

  it('a data set may be asynchronous: the same weights', async () => {
    const [a, b] = [await start(), await start()];
    expect(await losses(a, slow)).toEqual(await losses(b));
    const ranges = async (calibration: typeof set) =>
      (await engine.quantize(await a.freeze(), { calibration })).ranges;
    expect(await ranges(slow)).toEqual(await ranges(set));
  });

  it('what a data set throws, at once or later, passes through, and the training goes on', async () => {
    const training = await start();
    const thrown = new RangeError('no such sample');
    for (const gather of [
      () => {
        throw thrown;
      },
      () => Promise.reject(thrown),
    ]) {
      expect(await errorOf(() => losses(training, { ...set, gather }))).toBe(thrown);
      expect(training.step).toBe(0);
    }
    expect(await losses(training)).toHaveLength(4);
  });

  it('a rate that fails at a later step passes through, and the step never was', async () => {
    const thrown = new Error('no rate');
    let broken = true;
    const lr = (step: number) => {
      if (broken && step === 2) throw thrown;
      return 1e-3;
    };
    const training = await start({ optimizer: optim.sgd({ lr }) });
    expect(await errorOf(() => losses(training))).toBe(thrown);
    expect(training.step).toBe(1);
    broken = false;
    expect(await losses(training)).toHaveLength(4);
  });

  it.each([
    [
      'a rate',
      () => optim.sgd({ lr: (async () => 1e-3) as never }),
      /function for the learning rate returned a promise/,
    ],
    [
      'a rate that is rejected',
      () => optim.adam({ lr: (async () => Promise.reject(new Error('x'))) as never }),
      /returned a promise/,
    ],
    [
      'hyper() of an optimizer',
      async () =>
        losses(await start({ optimizer: { ...optim.sgd(), hyper: async () => Promise.reject(Error('x')) } })),
      /hyper\(\) of the optimizer returned a promise/,
    ],
    [
      'a loss',
      async () => losses(await start({ loss: async () => Promise.reject(Error('x')) })),
      /the loss returned a promise/,
    ],
    [
      'a model',
      async () => losses(await engine.train((async () => Promise.reject(Error('x'))) as never, recipe())),
      /the model returned a promise/,
    ],
    [
      'an initializer',
      async () => {
        const w = nn.parameter([3, 2], (async () => Promise.reject(Error('x'))) as never, 'w');
        await losses(await engine.train((x) => ops.matmul(x, w), recipe()));
      },
      /initializer of 'w' returned a promise/,
    ],
  ])("%s that is asynchronous is refused, and its rejection is nobody's", async (_, run, message) => {
    expect(await errorOf(run)).toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(message),
    });
    await wait(2);
    expect(rejections).toEqual([]);
  });
});

describe('seeds and counts', () => {
  it.each([0.5, Number.NaN, -1, 2 ** 32, Infinity, '1', null])(
    'refuses the seed %s everywhere',
    async (seed) => {
      const bad = {
        code: 'invalid_argument',
        message: expect.stringMatching(/seed is .*, expected a whole number from 0 to 4294967295/),
      };
      const given = seed as number;
      const training = await start();
      expect(await errorOf(() => training.fit(set, { ...one, seed: given }).next())).toMatchObject(bad);
      expect(await errorOf(() => start({ seed: given }))).toMatchObject(bad);
      expect(await errorOf(() => data.batchOrder(3, { seed: given, epoch: 0, shuffle: true }))).toMatchObject(
        bad,
      );
    },
  );

  it('every seed that is taken is a stream of its own', async () => {
    const seeds = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
    const orders = seeds.map((seed) => String(data.batchOrder(100, { seed, epoch: 0, shuffle: true })));
    expect(new Set(orders).size).toBe(seeds.length);
    const weights = await Promise.all(
      seeds.map(async (seed) => {
        const training = await start({ seed });
        await training.stepOn(values.slice(0, 12), classes.slice(0, 4), 4);
        return String(Object.values((await training.freeze()).stateDict())[0].data);
      }),
    );
    expect(new Set(weights).size).toBe(seeds.length);
  });

  it.each(['batchSize', 'epochs', 'lossEvery'])(
    'refuses a %s that is no whole number from 1',
    async (name) => {
      const training = await start();
      for (const n of [0, -1, 1.5, Number.NaN, Infinity, '4', null]) {
        const error = await errorOf(() => training.fit(set, { ...one, [name]: n }).next());
        expect(error).toMatchObject({
          code: 'invalid_argument',
          message: expect.stringContaining(`${name} is `),
        });
      }
    },
  );
});

describe('targets', () => {
  const floats = (target: number[]) =>
    data.fromArrays({ input: values, inputShape: [3], target: Float32Array.from(target), targetShape: [1] });
  const good = [0, 1, 0.5, 1, 0, 0, 1, 1];
  const put = (at: number, x: number) => good.map((y, i) => (i === at ? x : y));

  it.each([
    [
      'bce above 1',
      nn.bceWithLogits,
      put(5, 9),
      /holds 9 at .*numbers from 0 to 1 .*sample 5 of the data set/,
    ],
    ['bce of bytes', nn.bceWithLogits, put(2, 255), /holds 255 .*sample 2 of/],
    ['bce below 0', nn.bceWithLogitsLoss({ reduction: 'sum' }), put(0, -1e-6), /sample 0 of/],
    ['bce NaN', nn.bceWithLogits, put(7, Number.NaN), /holds NaN .*sample 7/],
    ['mse NaN', nn.mse, put(6, Number.NaN), /holds NaN .*finite numbers .*sample 6/],
    ['mse infinite', nn.mse, put(1, Infinity), /holds Infinity .*sample 1/],
    ['huber NaN', nn.huber, put(3, Number.NaN), /holds NaN .*sample 3/],
  ])('outside what the loss can take are refused before the step: %s', async (_, loss, target, message) => {
    const training = await engine.train(nn.linear(3, 1), { loss, optimizer: optim.adamw(), input: [3] });
    const error = await errorOf(() => losses(training, floats(target)));
    expect(error).toMatchObject({ code: 'out_of_range', message: expect.stringMatching(message) });
    const { step } = training;
    const before = (await training.freeze()).stateDict();
    await training.stepOn(values.slice(0, 12), Float32Array.from(good.slice(0, 4)), 4);
    expect(training.step).toBe(step + 1);
    expect((await training.freeze()).stateDict()).not.toEqual(before);
  });

  it('at the edges of the domain are taken', async () => {
    const training = await engine.train(nn.linear(3, 1), {
      loss: nn.bceWithLogits,
      optimizer: optim.adamw(),
    });
    expect(await losses(training, floats(good))).toHaveLength(4);
  });

  it.each([-1, 2, 9])('class %s of two is refused, with its sample', async (wrong) => {
    const target = classes.slice();
    target[3] = wrong;
    const training = await start();
    const error = await errorOf(() =>
      losses(training, data.fromArrays({ input: values, inputShape: [3], target })),
    );
    expect(error).toMatchObject({
      code: 'out_of_range',
      message: expect.stringMatching(/sample 3 of the data set/),
    });
  });
});
