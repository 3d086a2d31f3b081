import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine, data, type Engine, exportWasm, nn, optim, type QuantizedModel } from '../src/index.ts';
import { dataSet, inputs, loadMnist, MNIST_TRANSFORM } from '../tools/digits/mnist.ts';
import { runFrozen } from './support/frozen.ts';

/**
 * The bits that the standard instructions give, on every machine and for any number of threads. Who changes a kernel's order
 * of additions changes the first of them, and says so; the others follow from the first and from integers alone.
 */
const WEIGHTS = '9bbcb7dd99d678b4b9c564e3f4e2f5cc13048e11039e800df16bcc6fbcfd42b0';
const INT8 = '411a476759a61e67d509c66396ae1495ade639ad14d01a64cd3f6eb2078d424b';

const sha256 = (...arrays: readonly ArrayBufferView[]) => {
  const hash = createHash('sha256');
  for (const a of arrays) hash.update(new Uint8Array(a.buffer, a.byteOffset, a.byteLength));
  return hash.digest('hex');
};

describe('the bits of a small network on digits', () => {
  const digits = loadMnist();
  const train = dataSet(digits.train);
  const images = inputs(dataSet(digits.test));
  let engine: Engine;
  let int8: QuantizedModel;
  beforeAll(async () => {
    engine = await createEngine({ backend: 'wasm', build: 'simd128', threads: 2 });
  });
  afterAll(() => engine.dispose());

  it('of its weights after 100 seeded steps are what they were', async () => {
    const model = nn.sequential(nn.linear(784, 48), nn.gelu(), nn.dropout(0.1), nn.linear(48, 10));
    const training = await engine.train(model, {
      loss: nn.crossEntropy,
      optimizer: optim.adamw(),
      seed: 3,
      clipNorm: 1,
    });
    const first = data.pick(
      train,
      Array.from({ length: 6400 }, (_, i) => i),
    );
    for await (const _ of training.fit(first, { batchSize: 64, epochs: 1 }));
    const frozen = await training.freeze();
    expect(sha256(...Object.values(frozen.stateDict()).map(({ data }) => data))).toBe(WEIGHTS);
    int8 = await engine.quantize(frozen, { calibration: images.subarray(0, 200 * 784) });
  });

  it('of its int8 answers to 10,000 images are what they were, in the engine and in a file', async () => {
    const infer = await engine.infer(int8, { batchSize: 64 });
    expect(sha256(await infer.quantized(images))).toBe(INT8);
    const file = await exportWasm(int8, { maxBatch: 64, byteInput: MNIST_TRANSFORM });
    expect(sha256(await runFrozen(file, digits.test.images, 64))).toBe(INT8);
  });
});
