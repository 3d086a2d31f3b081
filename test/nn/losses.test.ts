import { afterAll, describe, expect, it } from 'vitest';
import { type BiphaseError, createEngine, data, nn, ops, optim, type Tensor } from '../../src/index.ts';
import { lossAsIn, recipeOf } from '../../src/plans/recipe.ts';

const engine = await createEngine({ backend: 'wasm', threads: 1 });
afterAll(() => engine.dispose());

const rows = Float32Array.from({ length: 18 }, (_, i) => Math.sin(i));
const classes = Int32Array.of(0, 2, 1, 1, 0, 2);
const set = (targets: unknown): data.NamedDataSet =>
  data.fromArrays({ inputs: { input: { values: rows, shape: [3] } }, targets: targets as Int32Array });

/** The losses of two epochs of one batch each, and the weights after them. */
async function trained(loss: nn.Loss<never, never>, of: data.NamedDataSet, terminateOnNaN = true) {
  const training = await engine.train(nn.linear(3, 3), {
    ...{ loss, optimizer: optim.sgd({ lr: 0.5 }), seed: 7, inputs: of.inputs, targets: of.targets },
  } as never);
  const losses: number[] = [];
  const fit = training.fit(of as never, { batchSize: 6, epochs: 2, shuffle: false, terminateOnNaN });
  for await (const step of fit) losses.push(step.loss);
  const weights = Object.values((await training.freeze()).stateDict()).flatMap((t) => [...t.data]);
  training.dispose();
  return { losses, weights };
}

const refusal = (work: Promise<unknown>): Promise<BiphaseError> =>
  work.then(
    () => Promise.reject(new Error('it went on')),
    (e) => e,
  );

