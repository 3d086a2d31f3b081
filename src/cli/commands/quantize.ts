import { Command } from 'commander';
import { writeWhole } from '../../io/file.ts';
import { saveModel } from '../../node.ts';
import { readSource } from '../data/read.ts';
import { openEngine } from '../engine.ts';
import { checkFiles } from '../files.ts';
import {
  type DataOptions,
  type FileModel,
  frozenOf,
  type ModelOptions,
  readModel,
  samplesFor,
  withDataOptions,
  withModelOptions,
} from '../models.ts';
import { jsonOption, real, whole } from '../options.ts';
import { bytes, opRows, report, table } from '../print.ts';

/** Options of what ranges are measured on. */
export interface CalibrationOptions extends DataOptions {
  /** Most samples to calibrate on. */
  readonly samples: number;
}

interface Options extends ModelOptions, CalibrationOptions {
  readonly calibration: string;
  readonly percentile?: number;
  readonly output: string;
  readonly json: boolean;
}

const EXAMPLES = `
Examples:
  biphase quantize digits.safetensors --calibration train-images.idx.gz -o digits-int8.safetensors
  biphase quantize iris.safetensors --calibration iris.csv --target species
  biphase quantize weights.safetensors --layers layers.json --calibration x.npy --percentile 99.9

The samples are those of the training or like them, as their file has them: what the training did to its inputs is done to
these. The file keeps the f32 weights and the ranges that int8 is made from, so the model can be trained on; the int8 weights
themselves are what freeze writes. weights.safetensors may be PyTorch's: names such as 0.weight and 0.bias, in f32.`;

export const quantize = () =>
  withCalibrationOptions(withModelOptions(new Command('quantize')))
    .description('Measures the ranges of a model on samples, and quantizes it to int8.')
    .argument('<model>', 'a model file')
    .requiredOption(
      '--calibration <file>',
      'samples like those the model will see (IDX, NPY or CSV, also in gzip)',
    )
    .option('--percentile <p>', 'leave out the rarest values on each side, such as 99.9', real(50.1, 100))
    .option('-o, --output <file>', 'where the model goes', 'model-int8.safetensors')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(act);

/** The options behind CalibrationOptions. */
export const withCalibrationOptions = (command: Command): Command =>
  withDataOptions(command).option(
    '--samples <n>',
    'how many samples to calibrate on, from the first',
    whole(1, 1e6),
    512,
  );

async function act(path: string, options: Options): Promise<void> {
  const { output, percentile, json } = options;
  const reads = { '<model>': path, '--calibration': options.calibration, '--layers': options.layers };
  await checkFiles(reads, { '-o': output });
  const loaded = await readModel(path, options);
  const calibration = await calibrationOf(loaded, options.calibration, options);
  const engine = await openEngine({ backend: 'wasm' });
  try {
    const method = percentile === undefined ? undefined : ({ method: 'percentile', percentile } as const);
    const model = await engine.quantize(frozenOf(loaded), { calibration, method });
    await writeWhole(output, await saveModel(model, { notes: loaded.notes }));
    const { byteLength, frozen } = model;
    report(json, { model: output, ops: model.report, f32Bytes: frozen.byteLength, int8Bytes: byteLength }, [
      ...table(opRows(model.report)),
      `${bytes(frozen.byteLength)} as f32, ${bytes(byteLength)} as int8`,
      `wrote ${output}`,
    ]);
  } finally {
    engine.dispose();
  }
}

/** The first samples of a file, as the model takes them. */
export async function calibrationOf(
  loaded: FileModel,
  path: string,
  options: CalibrationOptions,
): Promise<Float32Array> {
  const source = await readSource(path, options.header);
  const samples = samplesFor(loaded, source, options);
  const count = source.shape[0];
  return samples.subarray(0, (samples.length / count) * Math.min(options.samples, count));
}
