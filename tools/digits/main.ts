import { asProgram } from '../../src/cli/program.ts';
import { costOfSteps } from '../../src/graph/plan.ts';
import { createEngine, data, type Engine } from '../../src/index.ts';
import type { Cost } from '../../src/ops/op.ts';
import { prepareGPU } from '../hosts/software-gpu.ts';
import * as out from './console.ts';
import { breakEven } from './costs.ts';
import { ANGLE, fineTune } from './finetune.ts';
import { agreement, compareBits, timeServing } from './measure.ts';
import { dataSet, inputs, loadMnist } from './mnist.ts';
import { ask, BATCH, train } from './model.ts';
import { type Options, parseOptions } from './options.ts';
import type { Report } from './report.ts';
import { ways } from './savings.ts';
import { timeCallers } from './serving.ts';
import { teach } from './students.ts';
import { checkReports, writeReport } from './write.ts';

const CALIBRATION_IMAGES = 512;

const SLOW_IMAGES = 10_000;

/** How much to train where no epochs were asked for: less where an epoch takes minutes, and a line that says so. */
function howMuch({ backend: { name, description } }: Engine, all: data.DataSet, epochs?: number) {
  if (epochs) return { epochs, trainSet: all };
  if (name !== 'reference' && !description.includes('simulated')) return { epochs: 5, trainSet: all };
  const trainSet = data.take(all, Math.min(SLOW_IMAGES, all.length));
  const less = `1, over the first ${out.integer(trainSet.length)} images, because this backend is slow`;
  out.line('epochs', `${less}; --epochs 5 for the whole training`);
  return { epochs: 1, trainSet };
}