describe('losses', () => {
  it.each([
    [nn.crossEntropy, ['cross_entropy {"labelSmoothing":0}', 'mean {"axes":[0],"keepDims":false}']],
    [
      nn.crossEntropyLoss({ labelSmoothing: 0.1, reduction: 'sum' }),
      ['cross_entropy {"labelSmoothing":0.1}', 'sum {"axes":[0],"keepDims":false}'],
    ],
    [nn.mse, ['mse', 'mean {"axes":[0,1],"keepDims":false}']],
    [nn.bceWithLogits, ['bce_with_logits', 'mean {"axes":[0,1],"keepDims":false}']],
    [nn.huber, ['huber {"delta":1}', 'mean {"axes":[0,1],"keepDims":false}']],
  ])('are in recipes as they were in older checkpoints: %#', (loss, lines) => {
    const inputs = { input: { dtype: 'f32', shape: [3] } } as const;
    expect(recipeOf(nn.linear(3, 3), inputs, { loss } as never)?.loss).toEqual(lines);
  });

  it('tell long constants apart by their values, and older checkpoints, which say none of them, are taken', () => {
    const inputs = { input: { dtype: 'f32', shape: [3] } } as const;
    const model = nn.linear(3, 12);
    const of = (last: number) => {
      const weight = Array.from({ length: 12 }, (_, i) => (i === 11 ? last : 1));
      return recipeOf(model, inputs, { loss: nn.crossEntropyLoss({ weight }) } as never)!;
    };
    expect(of(1)).toEqual(of(1));
    expect(of(1).loss).not.toEqual(of(2).loss);
    expect(of(1).loss.join()).toMatch(/target_weights with a constant \[12\] of digest \d+ \d+ 48/);
    expect(lossAsIn(of(1), of(2))).toEqual(of(2).loss);
    const older = { ...of(1), loss: of(1).loss.map((line) => line.replace(/ of digest.*/, '')) };
    expect(lossAsIn(older, of(2))).toEqual(older.loss);
  });

  it('with weights of samples train as if each stood there that often', async () => {
    const twice = (x: Float32Array | Int32Array, width: number) =>
      Array.from({ length: 6 }, (_, i) => [...x.subarray(i * width, (i + 1) * width)])
        .filter((_, i) => i !== 1)
        .flatMap((row, i) => (i === 2 ? [...row, ...row] : row));
    const plain = data.fromArrays({
      ...{ input: Float32Array.from(twice(rows, 3)), inputShape: [3] },
      target: Int32Array.from(twice(classes, 1)),
    });
    const weighted = set({ target: classes, weight: Float32Array.of(1, 0, 1, 2, 1, 1) });
    const a = await trained(nn.crossEntropy as never, plain as never);
    const b = await trained(nn.crossEntropy as never, weighted);
    expect(b.losses).toHaveLength(2);
    b.losses.forEach((x, i) => void expect(x).toBeCloseTo(a.losses[i], 6));
    b.weights.forEach((x, i) => void expect(x).toBeCloseTo(a.weights[i], 6));
  });

  it('leave ignored targets out as if they were not there', async () => {
    const loss = nn.crossEntropyLoss({ ignoreIndex: -1, weight: [1, 2, 0.5] });
    const some = set(Int32Array.of(0, 2, -1, 1, -1, -1));
    const training = await trained(loss as never, some);
    const kept = [0, 1, 3].flatMap((i) => [...rows.subarray(3 * i, 3 * i + 3)]);
    const rest = data.fromArrays({
      ...{ input: Float32Array.from([...kept, ...kept]), inputShape: [3] },
      target: Int32Array.of(0, 2, 1, 0, 2, 1),
    });
    const same = await trained(nn.crossEntropyLoss({ weight: [1, 2, 0.5] }) as never, rest as never);
    training.losses.forEach((x, i) => void expect(x).toBeCloseTo(same.losses[i], 6));
    training.weights.forEach((x, i) => void expect(x).toBeCloseTo(same.weights[i], 6));
  });

  it('change nothing where every target is ignored, and say so where that stops a training', async () => {
    const loss = nn.crossEntropyLoss({ ignoreIndex: 9 }) as never;
    const none = set(Int32Array.of(9, 9, 9, 9, 9, 9));
    const { losses, weights } = await trained(loss, none, false);
    expect(losses).toEqual([Number.NaN, Number.NaN]);
    const untouched = await trained(nn.crossEntropyLoss({ ignoreIndex: 9, reduction: 'sum' }) as never, none);
    expect(untouched.losses).toEqual([0, 0]);
    expect(weights).toEqual(untouched.weights);
    expect(weights.every(Number.isFinite)).toBe(true);
    expect((await refusal(trained(loss, none))).message).toMatch(
      /the loss, since no target counts \(all are ignored, or weigh 0\), is NaN/,
    );
  });

  it.each([-1, 3, -100])('refuse %d, which is neither a class nor ignored', async (target) => {
    const loss = nn.crossEntropyLoss({ ignoreIndex: -7 }) as never;
    const error = await refusal(trained(loss, set(Int32Array.of(0, 1, -7, target, 1, 2))));
    expect(error.code).toBe('out_of_range');
    expect(error.message).toContain(
      `holds ${target} at position 3; expected whole numbers from 0 to 2, or -7 for what is left out`,
    );
  });

  it('refuse -100 too if they were not told to ignore it', async () => {
    const error = await refusal(trained(nn.crossEntropy as never, set(Int32Array.of(0, 1, -100, 1, 1, 2))));
    expect(error).toMatchObject({ code: 'out_of_range' });
    expect(error.message).toContain('holds -100 at position 2; expected whole numbers from 0 to 2 (');
  });

  it.each([
    ['a loss for each', nn.crossEntropyLoss({ reduction: 'none' }), classes, /the loss has shape \[6\]/],
    ['weights of too few classes', nn.crossEntropyLoss({ weight: [1, 2] }), classes, /got 2 weights/],
    [
      'a weight for each of something else',
      nn.mse,
      { target: { values: rows, shape: [3] }, weight: { values: rows, shape: [3] } },
      /the weights are \[6, 3\], expected one for each sample: \[6\]/,
    ],
    [
      'other names',
      nn.mse,
      { target: { values: rows, shape: [3] }, weights: Float32Array.of(1, 1, 1, 1, 1, 1) },
      /mseLoss: the targets are target, weights; expected one without a name, or \{ target, weight \}/,
    ],
    [
      'a target that is to be trained',
      (y: Tensor) => nn.bceWithLogits(ops.scale(y, 2), ops.sigmoid(y)),
      classes,
      /the target has no gradient/,
    ],
  ])('refuse %s', async (_, loss, targets, message) => {
    const error = await refusal(trained(loss as never, set(targets)));
    expect(error.code).toMatch(/shape_mismatch|invalid_argument|unsupported/);
    expect(error.message).toMatch(message);
  });
});
