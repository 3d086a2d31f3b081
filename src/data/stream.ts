import { typeName } from '../core/arrays.ts';
import { check, object, whole } from '../core/checks.ts';
import { bytesPerElement } from '../core/dtype.ts';
import { BiphaseError, fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import type { SampleType } from './dataset.ts';
import { type Rows, type RowsGiven, type RowTypes, rowsOf, type SampleTypes } from './rows.ts';

/** Rows that come one after the other, from a file, a network, a generator; what fits, evaluates and predicts takes it as it takes a data set. */
export interface StreamDataSet extends RowTypes {
  /** Rows of a pass, where that is known. */
  readonly length?: number;
  /**
   * Begins a pass, counted from 0, and gives its rows in order, one or several at a time. Passes need not be alike (a shuffle buffer's
   * are not), but the same pass must give the same rows again where a training is to go on from a checkpoint.
   */
  rows(pass: number): AsyncIterable<Rows>;
}

/** What gives rows, one or several at a time. */
export type RowIterable = AsyncIterable<RowsGiven> | Iterable<RowsGiven>;

/** Where a stream's rows come from: a function that begins a pass, counted from 0; or something to go through, once if it is a generator. */
export type StreamSource = RowIterable | ((pass: number) => RowIterable | Promise<RowIterable>);

/** Options of fromStream(): what rows are of. */
export interface StreamOptions {
  /** Type of the only input of a sample, which has no name: `f32(28, 28)`. */
  readonly input?: SampleType;
  /** Type of each input of a sample, by name: `{ ids: i32(128) }`. */
  readonly inputs?: SampleTypes;
  /** Type of the only target, which has no name: `i32()`. None where there is nothing to learn, as for predict(). */
  readonly target?: SampleType;
  /** Type of each target of a sample, by name. */
  readonly targets?: SampleTypes;
  /** Rows of a pass, if they are known: a pass with more or fewer is an error. */
  readonly length?: number;
}

const isType = (x: unknown): boolean => {
  const { dtype, shape } = (x ?? {}) as Partial<SampleType>;
  return (
    Object.hasOwn(bytesPerElement, dtype ?? '') &&
    Array.isArray(shape) &&
    shape.every((n) => Number.isSafeInteger(n) && n >= 1)
  );
};
const type = check('a type, such as f32(28, 28) or i32()', isType);
const types = check(
  'a type for each name, such as { ids: i32(128) }',
  (x) => object(x) && Object.keys(x as object).length > 0 && Object.values(x as object).every(isType),
);
export const typeChecks = { input: type, inputs: types, target: type, targets: types };
const checkStream = optionsOf<StreamOptions>('fromStream', { ...typeChecks, length: whole(1) });

/** The types that options say, or those that there were. */
export function typesIn(
  of: string,
  { input, inputs, target, targets }: StreamOptions,
  before?: RowTypes,
): RowTypes {
  if ((input && inputs) || (target && targets))
    fail(
      'invalid_argument',
      `${of}: got types with names and one without; give input or inputs, target or targets`,
    );
  return {
    inputs:
      inputs ??
      (input ? { input } : before?.inputs) ??
      fail(
        'invalid_argument',
        `${of}: input is missing, expected ${type.expected}; or inputs, a type for each name`,
      ),
    targets: targets ?? (target ? { target } : before?.targets) ?? {},
  };
}

/**
 * A data set of rows that come one after the other, `{ input, target }` or `{ inputs, targets }` each. What is given at once may be one
 * row or several, as many as its arrays have values for. A function is asked for each pass anew; what can be gone through once only,
 * such as a generator, is refused ('invalid_argument') when it is asked again.
 *
 * Where the source throws, ends before its `length` or gives rows of other types, who asked for rows gets 'invalid_data' (with the source's
 * error as its cause), 'shape_mismatch' or 'dtype_mismatch' with the number of the row; a fit stands after its last whole step then.
 */
export function fromStream(source: StreamSource, given: StreamOptions): StreamDataSet {
  const options = checkStream(given);
  const rowTypes = typesIn('fromStream', options);
  const { length } = options;
  const seen = new WeakSet<object>();
  return {
    ...rowTypes,
    ...(length !== undefined && { length }),
    async *rows(pass) {
      let row = 0;
      try {
        for await (const item of begun(typeof source === 'function' ? await source(pass) : source, seen)) {
          const rows = rowsOf(`the stream's row ${row}`, item, rowTypes);
          row += rows.count;
          if (length !== undefined && row > length)
            fail(
              'invalid_data',
              `the stream gave more than ${length} rows, which is the length that it was said to have`,
            );
          if (rows.count > 0) yield rows;
        }
      } catch (error) {
        if (error instanceof BiphaseError) throw error;
        const { message = String(error) } = (error ?? {}) as Partial<Error>;
        fail('invalid_data', `the stream's source threw at row ${row} of pass ${pass}: ${message}`, {
          cause: error,
        });
      }
      if (length !== undefined && row < length)
        fail('invalid_data', `the stream ended after ${row} rows; it was said to have ${length}`);
    },
  };
}

/** What a source gave for a pass, by an iterator that nobody has gone through. */
function begun(given: RowIterable, seen: WeakSet<object>): RowIterable {
  const of = given as Partial<AsyncIterable<RowsGiven> & Iterable<RowsGiven>> | undefined;
  const iterator =
    of?.[Symbol.asyncIterator]?.() ??
    of?.[Symbol.iterator]?.() ??
    fail(
      'invalid_argument',
      `fromStream: the source is ${typeName(of)}, expected rows to go through, or a function that begins a pass`,
    );
  if (seen.has(iterator))
    fail(
      'invalid_argument',
      "the stream's source can be gone through once, and that was done: give a function that begins each pass anew, such as () => rows()",
    );
  seen.add(iterator);
  const same = () => iterator;
  return (
    of?.[Symbol.asyncIterator] ? { [Symbol.asyncIterator]: same } : { [Symbol.iterator]: same }
  ) as RowIterable;
}
