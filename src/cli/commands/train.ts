import process from 'node:process';
import { Command, Option } from 'commander';
import { writeWhole } from '../../io/file.ts';
import { data, saveModel } from '../../node.ts';
import { openEngine } from '../engine.ts';
import { checkFiles } from '../files.ts';
import { readLayers, transformNote } from '../models.ts';
import { backendOption, jsonOption, real, sizes, threadsOption, whole, wideOption } from '../options.ts';
import { report, say, time } from '../print.ts';
import { SIGNALS, stoppable } from '../signals.ts';
import { checkCheckpoint, discard } from '../train/checkpoint.ts';
import { fit, tellStopped } from '../train/fit.ts';
import { optimizerOf, perceptron } from '../train/layers.ts';
import { losses, type TrainOptions } from '../train/options.ts';
import { prepare } from '../train/samples.ts';
import { test, told } from '../train/validate.ts';

const EXAMPLES = `
Examples:
  biphase train --data train-images.idx.gz --labels train-labels.idx.gz --hidden 256,128 --epochs 5
  biphase train --data iris.csv --target species --hidden 16 --batch 16 --epochs 100 --validation 0.2
  biphase train --data x.npy --labels y.npy --loss mse --model layers.json
  biphase train --data x.npy --labels y.npy --checkpoint run.checkpoint --resume

Data: IDX (MNIST's files), NPY or CSV, each also in gzip; the first dimension counts samples. Without --labels a CSV file's
column --target (the last one if not given) holds them. layers.json is a list such as
  [{"layer": "linear", "inFeatures": 784, "outFeatures": 64}, "relu", {"layer": "linear", "inFeatures": 64, "outFeatures": 10}]
Ctrl-C stops after the step under way; with --checkpoint a later --resume goes on to the same weights, bit for bit.`;

export const train = () =>
  new Command('train')
    .description('Trains a multilayer perceptron, or the layers of a JSON file, on your data.')
    .requiredOption('--data <file>', 'inputs')
    .option('--labels <file>', 'class numbers, or values to come close to')
    .option('--target <column>', 'column of a CSV file that holds the labels: its name, or its number from 0')
    .option('--hidden <sizes>', 'widths of the hidden layers, with commas', sizes, [256, 128])
    .addOption(
      new Option('--activation <name>', 'between the layers')
        .choices(['relu', 'gelu', 'silu', 'tanh', 'sigmoid', 'hardswish'])
        .default('relu'),
    )
    .option('--dropout <p>', 'share of hidden values to drop', real(0, 0.999), 0)
    .addOption(
      new Option('--model <file>', 'JSON file with the layers').conflicts([
        'hidden',
        'activation',
        'dropout',
      ]),
    )
    .addOption(
      new Option(
        '--loss <name>',
        'cross-entropy for class numbers, mse for other values, if not given',
      ).choices(Object.keys(losses)),
    )
    .addOption(new Option('--optimizer <name>').choices(['adamw', 'adam', 'sgd']).default('adamw'))
    .option('--lr <rate>', "learning rate (the optimizer's own: 0.001, sgd 0.01)", real(0, 1e6))
    .option('--weight-decay <w>', "the optimizer's own if not given", real(0, 1e6))
    .option('--momentum <m>', 'of sgd', real(0, 1), 0)
    .option('--epochs <n>', 'passes over the data', whole(1, 1e6), 5)
    .option('--batch <n>', 'samples in a step', whole(1, 2 ** 20), 128)
    .option(
      '--seed <n>',
      'of the weights, of dropout, and of the order of the samples',
      whole(0, 2 ** 31 - 1),
      1,
    )
    .option('--scale <s>', 'factor on inputs (1/255 for bytes, else 1)', real(-1e9, 1e9))
    .option('--validation <share>', 'share of the samples, the last ones, to test on', real(0, 0.9), 0)
    .option('--checkpoint <file>', 'keep the state of the training there')
    .option('--every <n>', 'steps between two checkpoints', whole(1, 1e9), 100)
    .option('--resume', 'go on from the checkpoint, if it is there', false)
    .option('-o, --output <file>', 'where the model goes', 'model.safetensors')
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(wideOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action((options: TrainOptions) => act(options));

async function act(options: TrainOptions): Promise<void> {
  await checkFiles(
    { '--data': options.data, '--labels': options.labels, '--model': options.model },
    { '-o': options.output, '--checkpoint': options.checkpoint },
  );
  await checkCheckpoint(options);
  const { set, loss, outputs, transform } = await prepare(options);
  const held = Math.floor(set.length * options.validation);
  const trainSet = data.take(set, set.length - held);
  const model = options.model
    ? await readLayers(options.model)
    : perceptron(set.input.shape[0], outputs, options);

  const engine = await openEngine({ backend: options.backend, threads: options.threads, wide: options.wide });
  say(engine.describe());
  try {
    const training = await engine.train(model, {
      loss: losses[loss],
      optimizer: optimizerOf(options),
      seed: options.seed,
    });
    const begin = performance.now();
    const { result, signal } = await stoppable((stop) => fit(training, trainSet, options, stop));
    if (result.stopped) {
      tellStopped(training.step, options);
      process.exitCode = SIGNALS[signal!];
      return;
    }
    const frozen = await training.freeze();
    const ms = performance.now() - begin;
    // Before anything that may go wrong and can be done again.
    await writeWhole(options.output, await saveModel(frozen, { notes: transformNote(transform) }));
    const tested =
      held > 0
        ? await test(engine, frozen, data.subset(set, set.length - held, set.length), loss)
        : undefined;
    report(
      options.json,
      {
        model: options.output,
        steps: training.step,
        loss: result.loss,
        ms,
        samples: trainSet.length,
        validation: tested,
        bytes: frozen.byteLength,
      },
      [
        `trained ${training.step} steps in ${time(ms)}, loss ${result.loss?.toFixed(4) ?? '-'}`,
        ...(tested ? [`validation on ${held} samples: ${told(tested)}`] : []),
        `wrote ${options.output}`,
      ],
    );
    await discard(options);
  } finally {
    engine.dispose();
  }
}
