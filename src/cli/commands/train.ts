import process from 'node:process';
import { Command, Option } from 'commander';
import { duration } from '../../core/duration.ts';
import { writeWhole } from '../../io/file.ts';
import { type FitOptions, nn, saveModel } from '../../node.ts';
import { scored } from '../data/answers.ts';
import { notesOf } from '../data/facts.ts';
import { openEngine } from '../engine.ts';
import { checkFiles } from '../files.ts';
import { headerOption } from '../models.ts';
import { backendOption, jsonOption, real, sizes, threadsOption, whole, wideOption } from '../options.ts';
import { report, say } from '../print.ts';
import { SIGNALS, stoppable } from '../signals.ts';
import { checkCheckpoint, discard } from '../train/checkpoint.ts';
import { fit, tellStopped } from '../train/fit.ts';
import { optimizerOf } from '../train/layers.ts';
import { balanced, checkMeasures, measure, metricsOf, toldMeasures } from '../train/measures.ts';
import { isNetwork, networkOrFile, networks } from '../train/networks.ts';
import { losses, lrSchedules, rates, type TrainOptions } from '../train/options.ts';
import { prepare } from '../train/samples.ts';
import { lossOf } from '../train/teacher.ts';
import { validate } from '../train/validate.ts';

const BATCH = 128;

const EXAMPLES = `
Examples:
  biphase train --data train-images.idx.gz --labels train-labels.idx.gz --hidden 256,128 --epochs 5
  biphase train --data train-images.idx.gz --labels train-labels.idx.gz --model cnn --epochs 3
  biphase train --data iris.csv --target species --normalize --hidden 16 --batch 16 --epochs 100 --validation 0.2
  biphase train --data x.npy --labels y.npy --loss mse --model layers.json
  biphase train --data x.npy --labels y.npy --hidden 29 --teacher model.safetensors --temperature 3
  biphase train --data x.npy --labels y.npy --checkpoint run.checkpoint --resume

Data: IDX (MNIST's files), NPY or CSV, each also in gzip; the first dimension counts samples. Without --labels a CSV file's
column --target (the last one if not given) holds them. Names and whole numbers that look like classes are classes; what was
decided is said before the work begins. The model keeps it, and what is done to inputs, for run, quantize, freeze and serve.
layers.json is a list such as
  [{"layer": "linear", "inFeatures": 784, "outFeatures": 64}, "relu", {"layer": "linear", "inFeatures": 64, "outFeatures": 10}]
Ctrl-C stops after the step under way; with --checkpoint a later --resume goes on to the same weights, bit for bit.`;

