import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  BiphaseError,
  createEngine,
  data,
  NotFiniteError,
  nn,
  ops,
  optim,
  type Training,
} from '../../src/node.ts';

const engine = await createEngine({ backend: 'wasm', threads: 1 });

/** 40 samples of 4 values about 1; targets of 2. */
const input = Float32Array.from({ length: 160 }, (_, i) => Math.sin(i) + 1);
const target = Float32Array.from({ length: 80 }, (_, i) => Math.cos(i));
const set = (changes: { at?: number; value?: number } = {}) => {
  const values = input.slice();
  if (changes.at !== undefined) values[changes.at] = changes.value!;
  return data.fromArrays({ input: values, inputShape: [4], target, targetShape: [2] });
};
const model = () => nn.sequential(nn.linear(4, 8), nn.relu(), nn.linear(8, 2));
/** A rate that is right until step `from`, and far too large from there on. */
const diverging = (from: number, lr = 1e30) => optim.sgd({ lr: (step) => (step < from ? 1e-2 : lr) });

async function errorOf(run: () => Promise<unknown>): Promise<NotFiniteError> {
  try {
    await run();
  } catch (error) {
    expect(error).toBeInstanceOf(NotFiniteError);
    expect(error).toBeInstanceOf(BiphaseError);
    return error as NotFiniteError;
  }
  throw new Error('it did not stop');
}

async function all(training: Training, options: object = {}, from = set()): Promise<number[]> {
  const losses: number[] = [];
  for await (const { loss } of training.fit(from, { batchSize: 4, shuffle: false, epochs: 3, ...options }))
    losses.push(loss);
  return losses;
}

const weights = async (training: Training) =>
  Object.values((await training.freeze()).stateDict()).flatMap(({ data }) => [...data]);

/** Its gradients are large enough that one update with the largest rate is infinite. */
const steep = nn.mseLoss({ reduction: 'sum' });

/** The weights after some steps at the right rate. */
async function after(steps: number, loss = nn.mse): Promise<number[]> {
  const training = await engine.train(model(), { loss, optimizer: optim.sgd({ lr: 1e-2 }) });
  for await (const { done } of training.fit(set(), { batchSize: 4, shuffle: false, epochs: 3 }))
    if (done === steps) break;
  return weights(training);
}