async function main(options: Options): Promise<void> {
  const { seed } = options;
  out.section('Data');
  const digits = loadMnist(options.data);
  const images = inputs(dataSet(digits.test));
  const { count } = digits.test;
  out.line('MNIST', `${out.integer(digits.train.count)} training images, ${out.integer(count)} test images`);

  out.section('Backends');
  await prepareGPU();
  using engine = await createEngine({
    backend: options.backend,
    threads: options.threads,
    wide: options.wide,
  });
  out.text(engine.describe());
  const { name: backend, build, threads } = engine.backend;

  out.section(`Training: 784-256-128-10, ReLU, cross-entropy, AdamW, batches of ${BATCH}`);
  const { epochs, trainSet } = howMuch(engine, dataSet(digits.train), options.epochs);
  const trained = await train(engine, trainSet, { lr: 2e-3, epochs, seed, label: 'training' });
  const { losses, seconds, frozen } = trained;
  const steps = losses.length;
  const rate = (epochs * trainSet.length) / seconds;
  const { memory } = trained.plan;
  out.line('time', `${out.seconds(seconds)}, ${out.integer(Math.round(rate))} samples/s`);
  out.line('memory', `${out.bytes(memory.persistentBytes)} of weights and moments`);
  const reuse = `${out.bytes(memory.temporaryBytesWithoutReuse)} without reuse`;
  out.line('', `${out.bytes(memory.temporaryBytes)} besides (${reuse})`);

  out.section('Frozen, and quantized to int8');
  const calibration = data.take(trainSet, Math.min(CALIBRATION_IMAGES, trainSet.length));
  const int8 = await engine.quantize(frozen, { calibration });
  const { answers: exact } = await ask(engine, frozen, images);
  const { answers } = await ask(engine, int8, images);
  const accuracy = {
    f32: agreement(exact, digits.test.labels),
    int8: agreement(answers, digits.test.labels),
    agreement: agreement(exact, answers),
  };
  const same = out.integer(Math.round(accuracy.agreement * count));
  out.line('f32 test accuracy', out.percent(accuracy.f32));
  out.line('int8 test accuracy', out.percent(accuracy.int8));
  out.line('', `calibrated on ${calibration.length} training images`);
  out.line('same answer as f32', `${same} of ${out.integer(count)}`);
  out.line('size', `${out.bytes(frozen.byteLength)} as f32, ${out.bytes(int8.byteLength)} as int8`);
  const bits = await compareBits(int8, images, count);
  const where = `${bits.backends.join(', ')} over ${out.integer(bits.images)} images`;
  if (bits.backends.length === 1)
    out.line('int8 bits', `nothing to compare: only ${bits.backends[0]} is here`);
  else out.line('int8 bits', `${bits.identical ? 'identical' : 'DIFFERENT'} on ${where}`);
  for (const reason of bits.absent) out.line('', reason);

  out.section('Serving');
  const inference = await timeServing(engine, frozen, int8, images);
  const us = (n: number) => out.seconds(n / 1e6);
  const speed = (alone: number, together: number) => `${us(alone)} alone, ${us(together)} in batches of 64`;
  out.line('f32, one image', speed(inference.f32_us_batch1, inference.f32_us_batch64));
  out.line('int8, one image', speed(inference.int8_us_batch1, inference.int8_us_batch64));
  const serving = await timeCallers(engine, int8, images);
  const { callers, batched_us, cached_us } = serving;
  out.line(`int8, ${callers} callers`, `${us(batched_us)} an answer in batches, ${us(cached_us)} when known`);

  out.section('Students at a tenth of the cost');
  const one = await engine.infer(frozen, { batchSize: 1 });
  const each = costOfSteps(one.plan.steps);
  one.dispose();
  const test = { images, labels: digits.test.labels };
  const students = await teach(engine, frozen, trainSet, test, { epochs, seed, seeds: options.students });
  const seeds = students.seeds === 1 ? 'one seed' : `median of ${students.seeds} seeds`;
  out.line(
    'cost of one answer',
    `${out.percent(students.flops / each.flops)} of the arithmetic, ${us(students.us)}`,
  );
  out.line('accuracy, alone', `${out.percent(students.accuracy.alone)} (${seeds})`);
  out.line('with its teacher', out.percent(students.accuracy.taught));

  out.section('What it cost');
  const once = trained.cost;
  const flopsPassed = breakEven(once.flops, each.flops);
  const timePassed = breakEven(seconds * 1e6, inference.int8_us_batch1);
  const paid = (c: Cost, time: string) => `${out.flops(c.flops)}, ${out.bytes(c.bytes)} moved, ${time}`;
  out.line('training, once', paid(once, out.seconds(seconds)));
  out.line('one inference, f32', paid(each, us(inference.f32_us_batch1)));
  for (const { saves } of ways(inference, serving).slice(1)) {
    const [what, how] = saves.split(': ');
    out.line(what, `${how} time for one answer`);
  }
  out.line('serving passes training', `after ${out.integer(flopsPassed)} inferences by arithmetic,`);
  out.line('', `after ${out.integer(timePassed)} by time (int8, one at a time)`);

  out.section(`Fine-tuning on digits turned by ${ANGLE} degrees`);
  const finetune = await fineTune(engine, frozen, digits, Math.ceil(trainSet.length / 6), seed);
  const { before, after, original_unchanged } = finetune;
  out.line('accuracy on turned digits', `${out.percent(before)} before, ${out.percent(after)} after`);
  out.line('the frozen original', original_unchanged ? 'did not change by a bit' : 'CHANGED');

  const report: Report = {
    dataset: { train: trainSet.length, test: count },
    ...{ backend, build, threads, seed },
    train: { seconds, steps, samples_per_second: rate, flops: once.flops, final_loss: losses.at(-1)! },
    accuracy,
    bit_identical: { backends: bits.backends, identical: bits.identical },
    inference,
    size: { f32_bytes: frozen.byteLength, int8_bytes: int8.byteLength },
    cost: { train_flops: once.flops, infer_flops: each.flops, breakeven_inferences: flopsPassed },
    finetune,
  };
  out.section('Report');
  const files = await writeReport(report, {
    ...{ losses, epochs, batchSize: BATCH, answers, digits: digits.test, images: bits.images },
    ...{ training: trained.cost, serving, students },
    ...{ trainBytes: once.bytes, inferBytes: each.bytes, breakEvenByTime: timePassed },
    ...{ out: options.out, json: options.json },
  });
  for (const file of files) out.line('wrote', file);
}

await asProgram('npm start', async () => {
  const options = parseOptions(process.argv.slice(2));
  await checkReports(options);
  await main(options);
});
