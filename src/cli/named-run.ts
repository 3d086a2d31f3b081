import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '../io/file.ts';
import { reasonOf } from '../io/reasons.ts';
import { BiphaseError, data, type TypedArray } from '../node.ts';
import type { Outputs } from './data/answers.ts';
import { readSource } from './data/read.ts';
import { type Header, widthOf } from './data/source.ts';
import { checkFiles } from './files.ts';
import { type FrozenFile, runTensors, wholeOf } from './frozen-run.ts';
import { jsonNumber } from './numbers.ts';

/** Whether inputs are given by name, as a file with several takes them. */
export const isNamed = (inputs: readonly string[]): boolean =>
  inputs.some((text) => /^[^/\\.=]+=/.test(text));

const wrong = (message: string): never => {
  throw new BiphaseError('invalid_argument', message);
};

/** `ids=a.npy`: which file each input of a frozen file is read from, in the file's order. */
function pathsOf({ path, info }: FrozenFile, given: readonly string[]): string[] {
  const example = info.inputs.map(({ name }) => `${name}=FILE`).join(' ');
  const pairs = given.map((text): [string, string] => {
    const at = text.indexOf('=');
    return at > 0
      ? [text.slice(0, at), text.slice(at + 1)]
      : wrong(`'${text}' names no input; give ${example}`);
  });
  const files = new Map(pairs);
  if (files.size < pairs.length) wrong(`an input is given twice; give ${example}`);
  const names = info.inputs.map(({ name }) => name);
  for (const [name, file] of files) {
    if (!names.includes(name)) wrong(`${path} has no input '${name}'; give ${example}`);
    if (file === '') wrong(`input '${name}' names no file; give ${example}`);
  }
  return names.map(
    (name) => files.get(name) ?? wrong(`input '${name}' of ${path} is missing; give ${example}`),
  );
}

/** Reads one file for each input, as the frozen file has them: whole numbers as they are, samples in rows. */
async function readInputs(file: FrozenFile, paths: readonly string[], header: Header | undefined) {
  const inputs: TypedArray[] = [];
  let count: number | undefined;
  for (const [i, { name, dtype, shape }] of file.info.inputs.entries()) {
    const source = await readSource(paths[i], header);
    const size = shape.reduce((a, b) => a * b, 1);
    const rows = source.shape[0];
    if (widthOf(source) !== size)
      throw new BiphaseError(
        'shape_mismatch',
        `${paths[i]} has ${widthOf(source)} values a sample, input '${name}' takes ${size}`,
      );
    count ??= rows;
    if (rows !== count)
      throw new BiphaseError(
        'shape_mismatch',
        `${paths[i]} has ${rows} samples, ${paths[0]} has ${count}; expected as many`,
      );
    const text = source.texts?.keys().next();
    if (text && !text.done)
      throw new BiphaseError(
        'invalid_data',
        `${paths[i]} holds text in sample ${Math.floor(text.value / size)}; expected numbers alone`,
      );
    const samples = { path: paths[i], values: source.values, size };
    inputs.push(dtype === 'f32' ? Float32Array.from(source.values) : wholeOf(file, dtype, samples as never));
  }
  return { inputs, count: count! };
}

/** Where the files of a run by name are: one for each input, and for each output if they are written. */
export interface NamedFiles {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/**
 * Finds the files, before any work: outputs are NAME.npy in a folder, which is made if it is not there. Throws 'invalid_argument' where
 * one is another's, or the name of an output is no file's, and 'io_failed' where they could not be written.
 */
export async function filesOf(
  file: FrozenFile,
  given: readonly string[],
  folder: string | undefined,
): Promise<NamedFiles> {
  const { inputs, outputs } = file.info;
  const reads = pathsOf(file, given);
  const names = folder === undefined ? [] : outputs.map(({ name }) => name);
  const odd = names.find((name) => /[/\\]|^\.{0,2}$/.test(name));
  if (odd !== undefined) wrong(`output '${odd}' of ${file.path} can't be the name of a file; leave out -o`);
  if (folder !== undefined)
    await mkdir(folder, { recursive: true }).catch((error) => {
      throw new BiphaseError('io_failed', `could not make the folder ${folder}: ${reasonOf(error)}`, {
        cause: error,
      });
    });
  const writes = names.map((name) => join(folder!, `${name}.npy`));
  const named = (list: readonly { readonly name: string }[], paths: readonly string[]) =>
    Object.fromEntries(paths.map((path, i) => [list[i].name, path]));
  await checkFiles({ '<model>': file.path, ...named(inputs, reads) }, named(outputs, writes));
  return { inputs: reads, outputs: writes };
}

/** Runs a frozen file on inputs by name, and writes its outputs. */
export async function runNamed(file: FrozenFile, files: NamedFiles, header: Header | undefined) {
  const { inputs, count } = await readInputs(file, files.inputs, header);
  const outputs = await runTensors(file, inputs, count);
  for (const [i, path] of files.outputs.entries())
    await writeWhole(path, data.encodeNpy(outputs[i].values, [count, ...file.info.outputs[i].shape]));
  return { count, outputs };
}

/** Each sample's outputs by name. */
export const namedRows = ({ info }: FrozenFile, outputs: readonly Outputs[], count: number) =>
  Array.from({ length: count }, (_, row) =>
    Object.fromEntries(
      info.outputs.map(({ name }, i) => {
        const { values, width } = outputs[i];
        return [name, Array.from(values.subarray(row * width, (row + 1) * width), jsonNumber)];
      }),
    ),
  );