describe('a training that is no longer finite', () => {
  it.each([
    ['every loss is read', {}],
    ['one loss in 7 is read', { lossEvery: 7 }],
    ['only the last loss is read', { lossEvery: 1000 }],
  ])('stops before the step, whose weights are kept: %s', async (_, options) => {
    const training = await engine.train(model(), { loss: nn.mse, optimizer: diverging(5) });
    const error = await errorOf(() => all(training, options));
    // The update of step 5 was the first to be too large; what it made is finite, and no longer with step 6.
    expect(error.code).toBe('not_finite');
    expect(error.step).toBe(6);
    expect(error.epoch).toBe(1);
    expect(error.message).toMatch(
      /^step 6 \(epoch 1\) is not finite: .* at '\d.(weight|bias)' is .*after step 5, finite/,
    );
    expect(training.step).toBe(5);
    expect((await weights(training)).every(Number.isFinite)).toBe(true);
  });

  it('says that an update made the weights infinite, though every loss was finite', async () => {
    const training = await engine.train(model(), { loss: steep, optimizer: diverging(30, 3e38) });
    // The last step of the fit: no loss comes after it.
    const error = await errorOf(() => all(training));
    expect(error).toMatchObject({ step: 30, epoch: 3, quantity: 'weight' });
    expect(error.parameter).toMatch(/weight|bias/);
    expect(error.message).toContain(`a weight of '${error.parameter}' is`);
    expect(await weights(training)).toEqual(await after(29, steep));
  });

  it('goes on from there with a smaller rate', async () => {
    let lr = 1e30;
    const training = await engine.train(model(), {
      loss: nn.mse,
      optimizer: optim.sgd({ lr: (s) => (s === 3 ? lr : 1e-2) }),
    });
    await errorOf(() => all(training, { lossEvery: 5 }));
    // Step 3 is finite still, step 4 is not: begin anew from before both.
    expect(training.step).toBe(3);
    lr = 1e-2;
    const again = await engine.train(model(), { loss: nn.mse, optimizer: optim.sgd({ lr }) });
    expect(await all(again)).toHaveLength(30);
  });

  it('names the layer whose output went first', async () => {
    const layers = {
      first: nn.parameter([4, 3], nn.init.constant(1e-9)),
      second: nn.parameter([3, 2], nn.init.constant(2)),
    };
    const training = await engine.train(
      nn.module(layers, (x, { first, second }) =>
        ops.matmul(ops.relu(ops.mul(ops.matmul(x, first), 1e9)), second),
      ),
      { loss: nn.mse, optimizer: optim.sgd({ lr: 0 }) },
    );
    const huge = data.fromArrays({
      ...{
        input: new Float32Array(16).fill(6e37),
        inputShape: [4],
        target: new Float32Array(8),
        targetShape: [2],
      },
    });
    const error = await errorOf(() => all(training, {}, huge));
    expect(error).toMatchObject({ step: 1, quantity: 'output', parameter: 'second' });
    expect(training.step).toBe(0);
  });

  it('says that it is the input, and of which sample', async () => {
    const training = await engine.train(model(), { loss: nn.mse, optimizer: optim.adamw() });
    const error = await errorOf(() =>
      all(training, { shuffle: true, seed: 3 }, set({ at: 4 * 17 + 2, value: Number.NaN })),
    );
    expect(error).toMatchObject({ quantity: 'input', parameter: undefined, value: Number.NaN, epoch: 1 });
    expect(error.message).toContain('the input is NaN in sample 17 of the data set, at position 2');
    expect((await weights(training)).every(Number.isFinite)).toBe(true);
  });

  it("looks at the optimizer's moments too", async () => {
    const square = nn.module({ w: nn.parameter([4, 2], nn.init.constant(1)) }, (x, { w }) =>
      ops.matmul(x, w),
    );
    const training = await engine.train(square, {
      loss: nn.mseLoss({ reduction: 'sum' }),
      optimizer: optim.adam(),
    });
    const large = data.fromArrays({
      ...{ input: new Float32Array(16).fill(1e10), inputShape: [4] },
      ...{ target: new Float32Array(8), targetShape: [2] },
    });
    const error = await errorOf(() => all(training, { epochs: 1 }, large));
    expect(error).toMatchObject({ step: 1, quantity: 'moment', parameter: 'w', value: Infinity });
  });

  it('can be told to go on', async () => {
    const recovery = { everySteps: 1 };
    const training = await engine.train(model(), { loss: nn.mse, optimizer: diverging(5), recovery });
    const losses = await all(training, { terminateOnNaN: false });
    expect(losses).toHaveLength(30);
    expect(losses.at(-1)).toBeNaN();
    // Weights that were not finite before are no step's fault.
    const error = await errorOf(() => all(training));
    expect(error.message).toMatch(/before this step already/);
    const off = await engine.train(model(), { loss: nn.mse, optimizer: diverging(5), terminateOnNaN: false });
    expect(await all(off)).toHaveLength(30);
  });

  it('works without recovery, step by step, and over changes of the batch size', async () => {
    const options = { loss: nn.mse, optimizer: diverging(4), recovery: false as const, input: [4] };
    const training = await engine.train(model(), options);
    const step = (size: number) => training.stepOn(input.slice(0, 4 * size), target.slice(0, 2 * size), size);
    for (const size of [4, 8, 4, 2]) expect(await step(size)).toBeLessThan(100);
    const error = await errorOf(() => step(4));
    expect(error).toMatchObject({ step: 5, epoch: undefined });
    expect(training.step).toBe(4);
    expect((await weights(training)).every(Number.isFinite)).toBe(true);
  });

  it('never writes what is not finite to a checkpoint', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'biphase-')), 'run.checkpoint');
    const training = await engine.train(model(), { loss: nn.mse, optimizer: diverging(7) });
    const checkpoint = { path, everySteps: 3 };
    const error = await errorOf(() => all(training, { checkpoint, lossEvery: 1000 }));
    expect(error.step).toBe(8);
    expect(readFileSync(path).length).toBeGreaterThan(0);
    const fresh = await engine.train(model(), { loss: nn.mse, optimizer: optim.sgd(), input: [4] });
    await fresh.load(path);
    expect(fresh.step).toBe(6);
    expect(await weights(fresh)).toEqual(await after(6));
    // What the training holds is finite, so it can be kept too.
    await training.save(path);
    await fresh.load(path);
    expect(fresh.step).toBe(7);
  });

  it('finds it when a loop was left and the weights are asked for', async () => {
    const training = await engine.train(model(), { loss: steep, optimizer: diverging(2, 3e38) });
    for await (const { done } of training.fit(set(), { batchSize: 4 })) if (done === 2) break;
    expect((await errorOf(() => training.freeze())).step).toBe(2);
    expect((await weights(training)).every(Number.isFinite)).toBe(true);
    expect(training.step).toBe(1);
  });
});
