import { stat, unlink } from 'node:fs/promises';
import process from 'node:process';
import { Command, Option } from 'commander';
import { writeWhole } from '../../io/file.ts';
import { BiphaseError, createEngine, data, nn, optim, saveModel, type Training } from '../../node.ts';
import { classNumbers, type Numbers, readNumbers, splitColumn } from '../data.ts';
import { checkWritable } from '../files.ts';
import { readLayers, transformNote } from '../models.ts';
import { backendOption, type Common, jsonOption, real, sizes, threadsOption, whole } from '../options.ts';
import { report, say, time } from '../print.ts';
import { trainingProgress } from '../progress.ts';

interface Options extends Common {
  readonly data: string;
  readonly labels?: string;
  readonly target?: string;
  readonly hidden: number[];
  readonly activation: 'relu' | 'gelu' | 'silu' | 'tanh' | 'sigmoid' | 'hardswish';
  readonly dropout: number;
  readonly model?: string;
  readonly loss?: keyof typeof losses;
  readonly optimizer: 'adamw' | 'adam' | 'sgd';
  readonly lr?: number;
  readonly weightDecay?: number;
  readonly momentum: number;
  readonly epochs: number;
  readonly batch: number;
  readonly seed: number;
  readonly scale?: number;
  readonly validation: number;
  readonly checkpoint?: string;
  readonly every: number;
  readonly resume: boolean;
  readonly output: string;
}

const losses = {
  'cross-entropy': nn.crossEntropy,
  mse: nn.mse,
  huber: nn.huber,
  'bce-with-logits': nn.bceWithLogits,
} as const;

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
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action((options: Options) => act(options));

/** Ctrl-C, and what a supervisor sends. */
const STOPS = ['SIGINT', 'SIGTERM'] as const;

async function act(options: Options): Promise<void> {
  if (options.resume && !options.checkpoint)
    throw new BiphaseError('invalid_argument', '--resume needs the --checkpoint to go on from');
  for (const path of [options.output, options.checkpoint ?? []].flat()) await checkWritable(path);
  const { set, loss, outputs, transform } = await prepare(options);
  const held = Math.floor(set.length * options.validation);
  const trainSet = data.take(set, set.length - held);
  const model = options.model
    ? await readLayers(options.model)
    : perceptron(set.input.shape[0], outputs, options);

  const engine = await createEngine({ backend: options.backend, threads: options.threads });
  say(engine.describe());
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => stop.abort(signal);
  // A second one ends the process at once.
  for (const signal of STOPS) process.once(signal, onSignal);
  try {
    const training = await engine.train(model, {
      loss: losses[loss],
      optimizer: optimizerOf(options),
      seed: options.seed,
    });
    const begin = performance.now();
    const last = await fit(training, trainSet, options, stop.signal);
    if (stop.signal.aborted) {
      stopped(training.step, options);
      process.exitCode = stop.signal.reason === 'SIGTERM' ? 143 : 130;
      return;
    }
    const frozen = await training.freeze();
    const ms = performance.now() - begin;
    const tested =
      held > 0
        ? await test(engine, frozen, data.subset(set, set.length - held, set.length), loss)
        : undefined;
    await writeWhole(options.output, await saveModel(frozen, { notes: transformNote(transform) }));
    report(
      options.json,
      {
        model: options.output,
        steps: training.step,
        loss: last,
        ms,
        samples: trainSet.length,
        validation: tested,
        bytes: frozen.byteLength,
      },
      [
        `trained ${training.step} steps in ${time(ms)}, loss ${last?.toFixed(4) ?? '-'}`,
        ...(tested ? [`validation on ${held} samples: ${told(tested)}`] : []),
        `wrote ${options.output}`,
      ],
    );
    await discard(options.checkpoint);
  } finally {
    for (const signal of STOPS) process.removeListener(signal, onSignal);
    engine.dispose();
  }
}

/** The last loss; undefined where nothing was left to do. */
async function fit(
  training: Training,
  set: data.DataSet,
  options: Options,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { batch: batchSize, epochs, seed, checkpoint: path, every, resume } = options;
  const progress = trainingProgress({ batchSize, label: 'training', stream: process.stderr });
  const checkpoint = path ? { path, everySteps: every, resume } : undefined;
  let loss: number | undefined;
  try {
    for await (const step of training.fit(set, { batchSize, epochs, seed, signal, checkpoint })) {
      progress.step(step);
      loss = step.loss;
    }
  } catch (error) {
    if (!(error instanceof BiphaseError && error.code === 'aborted')) throw error;
  } finally {
    progress.done();
  }
  return loss;
}

