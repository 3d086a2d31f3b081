import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { BiphaseError, data, FrozenModel, type LoadedModel, loadModel, nn } from '../node.ts';
import type { Numbers } from './data.ts';
import { read } from './files.ts';
import { sizes, whole } from './options.ts';

/** The note of a model file that says how bytes become its f32 inputs. */
const TRANSFORM = 'transform';

export const transformNote = (transform: data.Transform): Record<string, string> => ({
  [TRANSFORM]: JSON.stringify(transform),
});

/** How bytes become this model's inputs; undefined where its file does not say. */
export function transformOf({ notes }: Pick<LoadedModel, 'notes'>): data.Transform | undefined {
  if (notes[TRANSFORM] === undefined) return undefined;
  const { scale, shift } = JSON.parse(notes[TRANSFORM]) as data.Transform;
  return { scale, shift };
}

/** Layers from a JSON file. */
export async function readLayers(path: string): Promise<nn.Module> {
  const text = new TextDecoder().decode(await read(path));
  try {
    return nn.fromSpec(JSON.parse(text), path);
  } catch (error) {
    if (error instanceof BiphaseError) throw error;
    throw new BiphaseError('invalid_data', `${path} is not JSON: ${(error as Error).message}`);
  }
}

export interface ModelOptions {
  /** Most samples to calibrate on. */
  readonly samples: number;
  /** JSON file with the layers, for weights whose file does not name them. */
  readonly layers?: string;
  /** Shape of a sample, for the same. */
  readonly input?: readonly number[];
}

/** The options behind ModelOptions, and how many samples of a calibration file count. */
export const withModelOptions = (command: Command): Command =>
  command
    .option('--samples <n>', 'how many samples to calibrate on, from the first', whole(1, 1e6), 512)
    .option('--layers <file>', 'JSON file with the layers, for a file of weights that does not name them')
    .option('--input <sizes>', 'sizes of one sample, for the same', sizes);

/** A model file, or the weights of a safetensors file in the layers given. */
export async function readModel(
  path: string,
  { layers, input }: Partial<ModelOptions> = {},
): Promise<LoadedModel> {
  const file = await read(path);
  if (isWasm(file))
    throw new BiphaseError('invalid_data', `${path} is a frozen file; give the model file it was made from`);
  const model = layers === undefined ? undefined : await readLayers(layers);
  try {
    return await loadModel(file, { model, input });
  } catch (error) {
    if (error instanceof BiphaseError) throw new BiphaseError(error.code, `${path}: ${error.message}`);
    throw error;
  }
}

export const isWasm = (file: Uint8Array): boolean => file[0] === 0 && file[1] === 0x61;

export const frozenOf = ({ model }: LoadedModel): FrozenModel =>
  model instanceof FrozenModel ? model : model.frozen;

/** Samples for a model: f32, bytes through its transform. Throws 'shape_mismatch' where they are of another size. */
export function samplesFor(loaded: LoadedModel, { path, shape, values }: Numbers): Float32Array {
  const { shape: wanted } = frozenOf(loaded).input;
  const [size, given] = [wanted, shape.slice(1)].map((s) => s.reduce((a, b) => a * b, 1));
  if (size !== given)
    throw new BiphaseError(
      'shape_mismatch',
      `${path} has samples of ${given} values (${shape.slice(1).join(' x ')}), the model takes ${size} (${wanted.join(' x ')})`,
    );
  if (values instanceof Float32Array) return values;
  const { scale, shift } = transformOf(loaded) ?? { scale: 1, shift: 0 };
  const target = new Uint8Array(shape[0]);
  const set = data.fromArrays({ input: values, inputShape: wanted, target, transform: { scale, shift } });
  const samples = new Float32Array(values.length);
  set.gather(Uint32Array.from(target.keys()), samples, new Int32Array(shape[0]));
  return samples;
}

/** The version of this package. */
export async function version(): Promise<string> {
  // The same two levels up from src/cli/ and from dist/cli/.
  const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
