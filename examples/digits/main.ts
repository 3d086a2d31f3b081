import { prepareGPU } from '../../scripts/software-gpu.ts';
import {
  BiphaseError,
  createEngine,
  data,
  type Engine,
  type FrozenModel,
  nn,
  optim,
  type Training,
} from '../../src/index.ts';
import * as out from './console.ts';
import { breakEven, costOfRun } from './costs.ts';
import { agreement, answersOf, compareBits, sameWeights, timePerSample } from './measure.ts';
import { type Digits, dataSet, inputs, loadMnist } from './mnist.ts';
import { type Options, parseOptions } from './options.ts';
import { trainingProgress } from './progress.ts';
import type { Report } from './report.ts';
import { writeReport } from './report.ts';
import { rotate } from './rotate.ts';

const BATCH = 128;
const CALIBRATION_IMAGES = 512;
const ANGLE = 25;
const ROTATED_IMAGES = 10_000;
const TUNING_EPOCHS = 2;

const model = () =>
  nn.sequential(nn.linear(784, 256), nn.relu(), nn.linear(256, 128), nn.relu(), nn.linear(128, 10));
/** The learning rate rises for 100 steps and then falls along a cosine, over all steps of the run. */
const recipe = (lr: number, samples: number, epochs: number, seed: number) => ({
  loss: nn.crossEntropy,
  optimizer: optim.adamw({
    lr: optim.cosine({ lr, warmup: 100, total: Math.floor(samples / BATCH) * epochs }),
  }),
  seed,
});

/** Trains and shows how it goes; the losses of all steps. */
async function fit(
  training: Training,
  set: data.DataSet,
  epochs: number,
  seed: number,
  label: string,
): Promise<number[]> {
  const progress = trainingProgress({ batchSize: BATCH, label });
  const losses: number[] = [];
  for await (const step of training.fit(set, { batchSize: BATCH, epochs, seed })) {
    losses.push(step.loss);
    progress.step(step);
  }
  progress.done();
  return losses;
}

/** Answers of a model to all images. */
async function answer(
  engine: Engine,
  frozen: Parameters<Engine['infer']>[0],
  images: Float32Array,
): Promise<Uint8Array> {
  const infer = await engine.infer(frozen, { batchSize: 500 });
  const answers = answersOf(await infer(images));
  infer.dispose();
  return answers;
}

/** Epochs where none were asked for: fewer where each takes minutes, and a line that says so. */
function defaultEpochs(engine: Engine): number {
  const { name, description } = engine.backend;
  if (name !== 'reference' && !description.includes('simulated')) return 5;
  out.line('epochs', '1, because this backend is slow; --epochs 5 for the whole training');
  return 1;
}

