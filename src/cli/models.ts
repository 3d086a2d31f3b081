import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { BiphaseError, FrozenModel, type LoadedModel, loadModel, nn } from '../node.ts';
import { columnOf } from './data/columns.ts';
import { factsOf, type ModelFacts } from './data/facts.ts';
import { inputsFor, otherUnit, scaled, transformed } from './data/inputs.ts';
import { kindOf, SAFETENSORS } from './data/kinds.ts';
import type { Header, Source } from './data/source.ts';
import { toldSamples } from './data/tell.ts';
import { read } from './files.ts';
import { real, sizes } from './options.ts';
import { say } from './print.ts';

/** A model of a file, and what its numbers stand for. */
export interface FileModel extends LoadedModel {
  readonly path: string;
  readonly facts: ModelFacts;
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
  /** JSON file with the layers, for weights whose file does not name them. */
  readonly layers?: string;
  /** Shape of a sample, for the same. */
  readonly input?: readonly number[];
}

/** The options behind ModelOptions. */
export const withModelOptions = (command: Command): Command =>
  command
    .option('--layers <file>', 'JSON file with the layers, for a file of weights that does not name them')
    .option(
      '--input <sizes>',
      "sizes of one sample, for the same (a first linear layer's, if not given)",
      sizes,
    );

/** How the samples of a file become a model's inputs. */
export interface DataOptions {
  readonly target?: string;
  readonly header: Header;
  readonly scale?: number;
}

export const headerOption = () =>
  new Option('--header <when>', 'whether the first row of a CSV file names its columns')
    .choices(['auto', 'yes', 'no'])
    .default('auto');

/** The options behind DataOptions. */
export const withDataOptions = (command: Command): Command =>
  command
    .option('--target <column>', 'column of a CSV file that holds labels: its name, or its number from 0')
    .addOption(headerOption())
    .option(
      '--scale <s>',
      "factor on the file's numbers, where they are in another unit than the model's",
      real(-1e9, 1e9),
    );

/** Throws 'invalid_data' where a file's first bytes are those of another kind, with its name and what to do. */
export function expectModelFile(path: string, file: Uint8Array): void {
  const data = file[0] === 0x93 ? 'an NPY file' : file[0] === 0 && file[1] === 0 ? 'an IDX file' : undefined;
  const kind = kindOf(file) ?? (data && { name: data, advice: 'give it where samples are expected' });
  if (kind && kind.name !== SAFETENSORS)
    throw new BiphaseError(
      'invalid_data',
      `${path} is ${kind.name}, not a model file. What to do: ${kind.advice}`,
    );
}

/** A model file, or the weights of a safetensors file in the layers given. */
export async function readModel(
  path: string,
  { layers, input }: Partial<ModelOptions> = {},
): Promise<FileModel> {
  const file = await read(path);
  if (isWasm(file))
    throw new BiphaseError('invalid_data', `${path} is a frozen file; give the model file it was made from`);
  expectModelFile(path, file);
  const model = layers === undefined ? undefined : await readLayers(layers);
  try {
    const loaded = await loadModel(file, { model, input });
    for (const remark of loaded.remarks) say(`${path}: ${remark}`);
    const { shape } = frozenOf(loaded).input;
    return {
      ...loaded,
      path,
      facts: factsOf(
        path,
        loaded.notes,
        shape.reduce((a, b) => a * b, 1),
      ),
    };
  } catch (error) {
    if (error instanceof BiphaseError && !error.message.startsWith(path))
      throw new BiphaseError(error.code, `${path}: ${error.message}`);
    throw error;
  }
}

/** By all four bytes: the length that a safetensors file begins with may have two of them. */
export const isWasm = (file: Uint8Array): boolean => [0, 0x61, 0x73, 0x6d].every((b, i) => file[i] === b);

export const frozenOf = ({ model }: Pick<LoadedModel, 'model'>): FrozenModel =>
  model instanceof FrozenModel ? model : model.frozen;

/** The samples of a file as this model sees them, told in a line. Throws where they are not of its size or its unit. */
export function samplesFor(
  { facts, model }: FileModel,
  source: Source,
  { target, scale }: DataOptions,
): Float32Array {
  const except = target === undefined ? undefined : columnOf(source, target);
  const samples = scaled(inputsFor(source, facts, frozenOf({ model }).input.shape, { except }), scale);
  const remark = otherUnit(facts, samples);
  if (remark) throw new BiphaseError('invalid_data', remark);
  const seen = transformed(facts, samples);
  say(toldSamples(samples, facts));
  return seen;
}

/** The version of this package. */
export async function version(): Promise<string> {
  // The same two levels up from src/cli/ and from dist/cli/.
  const manifest = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
