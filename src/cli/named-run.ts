import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '../io/file.ts';
import { BiphaseError, data, type TypedArray } from '../node.ts';
import type { Outputs } from './data/answers.ts';
import { readSource } from './data/read.ts';
import { type Header, widthOf } from './data/source.ts';
import { type FrozenFile, runTensors, wholeOf } from './frozen-run.ts';

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
async function readInputs(file: FrozenFile, given: readonly string[], header: Header | undefined) {
  const paths = pathsOf(file, given);
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

/** Runs a frozen file on inputs by name. */
export async function runNamed(file: FrozenFile, given: readonly string[], header: Header | undefined) {
  const { inputs, count } = await readInputs(file, given, header);
  return { count, outputs: await runTensors(file, inputs, count) };
}

/** Writes each output as NAME.npy into a folder, which is made if it is not there. */
export async function writeNamed(
  { info }: FrozenFile,
  folder: string,
  outputs: readonly Outputs[],
  count: number,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [i, { name, shape }] of info.outputs.entries())
    await writeWhole(join(folder, `${name}.npy`), data.encodeNpy(outputs[i].values, [count, ...shape]));
}

/** Each sample's outputs by name. */
export const namedRows = ({ info }: FrozenFile, outputs: readonly Outputs[], count: number) =>
  Array.from({ length: count }, (_, row) =>
    Object.fromEntries(
      info.outputs.map(({ name }, i) => {
        const { values, width } = outputs[i];
        return [name, Array.from(values.subarray(row * width, (row + 1) * width))];
      }),
    ),
  );