export const train = () =>
  new Command('train')
    .description(
      'Trains a multilayer perceptron, a network of convolutions, or the layers of a JSON file, on your data.',
    )
    .requiredOption('--data <file>', 'inputs')
    .option('--labels <file>', 'classes, by number or name, or values to come close to')
    .option(
      '--target <column>',
      'column of a CSV file that holds the labels: its name, or its number from 0 (the last)',
    )
    .addOption(headerOption())
    .option('--hidden <sizes>', 'widths of the hidden layers, with commas', sizes, [256, 128])
    .addOption(
      new Option('--activation <name>', 'between the layers')
        .choices(Object.keys(nn.activations))
        .default('relu'),
    )
    .option('--dropout <p>', 'share of hidden values to drop', real(0, 0.999), 0)
    .addOption(
      new Option(
        '--model <name|file>',
        `${Object.keys(networks).join(', ')} for images, or a JSON file with the layers`,
      )
        .argParser(networkOrFile)
        .conflicts(['hidden', 'activation', 'dropout']),
    )
    .addOption(
      new Option(
        '--loss <name>',
        'cross-entropy for classes, mse for values, if not given; bce-with-logits for yes or no',
      ).choices(Object.keys(losses)),
    )
    .option('--teacher <file>', 'a model file from whose answers the model learns too')
    .option(
      '--temperature <t>',
      'what logits of both are divided by: the higher, the more of unlikely classes (4)',
      real(1e-3, 1e6),
    )
    .option('--alpha <share>', "the teacher's share in the loss (0.7)", real(0, 1))
    .addOption(new Option('--optimizer <name>').choices(Object.keys(rates)).default('adamw'))
    .option('--lr <rate>', "learning rate (the optimizer's own if not given: 0.001 of adamw)", real(0, 1e6))
    .addOption(
      new Option('--lr-schedule <name>', 'how the rate goes on from there, over all steps')
        .choices(lrSchedules)
        .default('constant'),
    )
    .option('--warmup <n>', 'steps in which the rate rises to it', whole(0, 1e9))
    .option('--weight-decay <w>', "the optimizer's own if not given", real(0, 1e6))
    .option('--momentum <m>', 'of sgd and rmsprop', real(0, 1), 0)
    .option('--clip-norm <n>', 'scale gradients down so that their norm is at most this', real(1e-30, 1e30))
    .option(
      '--accumulate <n>',
      'parts in which a batch goes through the model, in the memory of one',
      whole(1, 2 ** 20),
    )
    .option('--epochs <n>', 'passes over the data', whole(1, 1e6), 5)
    .option('--batch <n>', `samples in a step (${BATCH}, or all if there are fewer)`, whole(1, 2 ** 20))
    .option(
      '--seed <n>',
      'of the weights, of dropout, and of the order of the samples',
      whole(0, 2 ** 31 - 1),
      1,
    )
    .addOption(
      new Option('--scale <s>', 'factor on inputs (1/255 for bytes, else 1)')
        .argParser(real(-1e9, 1e9))
        .conflicts('normalize'),
    )
    .option(
      '--normalize',
      'each input less its mean, over its standard deviation (of the samples trained on)',
      false,
    )
    .option(
      '--validation <share>',
      'share of the samples to test on: drawn by the seed, of each class alike',
      real(0, 0.9),
      0,
    )
    .option(
      '--metrics <names>',
      'what is measured on those samples, with commas: accuracy, precision, recall, f1, auc; of values mae, mse, rmse, r2',
      (text: string) => text.split(',').map((name) => name.trim()),
    )
    .option(
      '--early-stopping <n>',
      'stop after n epochs that bring no smaller loss on those samples, with the best weights',
      whole(1, 1e6),
    )
    .addOption(
      new Option(
        '--class-weights <how>',
        'let all classes weigh the same, however many samples each has',
      ).choices(['balanced']),
    )
    .option('--checkpoint <file>', 'keep the state of the training there')
    .option('--every <n>', 'steps between two checkpoints', whole(1, 1e9), 100)
    .option('--resume', 'go on from the checkpoint', false)
    .option('--no-terminate-on-nan', 'go on where the loss or the weights are no longer finite')
    .option('-o, --output <file>', 'where the model goes', 'model.safetensors')
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(wideOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action((options: TrainOptions) => act(options));

async function act(options: TrainOptions): Promise<void> {
  await checkFiles(
    {
      '--data': options.data,
      '--labels': options.labels,
      '--teacher': options.teacher,
      '--model': isNetwork(options.model) ? undefined : options.model,
    },
    { '-o': options.output, '--checkpoint': options.checkpoint },
  );
  checkMeasures(options);
  await checkCheckpoint(options);
  const { model, target, facts, train: samples, trained, test } = await prepare(options);
  const metrics = metricsOf(options.metrics ?? [], target);
  const loss = await lossOf(options, target, facts, balanced(options, target, trained));
  const { earlyStopping: patience } = options;
  const looks: Pick<FitOptions, 'validation' | 'earlyStopping'> =
    test && patience ? { validation: { data: test }, earlyStopping: { patience } } : {};
  const batch = options.batch ?? Math.min(BATCH, samples.length);
  const engine = await openEngine({ backend: options.backend, threads: options.threads, wide: options.wide });
  say(engine.describe());
  try {
    const training = await engine.train(model, {
      loss,
      optimizer: optimizerOf(options, options.epochs * Math.ceil(samples.length / batch)),
      ...{ seed: options.seed, clipNorm: options.clipNorm, accumulate: options.accumulate },
    });
    const begin = performance.now();
    const { result, signal } = await stoppable((stop) =>
      fit(training, samples, { ...options, batch }, stop, looks),
    );
    if (result.stopped) {
      tellStopped(result.step, options);
      process.exitCode = SIGNALS[signal!];
      return;
    }
    const frozen = await training.freeze();
    const ms = performance.now() - begin;
    // Before anything that may go wrong and can be done again.
    await writeWhole(options.output, await saveModel(frozen, { notes: notesOf(facts) }));
    const tested = test && (await validate(engine, frozen, test, facts));
    const measured = test && metrics.length > 0 ? await measure(training, test, metrics, target) : undefined;
    if (training.step < result.step)
      say(`the best weights are those after step ${training.step} of ${result.step}`);
    report(
      options.json,
      {
        model: options.output,
        steps: training.step,
        loss: result.loss,
        ms,
        samples: samples.length,
        ...{ task: target.task, classes: target.classes },
        validation: tested && { ...tested, ...measured },
        bytes: frozen.byteLength,
      },
      [
        `trained ${training.step} steps in ${duration(ms)}, loss ${result.loss?.toFixed(4) ?? '-'} (mean of the last epoch)`,
        ...(tested ? [`validation on ${test!.length} samples: ${scored(tested)}`] : []),
        ...(measured ? toldMeasures(measured) : []),
        `wrote ${options.output}`,
      ],
    );
    await discard(options);
  } finally {
    engine.dispose();
  }
}
