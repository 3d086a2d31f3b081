import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BiphaseError, createEngine, data, type Engine, nn, optim } from '../../src/node.ts';
import type { TrainingOptions } from '../../src/public.ts';

let engine: Engine;
let path: string;

const values = Float32Array.from({ length: 36 }, (_, i) => Math.sin(i));
const target = Int32Array.from({ length: 12 }, (_, i) => i % 3);
const set = (change: object = {}) => data.fromArrays({ input: values, inputShape: [3], target, ...change });
const mlp = (activation: nn.Module = nn.relu(), more: nn.Module[] = []) =>
  nn.sequential(nn.linear(3, 5), activation, nn.linear(5, 3), ...more);
const base = (): TrainingOptions => ({ loss: nn.crossEntropy, optimizer: optim.adamw(), seed: 1 });

/** Goes on from the checkpoint; the steps that were made. */
async function resume(changes: {
  model?: nn.Module;
  options?: Partial<TrainingOptions>;
  fit?: object;
  set?: data.DataSet;
}): Promise<number> {
  const training = await engine.train(changes.model ?? mlp(), { ...base(), ...changes.options });
  const copy = `${path}.copy`;
  copyFileSync(path, copy);
  const checkpoint = { path: copy, everySteps: 100, resume: true };
  const fit = training.fit(changes.set ?? set(), { batchSize: 4, epochs: 2, checkpoint, ...changes.fit });
  let made = 0;
  for await (const _ of fit) {
    made++;
    break;
  }
  training.dispose();
  return made;
}

async function refusal(changes: Parameters<typeof resume>[0]): Promise<BiphaseError> {
  const error = await resume(changes).then(
    () => undefined,
    (e: BiphaseError) => e,
  );
  return error ?? Promise.reject(new Error('it went on'));
}

beforeAll(async () => {
  engine = await createEngine({ backend: 'wasm', threads: 1 });
  path = join(mkdtempSync(join(tmpdir(), 'biphase-')), 'run.checkpoint');
  const training = await engine.train(mlp(), base());
  const fit = training.fit(set(), { batchSize: 4, epochs: 2, checkpoint: { path, everySteps: 2 } });
  for await (const { done } of fit) if (done === 2) break;
  training.dispose();
});
afterAll(() => engine.dispose());

describe('a checkpoint', () => {
  it.each([
    [
      'another activation',
      { model: mlp(nn.tanh()) },
      /operation \d of the model was relu .*, and is tanh now/,
    ],
    [
      'another slope',
      { model: mlp(nn.leakyRelu(0.2)) },
      /was relu when .* is leaky_relu \{"slope":0.2\} now/,
    ],
    [
      'dropout',
      { model: mlp(nn.relu(), [nn.dropout(0.1)]) },
      /operation \d of the model was none when .* is dropout/,
    ],
    [
      'another loss',
      { options: { loss: nn.crossEntropyLoss({ labelSmoothing: 0.1 }) } },
      /the loss was .*:0\}.* is .*:0.1\}/,
    ],
    [
      'a loss summed up',
      { options: { loss: nn.crossEntropyLoss({ reduction: 'sum' }) } },
      /the loss was .*mean.* is .*sum/,
    ],
    [
      'another optimizer',
      { options: { optimizer: optim.adam() } },
      /the optimizer was .*adamw.*, and is .*adam/,
    ],
    [
      'another decay',
      { options: { optimizer: optim.adamw({ weightDecay: 0.5 }) } },
      /the optimizer was .*0.01.*0.5/,
    ],
    ['another seed', { options: { seed: 2 } }, /the training's seed was 1 .*, and is 2 now/],
    ['another order', { fit: { seed: 5 } }, /the fit's seed was 0 .*, and is 5 now/],
    ['no shuffling', { fit: { shuffle: false } }, /the fit's shuffle was true .*, and is false now/],
    ['another batch', { fit: { batchSize: 3 } }, /the fit's batchSize was 4 .*, and is 3 now/],
    ['fewer samples', { set: data.take(set(), 8) }, /the fit's samples was 12 .*, and is 8 now/],
    [
      'another scale',
      { set: set({ transform: { scale: 2, shift: 0 } }) },
      /the data's inputs are not what they were: those of sample 0 began with 0, 0.8415, 0.9093 .* begin with 0, 1.683, 1.819 now/,
    ],
    [
      'other labels',
      { set: set({ target: target.map((t) => (t + 1) % 3) }) },
      /the data's targets .* with 0 when .* with 1 now/,
    ],
    [
      'another file whose first sample is the same',
      { set: set({ input: values.map((x, i) => (i < 3 ? x : -x)) }) },
      /the data's inputs are not what they were/,
    ],
  ])('is refused with %s, and says both', async (_, changes, message) => {
    expect(await refusal(changes)).toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ['more epochs', { fit: { epochs: 5 } }],
    ['another rate', { options: { optimizer: optim.adamw({ lr: 1e-4 }) } }],
    ['clipped gradients', { options: { clipNorm: 1 } }],
    ['another way to read losses', { fit: { lossEvery: 2 } }],
    ['no recovery', { options: { recovery: false as const } }],
    ['the same in other words', { set: data.subset(set(), 0, 12) }],
  ])('is taken with %s', async (_, changes) => {
    expect(await resume(changes)).toBe(1);
  });

  it('a data set that gives other samples each time is not held to them', async () => {
    let calls = 0;
    const random = set();
    const gather: data.DataSet['gather'] = (indices, input, into) => {
      random.gather(indices, input, into);
      input[0] += ++calls;
    };
    expect(await resume({ set: { ...random, gather } })).toBe(1);
  });

  it('load() refuses another model of the same shapes too', async () => {
    const training = await engine.train(mlp(nn.sigmoid()), { ...base(), input: [3] });
    await expect(training.load(path)).rejects.toThrow(
      /was relu when the checkpoint was made, and is sigmoid now/,
    );
    expect(training.step).toBe(0);
  });
});
