import { afterAll, describe, expect, it } from 'vitest';
import { createEngine, data, nn, ops, optim } from '../../src/index.ts';
import { measurements, trainRegression } from '../support/named-models.ts';

const engine = await createEngine({ backend: 'wasm', threads: 1, build: 'simd128', tiles: 'usual' });
afterAll(() => engine.dispose());

const COUNT = 11;
const input = Float32Array.from({ length: COUNT * 2 }, (_, i) => Math.sin(i * i));
const target = Int32Array.from({ length: COUNT }, (_, i) => (i * 5) % 3);
const weight = Float32Array.from({ length: COUNT }, (_, i) => (i % 4) / 2);
const set = data.fromArrays({ input, inputShape: [2], target });
const weighted = data.fromArrays({
  inputs: { input: { values: input, shape: [2] } },
  targets: { target, weight },
});

/** A loss on all samples at any batch size; the first is the whole set as one batch, as PyTorch has it. */
async function losses(loss: nn.Loss<never, never>, from: data.AnyDataSet): Promise<number[]> {
  const training = await engine.train(nn.linear(2, 3), {
    ...{
      loss: loss as never,
      optimizer: optim.sgd({ lr: 0 }),
      seed: 3,
      ...('targets' in from && { targets: from.targets }),
    },
  });
  const got: number[] = [];
  for (const batchSize of [COUNT, 4, 5, 1]) got.push((await training.evaluate(from, { batchSize })).loss);
  const [first] = await training.fit(from, { batchSize: COUNT, shuffle: false }).finish();
  training.dispose();
  return [first.loss!, ...got];
}

describe('evaluate() gives the loss that all samples have as one batch, whatever its batches', () => {
  const { crossEntropyLoss } = nn;
  const both: nn.Loss = Object.assign(
    (output: Parameters<nn.Loss>[0], given: Parameters<nn.Loss>[1]) =>
      ops.add(
        ops.scale(crossEntropyLoss({ weight: [1, 5, 0.5] })(output, given), 0.5),
        ops.sub(ops.mean(ops.square(output)), ops.scale(ops.sum(ops.square(output)), 0.01)),
      ),
    { target: nn.crossEntropy.target },
  );
  it.each<[string, nn.Loss, data.AnyDataSet]>([
    ['a mean', nn.crossEntropy, set],
    ['weights of classes', crossEntropyLoss({ weight: [1, 5, 0.5] }), set],
    ['ignored targets', crossEntropyLoss({ ignoreIndex: 1 }), set],
    ['weights of samples, some 0', nn.crossEntropy as never, weighted],
    ['both kinds of weights', crossEntropyLoss({ weight: [1, 5, 0.5], ignoreIndex: 2 }) as never, weighted],
    ['a sum', crossEntropyLoss({ reduction: 'sum' }), set],
    ['means and sums added up', both, set],
  ])('%s', async (_, loss, from) => {
    const [want, ...got] = await losses(loss as never, from);
    for (const value of got) expect(Math.abs(value - want)).toBeLessThan(2e-6 * Math.max(1, Math.abs(want)));
  });
});

it('a loss of weights that are all 0 is NaN', async () => {
  const none = data.fromArrays({
    inputs: { input: { values: input, shape: [2] } },
    targets: { target, weight: new Float32Array(COUNT) },
  });
  const training = await engine.train(nn.linear(2, 3), {
    ...{ loss: nn.crossEntropy as never, optimizer: optim.sgd(), targets: none.targets as never },
  });
  expect((await training.evaluate(none)).loss).toBeNaN();
});

/** A training keeps its weights in another order than what serves, so sums are rounded otherwise. */
function expectClose(got: ArrayLike<number>, want: ArrayLike<number>) {
  expect(got.length).toBe(want.length);
  Array.from(want, (x, i) => expect(Math.abs(got[i] - x)).toBeLessThan(1e-6 * (1 + Math.abs(x))));
}

describe('predict()', () => {
  const rows = async function* () {
    for (let i = 0; i < COUNT; i++) yield { input: input.slice(i * 2, i * 2 + 2) };
  };
  const stream = data.fromStream(rows, { input: set.input });

  it('gives all rows in order, of data sets and streams, in training and after, at any batch size', async () => {
    const training = await engine.train(nn.sequential(nn.linear(2, 8), nn.dropout(0.5), nn.linear(8, 3)), {
      ...{ loss: nn.crossEntropy, optimizer: optim.adam(), seed: 3 },
    });
    await training.fit(set, { batchSize: 4 }).finish();
    const before = await training.checkpoint();
    const infer = await engine.infer(await training.freeze(), { batchSize: 4 });
    const want = await infer(input);
    expect(want.length).toBe(COUNT * 3);
    for (const from of [set, weighted, stream]) {
      for (const batchSize of [1, 4, 64]) expectClose(await training.predict(from, { batchSize }), want);
      expect(await infer.predict(from)).toEqual(want);
    }
    expect(await training.checkpoint()).toEqual(before);
    await expect(infer.predict(set, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    await expect(training.predict(set, { batchSize: 0 })).rejects.toThrow(/batchSize/);
    const other = data.fromArrays({ input: new Float32Array(3), inputShape: [3], target: Int32Array.of(0) });
    for (const predict of [infer.predict, training.predict.bind(training)])
      await expect(predict(other)).rejects.toMatchObject({ code: 'shape_mismatch' });
    const nothing = data.fromStream(() => [], { input: set.input });
    for (const predict of [infer.predict, training.predict.bind(training)])
      await expect(predict(nothing)).rejects.toThrow(/there are no samples/);
  });

  it('takes inputs and gives outputs by their names', async () => {
    const { inputs, set } = measurements(COUNT, 3);
    const training = await trainRegression(engine);
    await training.fit(set, { batchSize: 4 }).finish();
    const infer = await engine.infer(await training.freeze(), { batchSize: 3 });
    const want = await infer(inputs);
    expect(Object.keys(want)).toEqual(['sum', 'gap']);
    const got = await training.predict(set, { batchSize: 2 });
    expectClose(got.sum, want.sum);
    expectClose(got.gap, want.gap);
    expect(await infer.predict(set)).toEqual(want);
  });
});
