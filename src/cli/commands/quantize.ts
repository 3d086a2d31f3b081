import { Command } from 'commander';
import { writeWhole } from '../../io/file.ts';
import { saveModel } from '../../node.ts';
import { readNumbers } from '../data.ts';
import { openEngine } from '../engine.ts';
import { checkFiles } from '../files.ts';
import { frozenOf, type ModelOptions, readModel, samplesFor, withModelOptions } from '../models.ts';
import { jsonOption, real } from '../options.ts';
import { bytes, report, table } from '../print.ts';

interface Options extends ModelOptions {
  readonly calibration: string;
  readonly percentile?: number;
  readonly output: string;
  readonly json: boolean;
}

const EXAMPLES = `
Examples:
  biphase quantize digits.safetensors --calibration train-images.idx.gz -o digits-int8.safetensors
  biphase quantize weights.safetensors --layers layers.json --input 784 --calibration x.npy --percentile 99.9

The file keeps the f32 weights and the ranges that int8 is made from, so the model can be trained on; the int8 weights
themselves are what freeze writes. weights.safetensors may be PyTorch's: names such as 0.weight and 0.bias, in f32.`;

export const quantize = () =>
  withModelOptions(new Command('quantize'))
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

async function act(path: string, options: Options): Promise<void> {
  const { output, percentile, json } = options;
  const reads = { '<model>': path, '--calibration': options.calibration, '--layers': options.layers };
  await checkFiles(reads, { '-o': output });
  const loaded = await readModel(path, options);
  const calibration = await calibrationOf(loaded, options.calibration, options.samples);
  const engine = await openEngine({ backend: 'wasm' });
  try {
    const method = percentile === undefined ? undefined : ({ method: 'percentile', percentile } as const);
    const model = await engine.quantize(frozenOf(loaded), { calibration, method });
    await writeWhole(output, await saveModel(model, { notes: loaded.notes }));
    const { byteLength, frozen } = model;
    report(json, { model: output, ops: model.report, f32Bytes: frozen.byteLength, int8Bytes: byteLength }, [
      ...table([['op', 'runs', ''], ...model.report.map((r) => [r.op, r.runs, r.reason ?? ''])]),
      `${bytes(frozen.byteLength)} as f32, ${bytes(byteLength)} as int8`,
      `wrote ${output}`,
    ]);
  } finally {
    engine.dispose();
  }
}

/** The first samples of a file, as the model takes them. */
export async function calibrationOf(
  loaded: Parameters<typeof samplesFor>[0],
  path: string,
  most: number,
): Promise<Float32Array> {
  const numbers = await readNumbers(path);
  const samples = samplesFor(loaded, numbers);
  return samples.subarray(0, (samples.length / numbers.shape[0]) * Math.min(most, numbers.shape[0]));
}
