import { afterAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/backend.ts';
import { createWasmBackend } from '../../src/backend/wasm/backend.ts';
import { createEngine, data, nn, ops, optim, Random, type Tensor } from '../../src/index.ts';
import { Engine } from '../../src/scheduler/engine.ts';
import { Training } from '../../src/scheduler/train/training.ts';
import { backends, reference } from '../support/backends.ts';
import { type Fault, FaultPlan, faultyProvider } from '../support/faults.ts';
import { samples } from '../support/serving.ts';

const engine = await createEngine({ backend: 'wasm', threads: 1 });
afterAll(() => engine.dispose());

const FEATURES = 6;
const SAMPLES = 22;
const set = data.fromArrays({
  input: samples(SAMPLES, 1, FEATURES),
  inputShape: [FEATURES],
  target: Int32Array.from({ length: SAMPLES }, (_, i) => i % 3),
});
const model = () => nn.sequential(nn.linear(FEATURES, 8), nn.relu(), nn.linear(8, 3));
const options = { loss: nn.crossEntropy, seed: 4, input: [FEATURES] };
const adam = () => optim.adamw({ lr: optim.exponential({ lr: 0.02, gamma: 0.9 }) });

async function fitted(training: Training, batchSize = 9, lossEvery = 1) {
  const losses: number[] = [];
  for await (const { loss } of training.fit(set, { batchSize, epochs: 2, lossEvery })) losses.push(loss);
  return losses;
}

const weights = async (training: Training) =>
  Object.values(await training.parameters()).flatMap((v) => [...v]);

function expectClose(a: readonly number[], b: readonly number[], room = 2e-6) {
  expect(a.length).toBe(b.length);
  a.forEach(
    (x, i) =>
      void expect(Math.abs(x - b[i]), `${i}: ${x}, ${b[i]}`).toBeLessThan(room * (1 + Math.abs(b[i]))),
  );
}

describe('accumulate', () => {
  it.each([1, 2, 4, 9, 50])(
    '%s parts of a batch make the step of the whole batch, losses and clipping included',
    async (accumulate) => {
      const whole = await engine.train(model(), { ...options, optimizer: adam(), clipNorm: 0.05 });
      const parted = await engine.train(model(), {
        ...options,
        optimizer: adam(),
        clipNorm: 0.05,
        accumulate,
      });
      const [a, b] = [await fitted(whole), await fitted(parted)];
      expectClose(b, a);
      expectClose(await weights(parted), await weights(whole), 2e-5);
      // Batches of 9, 9 and 4.
      expect(parted.step).toBe(6);
    },
  );

  it('the last part of a step holds its samples alone: memory is that of a part', async () => {
    const bytes = async (accumulate: number) => {
      const training = await engine.train(
        nn.sequential(nn.linear(FEATURES, 512), nn.relu(), nn.linear(512, 3)),
        {
          ...options,
          ...{ optimizer: optim.sgd(), accumulate },
        },
      );
      await training.stepOn(samples(64, 1, FEATURES), new Int32Array(64), 64);
      const { temporaryBytes } = training.plan!.memory;
      training.dispose();
      return temporaryBytes;
    };
    expect(await bytes(8)).toBeLessThan((await bytes(1)) / 6);
  });

  it('stepOn takes a whole batch, and gradients are those of all of it', async () => {
    const [xs, ys] = [samples(10, 3, FEATURES), Int32Array.from({ length: 10 }, (_, i) => i % 3)];
    const [whole, parted] = await Promise.all(
      [1, 4].map((accumulate) =>
        engine.train(model(), { ...options, optimizer: optim.sgd({ lr: 0.1 }), accumulate }),
      ),
    );
    expect(await parted.stepOn(xs, ys, 10)).toBeCloseTo(await whole.stepOn(xs, ys, 10), 6);
    const [a, b] = [await whole.gradients(), await parted.gradients()];
    for (const name in a) expectClose([...b[name]], [...a[name]]);
    await expect(parted.stepOn(xs.subarray(6), ys, 10)).rejects.toMatchObject({ code: 'shape_mismatch' });
  });

  it('a sum of losses stays a sum', async () => {
    const loss = (x: Tensor, t: Tensor) => ops.sum(ops.mul(ops.sub(x, t), ops.sub(x, t)));
    const start = (accumulate?: { batches: number; reduction: 'sum' }) =>
      engine.train(nn.linear(2, 1), {
        loss,
        optimizer: optim.sgd({ lr: 0.01 }),
        input: [2],
        seed: 1,
        accumulate,
      });
    const [whole, parted] = [await start(), await start({ batches: 3, reduction: 'sum' })];
    const [xs, ys] = [samples(7, 1, 2), samples(7, 2, 1)];
    expect(await parted.stepOn(xs, ys, 7)).toBeCloseTo(await whole.stepOn(xs, ys, 7), 4);
    expectClose(await weights(parted), await weights(whole), 1e-5);
  });

  it('clips what was added up, not each part', async () => {
    // Gradients [2, 0] and [0, 2], added, with limit 1: 0.7071067 each; clipped one by one they would be 0.4472136 and 0.8944272.
    const w = nn.parameter([2, 1], nn.init.values(new Float32Array(2)), 'w');
    const training = await engine.train((x) => ops.matmul(x, w), {
      ...{ loss: (y: Tensor) => ops.sum(y), optimizer: optim.sgd({ lr: 1 }), input: [2], clipNorm: 1 },
      accumulate: { batches: 2, reduction: 'sum' },
    });
    await training.stepOn(Float32Array.of(2, 0, 0, 2), Float32Array.of(0, 0), 2);
    const [a, b] = await training.read('w');
    expect(a).toBeCloseTo(-Math.SQRT1_2, 6);
    expect(b).toBeCloseTo(-Math.SQRT1_2, 6);
  });

  it('each part has random numbers of its own', async () => {
    const seen: number[][] = [];
    const start = async (accumulate: number) => {
      const training = await engine.train(
        nn.sequential(nn.linear(4, 400), nn.dropout(0.5), nn.linear(400, 1)),
        {
          ...{ loss: nn.mse, optimizer: optim.sgd({ lr: 0 }), input: [4], seed: 2, accumulate },
        },
      );
      await training.stepOn(new Float32Array(8).fill(1), Float32Array.of(0, 0), 2);
      seen.push([...(await training.gradient('2.weight'))]);
      training.dispose();
    };
    await start(2);
    const [gradient] = seen;
    // With one mask for both parts a half of the gradients would be exactly zero; with two a quarter is.
    const zeros = gradient.filter((x) => x === 0).length;
    expect(zeros).toBeGreaterThan(50);
    expect(zeros).toBeLessThan(150);
  });

  it('checkpoints go on to the same bits', async () => {
    const start = () => engine.train(model(), { ...options, optimizer: adam(), accumulate: 4 });
    const [through, first, second] = [await start(), await start(), await start()];
    const [xs, ys] = [samples(9, 1, FEATURES), Int32Array.from({ length: 9 }, (_, i) => i % 3)];
    for (let i = 0; i < 4; i++) await through.stepOn(xs, ys, 9);
    for (let i = 0; i < 2; i++) await first.stepOn(xs, ys, 9);
    await second.restore(await first.checkpoint());
    for (let i = 0; i < 2; i++) await second.stepOn(xs, ys, 9);
    expect(await weights(second)).toEqual(await weights(through));
  });

  it('what is not finite in one part is found, and the training stands before the step', async () => {
    const training = await engine.train(model(), { ...options, optimizer: adam(), accumulate: 3 });
    const [xs, ys] = [samples(9, 1, FEATURES), new Int32Array(9)];
    await training.stepOn(xs, ys, 9);
    const before = await weights(training);
    const broken = xs.slice();
    broken[4 * FEATURES] = Number.NaN;
    await expect(training.stepOn(broken, ys, 9)).rejects.toMatchObject({
      ...{ code: 'not_finite', step: 2, quantity: 'input' },
      message: expect.stringContaining('sample 4 of the batch'),
    });
    expect(training.step).toBe(1);
    expect(await weights(training)).toEqual(before);
    // The sums of the step that was given up are not in the next.
    const other = await engine.train(model(), { ...options, optimizer: adam(), accumulate: 3 });
    for (const t of [training, other]) await t.stepOn(xs, ys, 9);
    await other.stepOn(xs, ys, 9);
    expect(await weights(training)).toEqual(await weights(other));
  });

  it('evaluates beside the parts, and counts the cost of all of them', async () => {
    const [whole, parted] = await Promise.all(
      [undefined, 3].map((accumulate) =>
        engine.train(model(), { ...options, optimizer: optim.sgd({ lr: 0.1, momentum: 0.9 }), accumulate }),
      ),
    );
    for (let i = 0; i < 3; i++) {
      const [a, b] = [await whole.evaluate(set), await parted.evaluate(set)];
      expect(b.loss).toBeCloseTo(a.loss, 5);
      for (const t of [whole, parted]) await t.stepOn(samples(9, i, FEATURES), new Int32Array(9), 9);
    }
    const [a, b] = [whole.cost(), parted.cost()];
    expect(b.steps).toBe(3);
    expect(b.sections.forward.flops).toBe(a.sections.forward.flops);
    expect(b.sections.update.flops).toBeGreaterThan(a.sections.update.flops);
  });

  it('what overflows in one part is named', async () => {
    const linear = nn.linear(FEATURES, 3);
    const training = await engine.train((x) => linear.forward(ops.mul(x, x)), {
      ...{ ...options, optimizer: adam(), accumulate: 3 },
    });
    const xs = samples(9, 1, FEATURES);
    xs[50] = 1e20;
    await expect(training.stepOn(xs, new Int32Array(9), 9)).rejects.toMatchObject({
      ...{ code: 'not_finite', step: 1, quantity: 'output' },
      message: expect.stringContaining('the output of mul is Infinity'),
    });
  });

  it('faults in the middle of a step leave no trace', async () => {
    const run = async (plan: FaultPlan) => {
      const provider = faultyProvider(plan, 'wasm', () =>
        createWasmBackend({ threads: 1, build: 'simd128', tiles: 'usual' }),
      );
      const engine = new Engine(await provider.create(), { provider, providers: [provider], findings: [] });
      const training = await engine.train(model(), {
        ...{ ...options, optimizer: adam(), accumulate: 3, recovery: { everySteps: 2 } },
      });
      const losses = await fitted(training, 9, 2);
      const state = { losses, weights: await weights(training), recoveries: training.recoveries.length };
      engine.dispose();
      return state;
    };
    const undisturbed = new FaultPlan();
    const want = await run(undisturbed);
    const random = new Random(5);
    const struck: string[] = [];
    for (let round = 0; round < 40; round++) {
      const fault: Fault = { code: 'device_lost', after: random.uniform(), late: random.int(2) === 0 };
      const plan = new FaultPlan(new Map([[random.int(undisturbed.operations), fault]]));
      const got = await run(plan);
      expect({ ...got, recoveries: 0 }).toEqual(want);
      struck.push(...plan.struck);
    }
    expect(struck.filter((what) => what === 'mid-step').length).toBeGreaterThan(3);
  });
});

const [webgpu] = backends.filter(({ name }) => name === 'webgpu');
describe.skipIf(webgpu?.absent ?? true)('on WebGPU', () => {
  it('parts of a batch make the step of the whole batch', async () => {
    const backend = await webgpu.create();
    const how = { ...options, clipNorm: 0.05, clipValue: 0.02, average: { decay: 0.5 } };
    const groups = [{ match: /bias$/, weightDecay: 0, lr: 0.1 }];
    const start = (on: Backend, accumulate?: number) =>
      new Training(on, model(), { ...how, optimizer: optim.lamb({ lr: 0.05, groups }), accumulate });
    const [whole, parted] = [start(reference()), start(backend, 4)];
    expectClose(await fitted(parted), await fitted(whole), 1e-5);
    expectClose(await weights(parted), await weights(whole), 1e-4);
    const means = [whole, parted].map(
      async (t) => (await t.freeze({ average: true })).stateDict()['0.weight'].data,
    );
    expectClose([...(await means[1])], [...(await means[0])], 1e-4);
    backend.dispose();
  });
});
