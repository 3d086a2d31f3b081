import { Command } from 'commander';
import { writeWhole } from '../../io/file.ts';
import { BiphaseError, FrozenModel, freeze as freezeModel, inspect, type StoredModel } from '../../node.ts';
import { openEngine } from '../engine.ts';
import { checkFiles } from '../files.ts';
import { type ModelOptions, readModel, transformOf, withModelOptions } from '../models.ts';
import { jsonOption, whole } from '../options.ts';
import { bytes, report } from '../print.ts';
import { calibrationOf } from './quantize.ts';

interface Options extends ModelOptions {
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

One WebAssembly module with weights, plan and kernels, without imports: docs/ABI.md says how any host runs it. A model that was
trained on bytes takes bytes, with its scaling inside; --input-type f32 makes it take f32 instead.`;

export const freeze = () =>
  withModelOptions(new Command('freeze'))
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
  const transform = transformOf(loaded);
  const isF32 = model instanceof FrozenModel;
  const type = options.inputType ?? (transform && !isF32 ? 'u8' : 'f32');
  if (type !== 'u8' && type !== 'f32')
    throw new BiphaseError('invalid_argument', `--input-type is ${type}, expected u8 or f32`);
  const byteInput = type === 'u8' ? (transform ?? { scale: 1, shift: 0 }) : undefined;
  const file = await freezeModel(model, { maxBatch, relaxed, f32, ...(byteInput && { byteInput }) });
  await writeWhole(output, file);
  const { fileBytes, weightBytes, build, input } = inspect(file);
  report(json, { file: output, fileBytes, weightBytes, build, maxBatch, input }, [
    `wrote ${output}: ${bytes(fileBytes)}, ${bytes(fileBytes - weightBytes)} of them beyond its weights`,
    `takes ${input.dtype} ${input.shape.join(' x ')}, up to ${maxBatch} samples a run; needs ${build === 'relaxed' ? 'relaxed SIMD' : 'WebAssembly SIMD'}`,
  ]);
}

/** The model in the form that was asked for. */
async function chosen(
  path: string,
  loaded: Awaited<ReturnType<typeof readModel>>,
  { f32, calibration, samples }: Options,
): Promise<StoredModel> {
  const { model } = loaded;
  if (f32) return model instanceof FrozenModel ? model : model.frozen;
  if (!(model instanceof FrozenModel)) return model;
  if (!calibration)
    throw new BiphaseError(
      'invalid_argument',
      `${path} is not quantized: give --calibration with samples, or --f32 to freeze it as it is`,
    );
  const engine = await openEngine({ backend: 'wasm' });
  try {
    return await engine.quantize(model, { calibration: await calibrationOf(loaded, calibration, samples) });
  } finally {
    engine.dispose();
  }
}
