import { describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { Tracer } from '../../src/graph/trace.ts';
import { createEngine, exportWasm, ops as f, nn, optim } from '../../src/index.ts';
import { runFrozen } from '../support/frozen.ts';

const traced = (...shape: number[]) => new Tracer({ training: true }).state('x', { dtype: 'f32', shape });
const weight = (x: ReturnType<typeof traced>, ...shape: number[]) =>
  x.tracer.state('w', { dtype: 'f32', shape });
const conv2d = (image: number[], kernel: number[], options?: f.ConvOptions) => {
  const x = traced(...image);
  return f.conv2d(x, weight(x, ...kernel), undefined, options).shape;
};

describe('convolution', () => {
  it.each<[image: number[], kernel: number[], options: f.ConvOptions | undefined, result: number[]]>([
    [[2, 3, 32, 32], [16, 3, 3, 3], undefined, [2, 16, 30, 30]],
    [[2, 3, 224, 224], [64, 3, 7, 7], { stride: 2, padding: 3 }, [2, 64, 112, 112]],
    [[3, 8, 9], [4, 3, 3, 3], { padding: 'same' }, [4, 8, 9]],
    [[1, 3, 9, 8], [4, 3, 3, 3], { padding: 'same', stride: 2 }, [1, 4, 5, 4]],
    [[1, 8, 9, 4], [6, 4, 3, 3], { layout: 'NHWC', padding: [1, 0] }, [1, 8, 7, 6]],
    [[1, 4, 5, 5], [6, 4, 2, 2], { padding: [0, 0, 1, 1] }, [1, 6, 5, 5]],
    [[0, 3, 8, 8], [4, 3, 3, 3], undefined, [0, 4, 6, 6]],
  ])('of %j by %j with %j is %j', (image, kernel, options, result) => {
    expect(conv2d(image, kernel, options)).toEqual(result);
  });

  it.each<[image: number[], kernel: number[], options: f.ConvOptions | undefined, message: RegExp]>([
    [[1, 3, 4, 4], [2, 3, 5, 5], undefined, /5 x 5.*doesn't fit into an image of 4 x 4/],
    [
      [1, 3, 8, 8],
      [2, 4, 3, 3],
      undefined,
      /the image has 3 channels, the weight is for 4 in each of 1 group/,
    ],
    [[1, 4, 8, 8], [3, 2, 3, 3], { groups: 2 }, /3 filters can't be divided into 2 groups/],
    [[1, 3, 8, 8], [2, 3, 3], undefined, /the weight has shape \[2, 3, 3\], expected \[filters, channels/],
    [[8, 8], [2, 1, 3, 3], undefined, /got \[8, 8\], expected \[batch, channels, height, width\]/],
    [[1, 3, 8, 8], [2, 3, 3, 3], { padding: -1 }, /padding is -1, expected/],
    [[1, 3, 8, 8], [2, 3, 3, 3], { stride: 0 }, /stride is 0, expected/],
    [[1, 3, 8, 8], [2, 3, 3, 3], { padding: 'full' as never }, /padding is 'full', expected/],
  ])('of %j by %j with %j is refused', (image, kernel, options, message) => {
    expect(() => conv2d(image, kernel, options)).toThrow(message);
  });

  it('refuses channels that groups do not divide, and an output padding that no stride leaves room for', () => {
    expect(() => nn.conv2d(6, 8, 3, { groups: 4 })).toThrow(
      /inChannels is 6, expected a multiple of the 4 groups/,
    );
    const x = traced(1, 2, 5);
    const bad = () => f.convTranspose1d(x, weight(x, 2, 3, 3), undefined, { stride: 2, outputPadding: 2 });
    expect(bad).toThrow(/outputPadding is 2, expected less than the stride 2/);
  });

  it('has layers with the names and shapes of PyTorch, that a spec brings back', () => {
    const layers = nn.sequential(
      nn.conv2d(4, 6, [3, 2], { groups: 2, padding: 'same' }),
      nn.convTranspose2d(6, 4, 2, { stride: 2, bias: false }),
      nn.flatten(),
    );
    const shapes = (m: nn.Module) =>
      [...nn.namedParameters(m)].map(([p, name]) => `${name} ${p.shape.join('x')}`);
    expect(shapes(layers)).toEqual(['0.weight 6x2x3x2', '0.bias 6', '1.weight 6x4x2x2']);
    expect(shapes(nn.fromSpec(nn.specOf(layers)!))).toEqual(shapes(layers));
  });
});

/** 8 x 8 images of a bright square in one of four corners. */
function corners(count: number) {
  const random = new Random(3);
  const x = Float32Array.from({ length: count * 64 }, () => 0.3 * random.uniform());
  const t = Int32Array.from({ length: count }, (_, i) => i % 4);
  for (let i = 0; i < count; i++)
    for (let r = 0; r < 2; r++)
      for (let c = 0; c < 2; c++)
        x[i * 64 + ((t[i] >> 1) * 5 + r + random.int(2)) * 8 + (t[i] & 1) * 5 + c + random.int(2)] += 1;
  return { x, t };
}

it('a small network of convolutions learns, is quantized, and runs as a file', async () => {
  const engine = await createEngine({ backend: 'wasm', threads: 1 });
  const model = nn.sequential(
    nn.conv2d(1, 8, 3, { padding: 1 }),
    nn.relu(),
    nn.maxPool2d(2),
    nn.conv2d(8, 8, 3, { groups: 8, padding: 1 }),
    nn.relu(),
    nn.flatten(),
    nn.linear(128, 4),
  );
  const { x, t } = corners(256);
  const training = await engine.train(model, {
    ...{ loss: nn.crossEntropy, optimizer: optim.adam({ lr: 0.01 }), input: [1, 8, 8], seed: 1 },
  });
  let loss = 0;
  for (let step = 0; step < 40; step++) loss = await training.stepOn(x, t, 256);
  expect(loss).toBeLessThan(0.1);
  const frozen = await training.freeze();
  const answers = await (await engine.infer(frozen))(x);
  const classes = (y: Float32Array) =>
    Int32Array.from({ length: 256 }, (_, i) => {
      const row = y.subarray(i * 4, i * 4 + 4);
      return row.indexOf(Math.max(...row));
    });
  const right = (y: Float32Array) => classes(y).filter((c, i) => c === t[i]).length;
  expect(right(answers)).toBeGreaterThan(250);
  const int8 = await engine.quantize(frozen, { calibration: x });
  expect(right(await (await engine.infer(int8))(x))).toBeGreaterThan(245);

  const some = x.subarray(0, 5 * 64);
  const inFile = await runFrozen(await exportWasm(frozen, { f32: true, maxBatch: 4 }), some, 4);
  for (const [i, y] of inFile.entries()) expect(y).toBeCloseTo(answers[i], 3);
  engine.dispose();
});