async function main(options: Options): Promise<void> {
  out.section('Data');
  const digits = loadMnist(options.data);
  const train = dataSet(digits.train);
  const test = inputs(dataSet(digits.test));
  out.line(
    'MNIST',
    `${out.integer(digits.train.count)} training images, ${out.integer(digits.test.count)} test images`,
  );

  out.section('Backends');
  await prepareGPU();
  const engine = await createEngine({ backend: options.backend, threads: options.threads });
  out.text(engine.describe());
  const { name: backend, build, threads } = engine.backend;

  out.section('Training: 784-256-128-10, ReLU, cross-entropy, AdamW, batches of 128');
  const epochs = options.epochs ?? defaultEpochs(engine);
  const training = await engine.train(model(), recipe(2e-3, train.length, epochs, options.seed));
  const begin = performance.now();
  const losses = await fit(training, train, epochs, options.seed, 'training');
  const trainSeconds = (performance.now() - begin) / 1000;
  const step = costOfRun(training.plan!);
  const trainCost = { flops: step.flops * losses.length, bytes: step.bytes * losses.length };
  const { memory } = training.plan!;
  out.line(
    'time',
    `${out.seconds(trainSeconds)}, ${out.integer(Math.round((losses.length * BATCH) / trainSeconds))} samples/s`,
  );
  out.line(
    'memory',
    `${out.bytes(memory.persistentBytes)} of weights and moments, ${out.bytes(memory.temporaryBytes)} besides (${out.bytes(memory.temporaryBytesWithoutReuse)} without reuse)`,
  );

  out.section('Frozen, and quantized to int8');
  const frozen = await training.freeze();
  training.dispose();
  const f32Answers = await answer(engine, frozen, test);
  const calibration = inputs(data.take(train, CALIBRATION_IMAGES));
  const int8 = await engine.quantize(frozen, { calibration });
  const int8Answers = await answer(engine, int8, test);
  const accuracy = {
    f32: agreement(f32Answers, digits.test.labels),
    int8: agreement(int8Answers, digits.test.labels),
    agreement: agreement(f32Answers, int8Answers),
  };
  out.line('f32 test accuracy', out.percent(accuracy.f32));
  out.line(
    'int8 test accuracy',
    `${out.percent(accuracy.int8)}, calibrated on ${CALIBRATION_IMAGES} training images`,
  );
  out.line(
    'same answer as f32',
    `${out.integer(Math.round(accuracy.agreement * digits.test.count))} of ${out.integer(digits.test.count)}`,
  );
  out.line('size', `${out.bytes(frozen.byteLength)} as f32, ${out.bytes(int8.byteLength)} as int8`);
  const bits = await compareBits(int8, test, digits.test.count);
  out.line(
    'int8 bits',
    `${bits.identical ? 'identical' : 'DIFFERENT'} on ${bits.backends.join(', ')} over ${out.integer(bits.images)} images`,
  );
  for (const reason of bits.absent) out.line('', reason);

  out.section('Serving');
  const per = async (of: typeof frozen | typeof int8, batchSize: number) => {
    const infer = await engine.infer(of, { batchSize });
    const us = await timePerSample(infer, test, 300);
    infer.dispose();
    return us;
  };
  const inference = {
    f32_us_batch1: await per(frozen, 1),
    f32_us_batch64: await per(frozen, 64),
    int8_us_batch1: await per(int8, 1),
    int8_us_batch64: await per(int8, 64),
  };
  const us = (n: number) => out.seconds(n / 1e6);
  out.line(
    'f32, one image',
    `${us(inference.f32_us_batch1)} alone, ${us(inference.f32_us_batch64)} in batches of 64`,
  );
  out.line(
    'int8, one image',
    `${us(inference.int8_us_batch1)} alone, ${us(inference.int8_us_batch64)} in batches of 64`,
  );

  out.section('What it cost');
  const one = await engine.infer(frozen, { batchSize: 1 });
  const inferCost = costOfRun(one.plan);
  one.dispose();
  const cost = {
    train_flops: trainCost.flops,
    infer_flops: inferCost.flops,
    breakeven_inferences: breakEven(trainCost.flops, inferCost.flops),
  };
  const breakEvenByTime = breakEven(trainSeconds * 1e6, inference.int8_us_batch1);
  out.line(
    'training, once',
    `${out.flops(trainCost.flops)}, ${out.bytes(trainCost.bytes)} moved, ${out.seconds(trainSeconds)}`,
  );
  out.line(
    'one inference, f32',
    `${out.flops(inferCost.flops)}, ${out.bytes(inferCost.bytes)} moved, ${us(inference.f32_us_batch1)}`,
  );
  out.line(
    'break-even',
    `serving passes training after ${out.integer(cost.breakeven_inferences)} inferences by arithmetic,`,
  );
  out.line('', `after ${out.integer(breakEvenByTime)} by time (int8, one at a time)`);

  out.section(`Fine-tuning on digits turned by ${ANGLE} degrees`);
  const finetune = await fineTune(engine, frozen, digits, options.seed);
  out.line(
    'accuracy on turned digits',
    `${out.percent(finetune.before)} before, ${out.percent(finetune.after)} after`,
  );
  out.line('the frozen original', finetune.original_unchanged ? 'did not change by a bit' : 'CHANGED');

  const report: Report = {
    dataset: { train: digits.train.count, test: digits.test.count },
    backend,
    build,
    threads,
    seed: options.seed,
    train: {
      seconds: trainSeconds,
      steps: losses.length,
      samples_per_second: (losses.length * BATCH) / trainSeconds,
      flops: trainCost.flops,
      final_loss: losses.at(-1)!,
    },
    accuracy,
    bit_identical: { backends: bits.backends, identical: bits.identical },
    inference,
    size: { f32_bytes: frozen.byteLength, int8_bytes: int8.byteLength },
    cost,
    finetune,
  };
  const files = await writeReport(report, {
    ...{ losses, epochs, batchSize: BATCH, answers: int8Answers, digits: digits.test },
    ...{ trainBytes: trainCost.bytes, inferBytes: inferCost.bytes, breakEvenByTime, images: bits.images },
    ...{ out: options.out, json: options.json },
  });
  out.section('Report');
  for (const file of files) out.line('wrote', file);
  engine.dispose();
}

/** A smaller training run from the frozen weights, on digits the model has not seen. */
async function fineTune(
  engine: Engine,
  frozen: FrozenModel,
  digits: { train: Digits; test: Digits },
  seed: number,
) {
  const turned = rotate(digits.test, ANGLE, digits.test.count);
  const images = inputs(dataSet(turned));
  const weights = frozen.stateDict();
  const before = agreement(await answer(engine, frozen, images), turned.labels);
  const training = await engine.train(frozen, recipe(1e-3, ROTATED_IMAGES, TUNING_EPOCHS, seed));
  await fit(
    training,
    dataSet(rotate(digits.train, ANGLE, ROTATED_IMAGES)),
    TUNING_EPOCHS,
    seed,
    'fine-tuning',
  );
  const tuned = await training.freeze();
  training.dispose();
  const after = agreement(await answer(engine, tuned, images), turned.labels);
  return { before, after, original_unchanged: sameWeights(weights, frozen.stateDict()) };
}

try {
  await main(parseOptions(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof BiphaseError)) throw error;
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}
