import { Command } from 'commander';
import { writeWhole } from '../../io/file.ts';
import { BiphaseError, type data, exportWasm, FrozenModel, inspect, type StoredModel } from '../../node.ts';
import { toldTransform } from '../data/tell.ts';
import { openEngine } from '../engine.ts';
import { checkFiles } from '../files.ts';
import { type FileModel, type ModelOptions, readModel, withModelOptions } from '../models.ts';
import { jsonOption, whole } from '../options.ts';
import { bytes, report } from '../print.ts';
import { type CalibrationOptions, calibrationOf, withCalibrationOptions } from './quantize.ts';

interface Options extends ModelOptions, CalibrationOptions {
  readonly calibration?: string;
  readonly relaxed: boolean;
  readonly f32: boolean;
  readonly maxBatch: number;
  readonly inputType?: 'f32' | 'u8';
  readonly output: string;
  readonly json: boolean;
}

const EXAMPLES = `
Examples:
  biphase freeze digits-int8.safetensors -o digits.wasm
  biphase freeze digits.safetensors --calibration train-images.idx.gz --relaxed
  biphase freeze regression.safetensors --f32 --max-batch 1

One WebAssembly module with weights, plan and kernels, without imports: docs/ABI.md says how any host runs it. An int8 model that
was trained on bytes takes bytes, with its scaling inside; --input-type f32 makes it take f32 instead. A file that takes f32 takes
numbers as the network sees them: biphase run does to its inputs what the training did, other hosts must (inspect says what).`;

export const freeze = () =>
  withCalibrationOptions(withModelOptions(new Command('freeze')))
    .description('Writes a model as one WebAssembly file that runs in any host.')
    .argument('<model>', 'a model file: quantized, or f32 with --calibration or --f32')
    .option('--calibration <file>', 'quantize an f32 model on these samples first')
    .option('--relaxed', 'use relaxed SIMD: faster where a host has it, refused where not', false)
    .option('--f32', 'freeze an f32 model as it is', false)
    .option('--max-batch <n>', 'most samples of one run', whole(1, 65536), 64)
    .option(
      '--input-type <type>',
      'u8 or f32: what the file takes (bytes where the model was trained on bytes)',
    )
    .option('-o, --output <file>', 'where the module goes', 'model.wasm')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(act);

async function act(path: string, options: Options): Promise<void> {
  const { output, relaxed, f32, maxBatch, json } = options;
  const { calibration, layers } = options;
  await checkFiles({ '<model>': path, '--calibration': calibration, '--layers': layers }, { '-o': output });
  const loaded = await readModel(path, options);
  const model = await chosen(path, loaded, options);
  const { facts } = loaded;
  const byteInput = bytesFor(model, loaded, options.inputType);
  const file = await exportWasm(model, {
    ...{ maxBatch, relaxed, f32, notes: loaded.notes },
    ...(byteInput && { byteInput }),
  });
  await writeWhole(output, file);
  const { fileBytes, weightBytes, build, input } = inspect(file);
  report(json, { file: output, fileBytes, weightBytes, build, maxBatch, input }, [
    `wrote ${output}: ${bytes(fileBytes)}, ${bytes(fileBytes - weightBytes)} of them beyond its weights`,
    `takes ${input.dtype} ${input.shape.join(' x ')}, up to ${maxBatch} samples a run; needs ${build === 'relaxed' ? 'relaxed SIMD' : 'WebAssembly SIMD'}`,
    ...(byteInput || !facts.transform
      ? []
      : [`hosts give inputs as the network sees them: ${toldTransform(facts.transform)}`]),
  ]);
}

/** How bytes become inputs inside of the file; undefined where it is to take f32. */
function bytesFor(
  model: StoredModel,
  { path, facts }: FileModel,
  wish: string | undefined,
): data.Scaling | undefined {
  const { type, transform = { scale: 1, shift: 0 } } = facts;
  const canScale = 'scale' in transform;
  if (wish !== undefined && wish !== 'u8' && wish !== 'f32')
    throw new BiphaseError('invalid_argument', `--input-type is ${wish}, expected u8 or f32`);
  if (wish === 'u8' && !canScale)
    throw new BiphaseError(
      'unsupported',
      `${path} standardizes each input by itself, which a file that takes bytes can't; use --input-type f32`,
    );
  const takes = wish ?? (type === 'u8' && canScale && !(model instanceof FrozenModel) ? 'u8' : 'f32');
  return takes === 'u8' && canScale ? transform : undefined;
}

/** The model in the form that was asked for. */
async function chosen(path: string, loaded: FileModel, options: Options): Promise<StoredModel> {
  const { model } = loaded;
  const { f32, calibration } = options;
  if (f32) return model instanceof FrozenModel ? model : model.frozen;
  if (!(model instanceof FrozenModel)) return model;
  if (!calibration)
    throw new BiphaseError(
      'invalid_argument',
      `${path} is not quantized: give --calibration with samples, or --f32 to freeze it as it is`,
    );
  const engine = await openEngine({ backend: 'wasm' });
  try {
    return await engine.quantize(model, { calibration: await calibrationOf(loaded, calibration, options) });
  } finally {
    engine.dispose();
  }
}
