import { Command, Option } from 'commander';
import { writeWhole } from '../../io/file.ts';
import { BiphaseError, data, FrozenModel, inspect } from '../../node.ts';
import { classNumbers, type Numbers, readNumbers } from '../data.ts';
import { openEngine } from '../engine.ts';
import { checkFiles, read } from '../files.ts';
import { runFrozen } from '../frozen-run.ts';
import { isWasm, readModel, samplesFor } from '../models.ts';
import { backendOption, type Common, jsonOption, threadsOption, whole, wideOption } from '../options.ts';
import { print, report, say } from '../print.ts';

interface Options extends Common {
  readonly labels?: string;
  readonly output?: string;
  readonly print: 'classes' | 'outputs' | 'none';
  readonly batch: number;
}

const EXAMPLES = `
Examples:
  biphase run digits.wasm test-images.idx.gz --labels test-labels.idx.gz
  biphase run digits-int8.safetensors test-images.idx.gz --print outputs | head -3
  biphase run digits.wasm images.npy -o results.npy --print none

A frozen file runs without the engine, as in every other host. -o writes the raw outputs as NPY: of an int8 model whose last layer
is quantized, the u8 numbers of the file.`;

export const run = () =>
  new Command('run')
    .description('Runs a frozen file or a model on samples.')
    .argument('<model>', 'a frozen .wasm file, or a model file')
    .argument('<inputs>', 'samples: IDX, NPY or CSV, also in gzip')
    .option('--labels <file>', 'class numbers, to say how many answers are right')
    .addOption(
      new Option('--print <what>', 'a line for each sample')
        .choices(['classes', 'outputs', 'none'])
        .default('classes'),
    )
    .option('-o, --output <file>', 'write all outputs there, as NPY')
    .option('--batch <n>', 'samples that go through together (of a model file)', whole(1, 65536), 64)
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(wideOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(act);

type Values = Float32Array | Uint8Array | Int8Array | Int32Array;

async function act(model: string, inputs: string, options: Options): Promise<void> {
  const reads = { '<model>': model, '<inputs>': inputs, '--labels': options.labels };
  await checkFiles(reads, { '-o': options.output });
  const file = await read(model);
  const numbers = await readNumbers(inputs);
  const count = numbers.shape[0];
  const labels = options.labels ? classNumbers(await readNumbers(options.labels), count) : undefined;
  const begin = performance.now();
  const outputs: Values = isWasm(file)
    ? await frozen(model, file, numbers)
    : await live(model, numbers, options);
  const ms = performance.now() - begin;
  const width = outputs.length / count;
  if (options.output) await writeWhole(options.output, data.encodeNpy(outputs, [count, width]));
  const rows = Array.from({ length: count }, (_, i) => outputs.subarray(i * width, (i + 1) * width));
  const classes = rows.map(classIn);
  const right = labels && classes.filter((c, i) => c === labels[i]).length;
  say(`${count} samples in ${ms.toFixed(0)} ms`);
  const none = classes.filter((c) => c < 0).length;
  if (none > 0) say(`${none} of them have NaN among their outputs, and so no class: -1`);
  if (options.json) {
    const list = { classes, outputs: rows.map((row) => [...row]), none: undefined }[options.print];
    report(
      true,
      { samples: count, ms, right, accuracy: labels && right! / count, [options.print]: list },
      [],
    );
    return;
  }
  // With labels, how many are right is what was asked for.
  if (!labels && options.print !== 'none')
    for (const [i, row] of rows.entries())
      print(options.print === 'classes' ? String(classes[i]) : row.join(','));
  if (labels) print(`${right} of ${count} right: ${((right! / count) * 100).toFixed(2)} %`);
}

/** Position of the largest output, the first of equals; -1 where one is NaN, and so none the largest. */
function classIn(row: Values): number {
  let best = 0;
  for (let i = 0; i < row.length; i++) {
    if (Number.isNaN(row[i])) return -1;
    if (row[i] > row[best]) best = i;
  }
  return best;
}

/** A file's own input type: bytes as they are, or f32. */
async function frozen(
  path: string,
  file: Uint8Array,
  { path: inputs, shape, values }: Numbers,
): Promise<Values> {
  const { input } = inspect(file);
  const [size, given] = [input.shape, shape.slice(1)].map((s) => s.reduce((a, b) => a * b, 1));
  if (size !== given)
    throw new BiphaseError(
      'shape_mismatch',
      `${inputs} has samples of ${given} values (${shape.slice(1).join(' x ')}), ${path} takes ${size} (${input.shape.join(' x ')})`,
    );
  if (input.dtype === 'u8' && !(values instanceof Uint8Array))
    throw new BiphaseError(
      'dtype_mismatch',
      `${path} takes bytes, ${inputs} holds other numbers; freeze with --input-type f32`,
    );
  return (await runFrozen(file, input.dtype === 'u8' ? values : Float32Array.from(values))).outputs;
}

async function live(
  path: string,
  numbers: Numbers,
  { backend, threads, wide, batch }: Options,
): Promise<Values> {
  const loaded = await readModel(path);
  const samples = samplesFor(loaded, numbers);
  const engine = await openEngine({ backend, threads, wide });
  try {
    const infer = await engine.infer(loaded.model, { batchSize: Math.min(batch, numbers.shape[0]) });
    say(`${loaded.model instanceof FrozenModel ? 'f32' : 'int8'} on ${engine.backend.description}`);
    return await infer(samples);
  } finally {
    engine.dispose();
  }
}
