import { Command, Option } from 'commander';
import { writeWhole } from '../../io/file.ts';
import { BiphaseError, data, FrozenModel } from '../../node.ts';
import {
  type Answers,
  answersOf,
  checkOutputs,
  className,
  expectedOf,
  type Outputs,
  score,
} from '../data/answers.ts';
import { columnLabels, columnOf, type Labels, labelsOf } from '../data/columns.ts';
import type { ModelFacts } from '../data/facts.ts';
import { inputsFor, otherUnit, type Samples, scaled, transformed } from '../data/inputs.ts';
import { readSource } from '../data/read.ts';
import type { Source } from '../data/source.ts';
import { toldSamples } from '../data/tell.ts';
import { openEngine } from '../engine.ts';
import { checkFiles, read } from '../files.ts';
import { type FrozenFile, openFrozen, runFrozen } from '../frozen-run.ts';
import {
  type DataOptions,
  frozenOf,
  isWasm,
  type ModelOptions,
  readModel,
  withDataOptions,
  withModelOptions,
} from '../models.ts';
import { filesOf, isNamed, namedRows, runNamed } from '../named-run.ts';
import { backendOption, type Common, jsonOption, threadsOption, whole, wideOption } from '../options.ts';
import { print, report, say } from '../print.ts';

interface Options extends Common, DataOptions, ModelOptions {
  readonly labels?: string;
  readonly output?: string;
  readonly print?: 'classes' | 'values' | 'outputs' | 'none';
  readonly batch: number;
}

const EXAMPLES = `
Examples:
  biphase run digits.wasm test-images.idx.gz --labels test-labels.idx.gz
  biphase run iris.safetensors iris.csv --target species
  biphase run digits-int8.safetensors test-images.idx.gz --print outputs | head -3
  biphase run digits.wasm images.npy -o results.npy --print none
  biphase run weights.safetensors x.npy --layers layers.json
  biphase run texts.wasm ids=ids.npy mask=mask.npy -o answers/

Inputs are as their file has them: what the training did to its own is done to these. A CSV file may be the one that the model was
trained on; columns are found by the names that the model knows. A frozen file runs without the engine, as in every other host.
-o writes all outputs as NPY, in f32: logits, before any softmax or sign. A frozen file with several inputs or outputs takes a file for
each by its name, prints a line of JSON for each sample, and writes one NPY for each output into the folder that -o names.`;