/** fit() has written the checkpoint, and the caller is told how to go on. */
function stopped(step: number, { checkpoint }: Options): void {
  say(
    checkpoint
      ? `stopped after step ${step}; the same command with --resume goes on from ${checkpoint}`
      : `stopped after step ${step}; nothing was written (with --checkpoint the state would have been kept)`,
  );
}

/** A finished run's checkpoint would make the next one with --resume do nothing. */
async function discard(path: string | undefined): Promise<void> {
  if (path && (await stat(path).catch(() => undefined))) await unlink(path);
}

async function prepare(options: Options) {
  const source = await readNumbers(options.data);
  const { input, target } = options.labels
    ? { input: source, target: await readNumbers(options.labels) }
    : splitColumn(source, options.target);
  const count = input.shape[0];
  const size = input.shape.slice(1).reduce((a, b) => a * b, 1);
  const isClasses = target.shape.length === 1 && target.values.every((x) => Number.isInteger(x) && x >= 0);
  const loss = options.loss ?? (isClasses ? 'cross-entropy' : 'mse');
  const scale = options.scale ?? (input.values instanceof Uint8Array ? 1 / 255 : 1);
  const transform = { scale, shift: 0 };
  const labels = loss === 'cross-entropy' ? classNumbers(target, count) : valuesOf(target, count);
  const outputs =
    loss === 'cross-entropy'
      ? (labels as Int32Array).reduce((a, b) => Math.max(a, b), 0) + 1
      : labels.length / count;
  const set = data.fromArrays({
    ...{ input: input.values, inputShape: [size], target: labels, transform },
    targetShape: loss === 'cross-entropy' ? [] : [outputs],
  });
  return { set, loss, outputs, transform };
}

function valuesOf({ path, shape, values }: Numbers, count: number): Float32Array {
  if (shape[0] !== count)
    throw new BiphaseError(
      'shape_mismatch',
      `${path} has ${shape[0]} rows, expected one for each of the ${count} samples`,
    );
  return Float32Array.from(values);
}

function perceptron(inputs: number, outputs: number, { hidden, activation, dropout }: Options): nn.Module {
  const widths = [inputs, ...hidden];
  const layers = hidden.flatMap((width, i) => [
    nn.linear(widths[i], width),
    nn[activation](),
    ...(dropout > 0 ? [nn.dropout(dropout)] : []),
  ]);
  return nn.sequential(...layers, nn.linear(widths[hidden.length], outputs));
}

function optimizerOf({ optimizer, lr, weightDecay, momentum }: Options): optim.Optimizer {
  if (optimizer === 'sgd') return optim.sgd({ lr, weightDecay, momentum });
  return optim[optimizer]({ lr, weightDecay });
}

type Tested = { readonly accuracy: number } | { readonly meanSquaredError: number };
const told = (t: Tested) =>
  'accuracy' in t
    ? `${(t.accuracy * 100).toFixed(2)} % right`
    : `mean squared error ${t.meanSquaredError.toPrecision(4)}`;

async function test(
  engine: Awaited<ReturnType<typeof createEngine>>,
  frozen: Awaited<ReturnType<Training['freeze']>>,
  set: data.DataSet,
  loss: keyof typeof losses,
): Promise<Tested> {
  const classes = loss === 'cross-entropy';
  const samples = new Float32Array(set.length * set.input.shape[0]);
  const size = set.target.shape.reduce((a, b) => a * b, 1);
  const target = classes ? new Int32Array(set.length) : new Float32Array(set.length * size);
  set.gather(
    Uint32Array.from({ length: set.length }, (_, i) => i),
    samples,
    target,
  );
  const infer = await engine.infer(frozen, { batchSize: Math.min(64, set.length) });
  const outputs = await infer(samples);
  infer.dispose();
  const width = outputs.length / set.length;
  if (!classes)
    return {
      meanSquaredError: outputs.reduce((sum, y, i) => sum + (y - target[i]) ** 2, 0) / outputs.length,
    };
  let right = 0;
  for (let i = 0; i < set.length; i++) {
    const scores = outputs.subarray(i * width, (i + 1) * width);
    if (scores.indexOf(Math.max(...scores)) === target[i]) right++;
  }
  return { accuracy: right / set.length };
}
