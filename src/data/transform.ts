import { type Check, listOf, object, positive, real, required } from '../core/checks.ts';
import type { TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { nested } from '../core/options.ts';

/** One product and one sum for all values: x * scale + shift. */
export interface Scaling {
  /** What inputs are multiplied by. */
  readonly scale: number;
  /** What is added then. */
  readonly shift: number;
}

/** Each value of a sample less its mean, over its standard deviation: (x - mean[i]) / deviation[i]. */
export interface Standardization {
  /** One for each value of a sample. */
  readonly mean: ArrayLike<number>;
  /** One for each value of a sample; not 0. */
  readonly deviation: ArrayLike<number>;
}

/** What is done to inputs before a model sees them. Computed in f64, rounded once to f32. */
export type Transform = Scaling | Standardization;

const isScaling = nested<Scaling>('transform', { scale: required(real()), shift: required(real()) });
const isStandardization = nested<Standardization>('transform', {
  mean: required(listOf(real())),
  deviation: required(listOf(positive)),
});

/**
 * The mean and the standard deviation (over n, as scikit-learn's StandardScaler) of each of a sample's `size` values, over
 * the samples at `indices` (all if not given). A value that is the same in all samples gets the deviation 1, and so becomes 0.
 * Throws 'invalid_data' without samples.
 */
export function standardize(
  values: Float32Array | Uint8Array,
  size: number,
  indices: ArrayLike<number> = Uint32Array.from({ length: values.length / size }, (_, i) => i),
): Standardization {
  const count = indices.length;
  if (count === 0) fail('invalid_data', 'there are no samples to take means of; expected at least one');
  // Differences from the first sample keep their digits where a mean is far from 0, and are all 0 in a constant column.
  const first = values.subarray(indices[0] * size, (indices[0] + 1) * size);
  const middle = new Float64Array(size);
  const deviation = new Float64Array(size);
  for (let i = 0; i < count; i++)
    for (let j = 0, at = indices[i] * size; j < size; j++) middle[j] += values[at + j] - first[j];
  for (let j = 0; j < size; j++) middle[j] /= count;
  for (let i = 0; i < count; i++)
    for (let j = 0, at = indices[i] * size; j < size; j++)
      deviation[j] += (values[at + j] - first[j] - middle[j]) ** 2;
  for (let j = 0; j < size; j++) deviation[j] = Math.sqrt(deviation[j] / count) || 1;
  const mean = middle.map((m, j) => first[j] + m);
  return { mean, deviation };
}

/** Transforms one sample, whose values begin at `start`, and writes them from `at` on. */
export type Apply = (from: TypedArray, start: number, into: TypedArray, at: number) => void;

/** A transform of either kind; options that name one are checked by its own names. */
export const isTransform: Check = Object.assign(
  (x: unknown) => (object(x) && 'mean' in (x as object) ? isStandardization(x) : isScaling(x)),
  { expected: 'an object of scale, shift, or of mean, deviation' },
);

/** Values for which a view is more work than copying them. */
const FEW = 16;

/** What a transform does to one sample of `size` values. Throws 'shape_mismatch' for a transform of other samples. */
export function applying(transform: Transform | undefined, size: number): Apply {
  if (!transform || ('scale' in transform && transform.scale === 1 && transform.shift === 0))
    return size > FEW
      ? (from, start, into, at) => into.set(from.subarray(start, start + size), at)
      : (from, start, into, at) => {
          for (let j = 0; j < size; j++) into[at + j] = from[start + j];
        };
  if ('scale' in transform) {
    const { scale, shift } = transform;
    return (from, start, into, at) => {
      for (let j = 0; j < size; j++) into[at + j] = from[start + j] * scale + shift;
    };
  }
  const { mean, deviation } = transform;
  if (mean.length !== size || deviation.length !== size)
    fail(
      'shape_mismatch',
      `the transform has ${mean.length} means and ${deviation.length} deviations; a sample has ${size} values`,
    );
  return (from, start, into, at) => {
    for (let j = 0; j < size; j++) into[at + j] = (from[start + j] - mean[j]) / deviation[j];
  };
}

/** All samples (of `size` values each) as a model with this transform sees them. */
export function transformed(
  values: Float32Array | Uint8Array,
  size: number,
  transform: Transform | undefined,
): Float32Array<ArrayBuffer> {
  const apply = applying(transform, size);
  const all = new Float32Array(values.length);
  for (let at = 0; at < values.length; at += size) apply(values, at, all, at);
  return all;
}
