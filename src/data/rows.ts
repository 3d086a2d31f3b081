import { expectAttached, typeName } from '../core/arrays.ts';
import { allocate, dtypeOf, type TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { showShape, sizeOf } from '../core/shape.ts';
import type { Arrays, SampleType } from './dataset.ts';

/** Types of a sample's inputs or targets, by name. */
export type SampleTypes = Readonly<Record<string, SampleType>>;

/** What rows are of. */
export interface RowTypes {
  /** Type of each input of one sample; one that needs no name is `input`. */
  readonly inputs: SampleTypes;
  /** Type of each target of one sample; one that needs no name is `target`. */
  readonly targets: SampleTypes;
}

/** One row or several, one after the other in each array. The arrays are good until the next rows are asked for. */
export interface Rows {
  /** How many. */
  readonly count: number;
  /** Each input of all of them. */
  readonly inputs: Arrays;
  /** Each target of all of them. */
  readonly targets: Arrays;
}

/** The values of one row, or of several one after the other: a number, or numbers in one flat array. */
export type RowValues = number | ArrayLike<number>;

/** One row or several as callers give them: without names, or by names. */
export interface RowsGiven {
  /** The only input, which has no name. */
  readonly input?: RowValues;
  /** Each input by its name. */
  readonly inputs?: Readonly<Record<string, RowValues>>;
  /** The only target, which has no name. */
  readonly target?: RowValues;
  /** Each target by its name. */
  readonly targets?: Readonly<Record<string, RowValues>>;
}

/** Arrays for `count` rows. */
export function arraysFor({ inputs, targets }: RowTypes, count: number): Rows {
  const of = (types: SampleTypes): Arrays =>
    Object.fromEntries(
      Object.entries(types).map(([name, { dtype, shape }]) => [name, allocate(dtype, count * sizeOf(shape))]),
    );
  return { count, inputs: of(inputs), targets: of(targets) };
}

/** Views of `count` rows from `start` on. */
export function rowsFrom(rows: Rows, start: number, count: number): Rows {
  const of = (arrays: Arrays): Arrays => {
    const views: Record<string, TypedArray> = {};
    for (const name in arrays) {
      const size = arrays[name].length / rows.count;
      views[name] = arrays[name].subarray(start * size, (start + count) * size);
    }
    return views;
  };
  return { count, inputs: of(rows.inputs), targets: of(rows.targets) };
}

/** Copies rows, the first to row `at` of what has room for `of` rows. */
export function copyRows(rows: Rows, into: Omit<Rows, 'count'>, at = 0): void {
  if (rows.count === 0) return;
  for (const part of ['inputs', 'targets'] as const)
    for (const name in rows[part]) {
      const values = rows[part][name];
      into[part][name].set(values, (at * values.length) / rows.count);
    }
}

/** What a caller gave, checked and in arrays of the types. `what` stands for it in messages: "the stream's row 12". */
export function rowsOf(what: string, given: RowsGiven, types: RowTypes): Rows {
  if (typeof given !== 'object' || given === null)
    fail('invalid_data', `${what} is ${typeName(given)}, expected an object such as { input, target }`);
  let count: number | undefined;
  let first = '';
  const part = (key: 'input' | 'target', of: SampleTypes): Arrays =>
    Object.fromEntries(
      Object.entries(of).map(([name, type]) => {
        const called = name === key ? name : `${key}s.${name}`;
        const values = (name === key ? given[key] : undefined) ?? given[`${key}s`]?.[name];
        const array = typed(`${what}: ${called}`, values, type);
        const rows = array.length / sizeOf(type.shape);
        if (!Number.isInteger(rows))
          fail(
            'shape_mismatch',
            `${what}: ${called} has ${array.length} values, expected ${sizeOf(type.shape)} for each row of ${showShape(type.shape)}`,
          );
        if (count !== undefined && rows !== count)
          fail(
            'shape_mismatch',
            `${what}: ${called} has ${array.length} values, ${rows} rows of ${showShape(type.shape)}; ${first} has ${count} rows`,
          );
        if (count === undefined) first = called;
        count = rows;
        return [name, array];
      }),
    );
  const inputs = part('input', types.inputs);
  const targets = part('target', types.targets);
  return { count: count ?? 0, inputs, targets };
}

/** Numbers as an array of a type; whole ones must be those of the type. */
function typed(what: string, values: RowValues | undefined, { dtype }: SampleType): TypedArray {
  if (dtypeOf(values) === dtype) {
    expectAttached(what, values as TypedArray);
    return values as TypedArray;
  }
  const list = typeof values === 'number' ? [values] : values;
  if (typeof list !== 'object' || list === null || typeof list.length !== 'number')
    return fail('invalid_data', `${what} is ${typeName(values)}, expected a number or an array of numbers`);
  const array = allocate(dtype, list.length);
  for (let i = 0; i < list.length; i++) {
    const value: unknown = list[i];
    if (typeof value !== 'number')
      fail('invalid_data', `${what} has ${typeName(value)} at ${i}, expected numbers in one flat array`);
    array[i] = value;
    if (dtype !== 'f32' && array[i] !== value)
      fail('dtype_mismatch', `${what} has ${value} at ${i}, expected whole numbers as ${dtype} holds them`);
  }
  return array;
}
