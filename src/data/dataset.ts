import { expectArray, expectAttached } from '../core/arrays.ts';
import { check, required, sizes } from '../core/checks.ts';
import { type DType, dtypeOf, type TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { type Shape, showShape, sizeOf } from '../core/shape.ts';
import { applying, isTransform, type Transform } from './transform.ts';

/** Type of one sample's input or target, without the batch dimension. */
export interface SampleType {
  /** Element type. */
  readonly dtype: DType;
  /** Sizes, without the batch dimension; [] for one number. */
  readonly shape: Shape;
}

/** Samples by position. */
export interface DataSet {
  /** Number of samples. */
  readonly length: number;
  /** Type of one sample's input. */
  readonly input: SampleType;
  /** Type of one sample's target. */
  readonly target: SampleType;
  /** Copies the samples at `indices`, one after the other, into a batch; awaited where it is asynchronous. */
  gather(indices: ArrayLike<number>, input: TypedArray, target: TypedArray): void | Promise<void>;
}

/** Samples in memory, one after the other. */
export interface ArraySource {
  /** count x inputShape values. Bytes (u8) stay bytes in memory and become f32 when a batch is gathered. */
  readonly input: Float32Array | Uint8Array;
  /** Shape of one sample's input. */
  readonly inputShape: Shape;
  /** count x targetShape values: class numbers (i32 or u8) or f32. */
  readonly target: Float32Array | Int32Array | Uint8Array;
  /** [] (one number for each sample) if not given. */
  readonly targetShape?: Shape;
  /** Applied to inputs as they are gathered; none if not given. */
  readonly transform?: Transform;
}

const values = required(check('typed arrays', (x) => typeof x === 'object' && x !== null));
const checkSource = optionsOf<ArraySource>('fromArrays', {
  input: values,
  inputShape: required(sizes),
  target: values,
  targetShape: sizes,
  transform: isTransform,
});

/** A data set over arrays in memory; nothing is copied until a batch is gathered. */
export function fromArrays(source: ArraySource): DataSet {
  const { input, inputShape, target, targetShape = [], transform } = checkSource(source);
  expectArray("the data set's input", input, 'f32', 'u8', 'i8', 'i32');
  expectArray("the data set's target", target, 'f32', 'i32', 'u8', 'i8');
  const inputSize = sizeOf(inputShape);
  const targetSize = sizeOf(targetShape);
  const length = input.length / inputSize;
  if (input.length === 0) fail('invalid_data', 'the data set is empty; expected at least one sample');
  if (!Number.isInteger(length))
    fail(
      'shape_mismatch',
      `${input.length} input values are not a whole number of samples of shape ${showShape(inputShape)}`,
    );
  if (target.length !== length * targetSize)
    fail(
      'shape_mismatch',
      `${length} inputs need ${length * targetSize} target values of shape ${showShape(targetShape)}, got ${target.length}`,
    );
  const apply = applying(transform, inputSize);
  return {
    length,
    input: { dtype: 'f32', shape: inputShape },
    target: { dtype: dtypeOf(target) === 'f32' ? 'f32' : 'i32', shape: targetShape },
    gather(indices, intoInput, intoTarget) {
      expectAttached("the data set's input", input);
      expectAttached("the data set's target", target);
      for (let i = 0; i < indices.length; i++) {
        const sample = indices[i];
        if (!(sample >= 0 && sample < length))
          fail('out_of_range', `sample ${sample} was asked for; the data set has ${length}`);
        apply(input, sample * inputSize, intoInput, i * inputSize);
        for (let j = 0; j < targetSize; j++) intoTarget[i * targetSize + j] = target[sample * targetSize + j];
      }
    },
  };
}

/** The samples at `indices`, in that order, as a data set of its own over the same memory. */
export function pick(data: DataSet, indices: ArrayLike<number>): DataSet {
  const picked = Uint32Array.from(indices);
  const { length } = picked;
  const outside = picked.find((i) => i >= data.length);
  if (outside !== undefined)
    fail('out_of_range', `sample ${outside} was asked for; the data set has ${data.length}`);
  // Checked here: what is outside the choice may well be inside the data around it.
  const within = (i: number) =>
    i >= 0 && i < length
      ? picked[i]
      : fail('out_of_range', `sample ${i} was asked for; the data set has ${length}`);
  return {
    ...data,
    length,
    gather: (positions, input, target) => data.gather(Uint32Array.from(positions, within), input, target),
  };
}

/** The samples from `start` up to `end`, as a data set of its own over the same memory. */
export function subset(data: DataSet, start: number, end: number): DataSet {
  if (!(start >= 0 && end <= data.length && start < end))
    fail('out_of_range', `samples ${start} to ${end} are not inside a data set of ${data.length}`);
  return pick(
    data,
    Uint32Array.from({ length: end - start }, (_, i) => start + i),
  );
}

/** The first `count` samples. */
export const take = (data: DataSet, count: number): DataSet => subset(data, 0, count);
