import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine, data, type Engine, exportWasm, inspect, nn, ops, optim } from '../../src/index.ts';
import { dataSet, inputs, loadMnist, MNIST_TRANSFORM } from '../../tools/digits/mnist.ts';
import { randomSamples, runFrozen, untrained } from '../support/frozen.ts';
import { missing } from '../support/parts.ts';

const noRelaxed = await missing('relaxed');
let wasm: Engine;
let reference: Engine;
beforeAll(async () => {
  wasm = await createEngine({ backend: 'wasm', threads: 2, build: 'simd128' });
  reference = await createEngine({ backend: 'reference' });
});
afterAll(() => {
  wasm.dispose();
  reference.dispose();
});

const block = (channels: number) =>
  nn.module(
    {
      first: nn.conv2d(channels, channels, 3, { padding: 1 }),
      second: nn.conv2d(channels, channels, 3, { padding: 1 }),
    },
    (x, { first, second }) => ops.relu(ops.add(second.forward(ops.relu(first.forward(x))), x)),
  );
const depthwise = (channels: number, stride = 1) =>
  nn.conv2d(channels, channels, 3, { padding: 1, stride, groups: channels });

/** Networks as people build them, and what of them is not in integers: the input's order of axes. */
const networks: Record<string, { model: nn.Module; input: readonly number[]; f32: readonly string[] }> = {
  convolutions: {
    model: nn.sequential(
      ...[nn.conv2d(1, 6, 5), nn.relu(), nn.maxPool2d(2)],
      ...[nn.conv2d(6, 10, 3, { padding: 1 }), nn.tanh(), nn.maxPool2d(2)],
      ...[nn.flatten(), nn.linear(90, 7)],
    ),
    input: [1, 16, 16],
    f32: ['reshape', 'reshape'],
  },
  'residual blocks': {
    model: nn.sequential(
      ...[nn.conv2d(3, 8, 3, { padding: 1, stride: 2 }), nn.relu(), block(8)],
      ...[nn.conv2d(8, 18, 1, { stride: 2 }), nn.relu(), block(18)],
      ...[nn.adaptiveAvgPool2d(1), nn.flatten(), nn.linear(18, 5)],
    ),
    input: [3, 15, 13],
    f32: ['reshape', 'transpose'],
  },
  'depthwise blocks': {
    model: nn.sequential(
      ...[nn.conv2d(3, 24, 3, { padding: 1, stride: 2 }), nn.hardswish()],
      ...[depthwise(24), nn.relu6(), nn.conv2d(24, 20, 1)],
      ...[
        depthwise(20, 2),
        nn.relu6(),
        nn.conv2d(20, 33, 1),
        nn.avgPool2d(2),
        nn.flatten(),
        nn.linear(132, 4),
      ],
    ),
    input: [3, 16, 16],
    f32: ['reshape', 'transpose'],
  },
  'joined, and without a batch of channels first': {
    model: nn.module(
      {
        left: nn.conv2d(2, 5, 3, { padding: 'same', layout: 'NHWC' }),
        right: nn.conv2d(2, 6, 1, { layout: 'NHWC' }),
        last: nn.conv2d(11, 3, 3, { dilation: 2, layout: 'NHWC' }),
      },
      (x, { left, right, last }) => {
        const joined = ops.concat([ops.relu(left.forward(x)), ops.sigmoid(right.forward(x))], 3);
        return ops.mean(
          ops.sub(last.forward(joined), ops.slice(joined, [0, 2, 2, 0], [joined.shape[0], 7, 6, 3])),
          { axes: [1, 2] },
        );
      },
    ),
    input: [9, 8, 2],
    f32: ['reshape'],
  },
  'in one dimension': {
    model: nn.sequential(
      ...[nn.conv1d(2, 9, 5, { padding: 2, groups: 1 }), nn.relu(), nn.maxPool1d(3)],
      ...[nn.conv1d(9, 6, 3, { groups: 3 }), nn.relu(), nn.flatten(), nn.linear(24, 3)],
    ),
    input: [2, 20],
    f32: ['reshape', 'transpose'],
  },
};

