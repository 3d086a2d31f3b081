import type { DType, TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import type { Shape } from '../core/shape.ts';

/** Type of one sample's input or target, without the batch dimension. */
export interface SampleType {
  /** Element type. */
  readonly dtype: DType;
  /** Sizes, without the batch dimension; [] for one number. */
  readonly shape: Shape;
}

/** Samples by position, each with one input and one target. */
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

/** Values by name, of one sample or several. */
export type Arrays = Readonly<Record<string, TypedArray>>;

/** Samples by position, their inputs and targets by name; `input` or `target` is the name of one that needs none. */
export interface NamedDataSet {
  /** Number of samples. */
  readonly length: number;
  /** Type of each input of one sample. */
  readonly inputs: Readonly<Record<string, SampleType>>;
  /** Type of each target of one sample. */
  readonly targets: Readonly<Record<string, SampleType>>;
  /** Copies the samples at `indices`, one after the other, into a batch's arrays; awaited where it is asynchronous. */
  gather(indices: ArrayLike<number>, inputs: Arrays, targets: Arrays): void | Promise<void>;
}

/** A data set of either kind. */
export type AnyDataSet = DataSet | NamedDataSet;

/** A data set by names: one without is `{ input }` and `{ target }`. */
export const named = (data: AnyDataSet): NamedDataSet =>
  'inputs' in data
    ? data
    : {
        length: data.length,
        inputs: { input: data.input },
        targets: { target: data.target },
        gather: (indices, { input }, { target }) => data.gather(indices, input, target),
      };

/** The samples at `indices`, in that order, as a data set of its own over the same memory. */
export function pick<D extends AnyDataSet>(data: D, indices: ArrayLike<number>): D {
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
    gather: (positions: ArrayLike<number>, inputs: never, targets: never) =>
      data.gather(Uint32Array.from(positions, within), inputs, targets),
  };
}

/** The samples from `start` up to `end`, as a data set of its own over the same memory. */
export function subset<D extends AnyDataSet>(data: D, start: number, end: number): D {
  if (!(start >= 0 && end <= data.length && start < end))
    fail('out_of_range', `samples ${start} to ${end} are not inside a data set of ${data.length}`);
  return pick(
    data,
    Uint32Array.from({ length: end - start }, (_, i) => start + i),
  );
}

/** A data set by names as one of the kind of another: without names where that has none. */
export function asNamedLike(like: AnyDataSet, set: NamedDataSet): AnyDataSet {
  if ('inputs' in like || !set.inputs.input || !set.targets.target) return set;
  return {
    ...{ length: set.length, input: set.inputs.input, target: set.targets.target },
    gather: (indices: ArrayLike<number>, input: TypedArray, target: TypedArray) =>
      set.gather(indices, { input }, { target }),
  };
}