export const run = () =>
  withDataOptions(withModelOptions(new Command('run')))
    .description('Runs a frozen file or a model on samples.')
    .argument('<model>', 'a frozen .wasm file, or a model file')
    .argument(
      '<inputs...>',
      'samples: IDX, NPY or CSV, also in gzip; NAME=FILE for each input that has a name',
    )
    .option('--labels <file>', 'classes, or values, to say how good the answers are (--target: its column)')
    .addOption(
      new Option(
        '--print <what>',
        'a line for each sample (classes, or the values of a regression, if not given)',
      ).choices(['classes', 'values', 'outputs', 'none']),
    )
    .option('-o, --output <file>', 'write all outputs there, as NPY')
    .option('--batch <n>', 'samples that go through together (of a model file)', whole(1, 65536), 64)
    .addOption(backendOption())
    .addOption(threadsOption())
    .addOption(wideOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(act);

/** A model of either kind of file: its facts, the shape of a sample, and how it runs. */
interface Runnable {
  /** In messages. */
  readonly name: string;
  readonly facts: ModelFacts;
  readonly shape: readonly number[];
  readonly run: (samples: Samples) => Promise<Outputs>;
}

async function act(path: string, given: string[], options: Options): Promise<void> {
  const frozen = await namedFile(path, given);
  if (frozen) return actNamed(frozen, given, options);
  const [inputs, ...others] = given;
  if (others.length > 0)
    throw new BiphaseError(
      'invalid_argument',
      `got ${given.length} files of inputs, ${path} has one input; give one file`,
    );
  const reads = {
    '<model>': path,
    '<inputs>': inputs,
    '--labels': options.labels,
    '--layers': options.layers,
  };
  await checkFiles(reads, { '-o': options.output });
  const model = await open(path, options);
  const { facts, shape } = model;
  const source = await readSource(inputs, options.header);
  const { labels, except } = await labelsFor(source, options);
  const samples = scaled(
    inputsFor(source, facts, shape, { except, model: model.name, allowNaN: true }),
    options.scale,
  );
  say(
    toldSamples(
      samples,
      facts,
      labels && `labels in ${labels.name ? `column '${labels.name}'` : labels.path}`,
    ),
  );
  const remark = otherUnit(facts, samples);
  if (remark) say(`remark: ${remark}`);
  if (labels && labels.count !== samples.count)
    throw new BiphaseError(
      'shape_mismatch',
      `${labels.path} has ${labels.count} labels, expected one for each of the ${samples.count} samples`,
    );
  const begin = performance.now();
  const outputs = await model.run(samples);
  const ms = performance.now() - begin;
  if (options.output)
    await writeWhole(options.output, data.encodeNpy(outputs.values, [samples.count, outputs.width]));
  const result = labels && score(facts, outputs, expectedOf(facts, labels, outputs));
  const answers = answersOf(facts, outputs);
  const what = options.print ?? (answers.kind === 'values' ? 'values' : 'classes');
  if (what === 'classes' && answers.kind === 'values')
    throw new BiphaseError('invalid_argument', `${path} gives values, not classes; use --print values`);
  say(`${samples.count} samples in ${ms.toFixed(0)} ms`);
  tellMissing(answers);
  const rows = rowsOf(what, facts, outputs, answers);
  if (options.json) {
    report(
      true,
      { samples: samples.count, ms, task: facts.task, ...result, ...(what !== 'none' && { [what]: rows }) },
      [],
    );
    return;
  }
  // With labels, how good the answers are is what was asked for.
  if (!labels) for (const row of rows) print(Array.isArray(row) ? row.join(',') : String(row));
  if (result)
    print(
      'right' in result
        ? `${result.right} of ${result.of} right: ${(result.accuracy * 100).toFixed(2)} %`
        : `mean squared error ${result.meanSquaredError.toPrecision(6)}`,
    );
}

/** A frozen file that takes or gives tensors by name, or is given them so. */
async function namedFile(path: string, given: readonly string[]): Promise<FrozenFile | undefined> {
  const bytes = await read(path);
  if (!isWasm(bytes)) {
    if (isNamed(given))
      throw new BiphaseError(
        'invalid_argument',
        `${path} is a model file, whose one input has no name; give one file`,
      );
    return undefined;
  }
  const file = openFrozen(path, bytes);
  const { inputs, outputs } = file.info;
  const lone =
    inputs.length === 1 && outputs.length === 1 && inputs[0].name === 'input' && outputs[0].name === 'output';
  return lone && !isNamed(given) ? undefined : file;
}

/** Runs a frozen file on inputs by name: outputs by name, a line of JSON for each sample. */
async function actNamed(file: FrozenFile, given: readonly string[], options: Options): Promise<void> {
  if (options.labels !== undefined || options.target !== undefined || options.print === 'classes')
    throw new BiphaseError(
      'invalid_argument',
      '--labels, --target and --print classes are for models with one input and one output, without names',
    );
  const files = await filesOf(file, given, options.output);
  const begin = performance.now();
  const { outputs, count } = await runNamed(file, files, options.header);
  const ms = performance.now() - begin;
  say(`${count} samples in ${ms.toFixed(0)} ms`);
  const rows = options.print === 'none' ? [] : namedRows(file, outputs, count);
  if (options.json)
    report(true, { samples: count, ms, ...(options.print !== 'none' && { outputs: rows }) }, []);
  else for (const row of rows) print(JSON.stringify(row));
}

/** Labels of a file of their own, or of a column of the inputs' file, which then is no input. */
async function labelsFor(
  source: Source,
  { labels, target, header }: Options,
): Promise<{ labels?: Labels; except?: number }> {
  if (labels !== undefined) return { labels: labelsOf(await readSource(labels, header), target) };
  if (target === undefined) return {};
  const except = columnOf(source, target);
  return { labels: columnLabels(source, except), except };
}

type Row = number | string | readonly (number | string)[];

/** What is printed for each sample: a class by its name, or numbers; several where there are several outputs. */
function rowsOf(
  what: NonNullable<Options['print']>,
  facts: ModelFacts,
  { values, width }: Outputs,
  answers: Answers,
): Row[] {
  if (what === 'none') return [];
  const count = values.length / width;
  const each = <T>(list: ArrayLike<number>, per: number, show: (x: number) => T) =>
    Array.from({ length: count }, (_, i) => {
      const row = Array.from({ length: per }, (_, j) => show(list[i * per + j]));
      return per === 1 ? row[0] : row;
    });
  if (what !== 'classes' || answers.kind === 'values') {
    const rows = each(values, width, (x) => x);
    // Outputs are lists, also of one.
    return what === 'outputs'
      ? rows.map((row) => (Array.isArray(row) ? row : [row as number]))
      : (rows as Row[]);
  }
  const name = (c: number) => (facts.classes && c >= 0 && !isOwnNumber(facts, c) ? className(facts, c) : c);
  return each(answers.classes, answers.kind === 'signs' ? width : 1, name) as Row[];
}

/** Classes named by their numbers stay numbers. */
const isOwnNumber = ({ classes }: ModelFacts, c: number) => classes?.[c] === String(c);

function tellMissing(answers: Answers): void {
  if (answers.kind === 'values') return;
  const none = answers.classes.reduce((sum, c) => sum + +(c < 0), 0);
  if (none > 0) say(`${none} of them have NaN among their outputs, and so no class: -1`);
}

async function open(path: string, options: Options): Promise<Runnable> {
  const file = await read(path);
  if (isWasm(file)) {
    const frozen = openFrozen(path, file);
    return {
      name: path,
      facts: frozen.facts,
      shape: frozen.info.input.shape,
      run: (samples) => runFrozen(frozen, samples),
    };
  }
  const loaded = await readModel(path, options);
  const { facts, model } = loaded;
  const run = async (samples: Samples): Promise<Outputs> => {
    const seen = transformed(facts, samples);
    const { backend, threads, wide, batch } = options;
    const engine = await openEngine({ backend, threads, wide });
    try {
      const infer = await engine.infer(model, { batchSize: Math.min(batch, samples.count) });
      say(`${model instanceof FrozenModel ? 'f32' : 'int8'} on ${engine.backend.description}`);
      const values = await infer(seen);
      const width = values.length / samples.count;
      checkOutputs(path, facts, width);
      return { values, width };
    } finally {
      engine.dispose();
    }
  };
  return { name: 'the model', facts, shape: frozenOf(loaded).input.shape, run };
}
