import { BiphaseError, data } from '../../node.ts';
import { columnsOf, listed, numbersIn } from './columns.ts';
import type { ModelFacts } from './facts.ts';
import { bad, type Source, widthOf } from './source.ts';

/** Samples as their file has them, before the transform. */
export interface Samples {
  readonly path: string;
  readonly count: number;
  /** Values of one sample. */
  readonly size: number;
  /** The shape of one sample in its file. */
  readonly shape: readonly number[];
  /** count x size. */
  readonly values: Float32Array | Uint8Array;
  /** 'u8': bytes 0 to 255. Bools are numbers 0 and 1. */
  readonly type: 'u8' | 'f32';
  readonly names?: readonly string[];
  readonly remarks: readonly string[];
}

export interface InputOptions {
  /** A column that is no input. */
  readonly except?: number;
  /** NaN and infinities of NPY files may pass; what f32 can't hold may not. */
  readonly allowNaN?: boolean;
  /** What the samples are for, in messages. */
  readonly model?: string;
}

/** The inputs of a file that a model is to be trained on: all columns but the labels and pandas' index. */
export function inputsOf(source: Source, { except, allowNaN = false }: InputOptions = {}): Samples {
  const { columns, index } = columnsOf(source);
  const kept = columns.filter((c) => c !== except);
  if (kept.length === 0) bad(`${source.path} has no columns beside the labels; expected inputs`);
  const remarks = index ? ["its first column only numbers the rows and isn't used"] : [];
  return samples(source, kept, allowNaN, remarks);
}

/**
 * The inputs of a file for a model that is there: where both know names, the columns of those names, in the model's order;
 * else as they come. What the model was to learn is left out. Throws 'shape_mismatch' for samples of another size.
 */
export function inputsFor(
  source: Source,
  { inputs, target }: ModelFacts,
  shape: readonly number[],
  { except, allowNaN = false, model = 'the model' }: InputOptions = {},
): Samples {
  const size = shape.reduce((a, b) => a * b, 1);
  const { path, columns: names } = source;
  if (inputs && names && new Set(inputs).size === size) {
    const found = inputs.map((name) => names.indexOf(name));
    const missing = inputs.filter((_, i) => found[i] < 0);
    if (missing.length === 0) return samples(source, found, allowNaN);
    if (missing.length < size)
      bad(`${path} has no column ${listed(missing)}; the model's inputs are ${listed(inputs, 20)}`);
  }
  const known = except ?? (target && names && widthOf(source) > size ? names.indexOf(target) : -1);
  const taken = inputsOf(source, { except: known, allowNaN });
  if (taken.size !== size)
    throw new BiphaseError(
      'shape_mismatch',
      `${path} has samples of ${taken.size} values (${taken.shape.join(' x ')}), ${model} takes ${size} (${shape.join(' x ')})` +
        (taken.size === size + 1 && except === undefined
          ? '; if one column holds the labels, --target names it'
          : ''),
    );
  const other =
    inputs && names
      ? [`its columns have other names than the model's inputs (${listed(inputs)}): taken in order`]
      : [];
  return { ...taken, remarks: [...taken.remarks, ...other] };
}

function samples(
  source: Source,
  columns: number[],
  allowNaN: boolean,
  remarks: readonly string[] = [],
): Samples {
  const { path, shape, type } = source;
  const all = columns.length === widthOf(source);
  return {
    ...{ path, count: shape[0], size: columns.length },
    shape: all ? shape.slice(1) : [columns.length],
    values: numbersIn(source, columns, allowNaN),
    type: type === 'u8' ? 'u8' : 'f32',
    ...(source.columns && { names: columns.map((c) => source.columns![c]) }),
    remarks: [...source.remarks, ...remarks],
  };
}

/** Values are of another unit than those a model was trained on where one is more than so many times the other. */
const OTHER_UNIT = 16;

/** Samples as the model sees them: f32, through its transform. Throws 'invalid_data' where f32 does not hold one. */
export function transformed(facts: ModelFacts, samples: Samples): Float32Array {
  const { path, values, size } = samples;
  const seen = data.transformed(values, size, facts.transform);
  const lost = seen.findIndex((x, at) => !Number.isFinite(x) && Number.isFinite(values[at]));
  if (lost >= 0)
    bad(
      `${path}, sample ${Math.floor(lost / size)}: ${values[lost]} is more than f32 holds once it is scaled as the model's inputs are`,
    );
  return seen;
}

/**
 * What is to be said of bytes for a model that was trained on other numbers of another size, and the other way round: their
 * scale is hardly the one that the transform is for.
 */
export function otherUnit({ type, largest }: ModelFacts, samples: Samples): string | undefined {
  if (type === undefined || !largest || type === samples.type) return undefined;
  const given = largestOf(samples.values);
  if (given === 0 || (given * OTHER_UNIT > largest && given < largest * OTHER_UNIT)) return undefined;
  const kind = (t: string) => (t === 'u8' ? 'bytes' : 'numbers');
  return (
    `${samples.path} holds ${kind(samples.type)} up to ${given}, the model was trained on ${kind(type)} up to ${largest} and does to ` +
    `inputs what was done to those; --scale is for a factor between the two (such as ${given < largest ? '255' : '0.00392'})`
  );
}

/** The largest magnitude among values. */
export function largestOf(values: Float32Array | Uint8Array): number {
  let largest = 0;
  for (const x of values) if (Math.abs(x) > largest) largest = Math.abs(x);
  return largest;
}

/** Samples times a factor, as --scale has it: numbers in another unit than the model's. */
export function scaled(samples: Samples, scale: number | undefined): Samples {
  if (scale === undefined) return samples;
  return { ...samples, type: 'f32', values: Float32Array.from(samples.values, (x) => x * scale) };
}
