/**
 * What every runtime does, with the packed library and nothing else: trains a small network, quantizes it, serves it on
 * every backend that is there, and multiplies with the bare kernels. Says what it found and what the results were.
 */
import { createEngine, data, nn, optim } from 'biphase';
import { loadKernels } from 'biphase/kernels';

const [INPUTS, HIDDEN, CLASSES, SAMPLES, BATCH, EPOCHS] = [64, 256, 8, 512, 128, 2];

/** Whole numbers by a linear congruence, so that all runtimes see the same data: sums below 2^53 are exact. */
function* numbers(seed) {
  for (let state = seed; ; yield state / 2 ** 31 - 1) state = (state * 1664525 + 1013904223) % 2 ** 32;
}

function take(count, seed) {
  const source = numbers(seed);
  return Float32Array.from({ length: count }, () => source.next().value);
}

/** FNV-1a of the bytes: eight digits that differ where a bit differs. */
function digest(array) {
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
}

const input = take(SAMPLES * INPUTS, 1);
/** The class of a sample: which of its first numbers is greatest. */
const target = Int32Array.from({ length: SAMPLES }, (_, i) => {
  const first = input.subarray(i * INPUTS, i * INPUTS + CLASSES);
  return first.indexOf(Math.max(...first));
});

async function train(engine) {
  const model = nn.sequential(nn.linear(INPUTS, HIDDEN), nn.relu(), nn.linear(HIDDEN, CLASSES));
  const training = await engine.train(model, {
    ...{ loss: nn.crossEntropy, optimizer: optim.sgd({ lr: 0.1, momentum: 0.9 }), seed: 7 },
  });
  const samples = data.fromArrays({ input, inputShape: [INPUTS], target });
  const losses = [];
  for await (const { loss } of training.fit(samples, { batchSize: BATCH, epochs: EPOCHS })) losses.push(loss);
  const frozen = await training.freeze();
  const values = frozen.parameters.map(({ parameter }) => digest(frozen.values(parameter)));
  return { frozen, losses, weights: values.join(' ') };
}

async function serve(engine, int8) {
  const infer = await engine.infer(int8, { batchSize: 32 });
  const output = await infer.quantized(input.subarray(0, 100 * INPUTS));
  infer.dispose();
  return digest(output);
}

async function kernelsDigest(options) {
  const kernels = await loadKernels(options);
  const [m, k, n] = [33, 40, 17];
  const [a, b] = [take(m * k, 3), take(k * n, 4)];
  const product = kernels.matmul(a, b, new Float32Array(m * n), { m, k, n, activation: 'relu' });
  const quantized = kernels.quantize(product, new Uint8Array(m * n), { scale: 0.05, zeroPoint: 3 });
  const weights = kernels.packWeights(
    Int8Array.from(take(8 * n, 5), (x) => x * 127),
    { n: 8, k: n },
  );
  const scaled = kernels.matmulInt8(quantized, weights, new Uint8Array(m * 8), {
    ...{ m, bias: new Int32Array(8), multiplier: new Int32Array(8).fill(2 ** 30), shift: 40, zeroPoint: 128 },
  });
  return { build: kernels.build, bits: `${digest(product)} ${digest(scaled)}` };
}

/** `simd128`: further options where that build must come from the host. */
export async function suite({ simd128 = {} } = {}) {
  // This build has no operation that engines may round in ways of their own: its training has the same bits everywhere.
  const plain = await createEngine({ backend: 'wasm', build: 'simd128', ...simd128 });
  const { frozen, losses, weights } = await train(plain);
  const int8 = await plain.quantize(frozen, { calibration: input });
  const outputs = { simd128: await serve(plain, int8) };
  plain.dispose();

  const engine = await createEngine();
  const own = await train(engine);
  const { name, build, threads, description } = engine.backend;
  outputs.auto = await serve(engine, int8);
  const text = engine.describe();
  engine.dispose();

  const reference = await createEngine({ backend: 'reference' });
  outputs.reference = await serve(reference, int8);
  reference.dispose();

  const webgpu = engine.findings.find((f) => f.name === 'webgpu');
  if (webgpu.available) {
    const gpu = await createEngine({ backend: 'webgpu' });
    outputs.webgpu = await serve(gpu, int8);
    gpu.dispose();
  }
  return {
    ...{ losses, weights, outputs, describe: text, description, auto: { name, build, threads } },
    own: { build, weights: own.weights },
    kernels: { plain: await kernelsDigest({ build: 'simd128', ...simd128 }), auto: await kernelsDigest() },
    webgpu: { available: webgpu.available, text: webgpu.text },
  };
}