describe.each(Object.entries(networks))('%s', (_, { model, input, f32 }) => {
  const samples = randomSamples(input.reduce((a, b) => a * b, 1) * 11, 5);

  it('is integers throughout, the same on every backend and in a file, and close to what it was', async () => {
    const frozen = untrained(model, input);
    const int8 = await wasm.quantize(frozen, { calibration: samples });
    const rest = int8.report.filter(({ runs }) => runs === 'f32').map(({ op }) => op);
    expect(rest.filter((op) => !f32.includes(op))).toEqual([]);
    const want = await (await reference.infer(int8, { batchSize: 4 })).quantized(samples);
    expect(new Set(want).size).toBeGreaterThan(10);
    for (const batchSize of [1, 3, 11])
      expect(await (await wasm.infer(int8, { batchSize })).quantized(samples)).toEqual(want);
    for (const relaxed of noRelaxed ? [false] : [false, true]) {
      const file = await exportWasm(int8, { maxBatch: 4, relaxed });
      expect(inspect(file)).toMatchObject({ kernels: 'int8' });
      for (const batch of [1, 4]) expect(await runFrozen(file, samples, batch)).toEqual(want);
    }
    const [real, bytes] = [
      await (await wasm.infer(frozen))(samples),
      await (await wasm.infer(int8))(samples),
    ];
    const most = Math.max(...real.map(Math.abs));
    const error = real.reduce((sum, x, i) => sum + Math.abs(x - bytes[i]), 0) / real.length;
    expect(error).toBeLessThan(0.03 * most);
  });
});

describe('digits', () => {
  const digits = loadMnist();
  const images = inputs(dataSet(digits.test)).subarray(0, 2000 * 784);
  const labels = digits.test.labels.subarray(0, 2000);

  it('are told apart as well in integers, batch norm in the convolutions, and from bytes', async () => {
    const normalized = (channels: number, filters: number) => [
      ...[nn.conv2d(channels, filters, 3, { padding: 1, bias: false }), nn.batchNorm2d(filters)],
      ...[nn.relu(), nn.maxPool2d(2)],
    ];
    const layers = [...normalized(1, 8), ...normalized(8, 16), nn.flatten(), nn.linear(784, 10)];
    const model = nn.module({ net: nn.sequential(...layers) }, (x, { net }) =>
      net.forward(ops.reshape(x, [x.shape[0], 1, 28, 28])),
    );
    const training = await wasm.train(model, {
      loss: nn.crossEntropy,
      optimizer: optim.adam({ lr: 3e-3 }),
      seed: 1,
    });
    const first = data.pick(
      dataSet(digits.train),
      Array.from({ length: 6400 }, (_, i) => i),
    );
    for await (const _ of training.fit(first, { batchSize: 64, epochs: 1 }));
    const frozen = await training.freeze();
    const int8 = await wasm.quantize(frozen, {
      calibration: inputs(dataSet(digits.train)).subarray(0, 300 * 784),
    });
    expect(int8.report.filter(({ runs }) => runs === 'f32').map(({ op }) => op)).toEqual([
      'reshape',
      'reshape',
    ]);
    const accuracy = (logits: ArrayLike<number>) => {
      const right = labels.filter((label, i) => {
        const row = Array.from({ length: 10 }, (_, c) => logits[i * 10 + c]);
        return row.indexOf(Math.max(...row)) === label;
      });
      return right.length / labels.length;
    };
    const f32 = accuracy(await (await wasm.infer(frozen, { batchSize: 50 }))(images));
    const quantized = await (await wasm.infer(int8, { batchSize: 50 })).quantized(images);
    expect(f32).toBeGreaterThan(0.9);
    expect(accuracy(quantized)).toBeGreaterThan(f32 - 0.005);
    const file = await exportWasm(int8, { maxBatch: 50, byteInput: MNIST_TRANSFORM });
    expect(await runFrozen(file, digits.test.images.subarray(0, 2000 * 784), 50)).toEqual(quantized);
  });
});
