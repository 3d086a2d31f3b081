import { expectArray } from '../core/arrays.ts';
import type { DType, TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';

/** `rows` rows of `columns` elements, each starting `stride` after the one before. */
export type Extent = readonly [rows: number, columns: number, stride: number];

/** Throws unless the array has the type and is long enough for what the call touches. */
export function needed(what: string, array: TypedArray, dtype: DType, [rows, columns, stride]: Extent): void {
  expectArray(what, array, dtype);
  if (!Number.isInteger(stride) || stride < columns)
    fail(
      'invalid_argument',
      `${what}: rows start every ${stride} elements, expected at least the ${columns} that a row has`,
    );
  const length = rows === 0 || columns === 0 ? 0 : (rows - 1) * stride + columns;
  if (array.length < length)
    fail(
      'shape_mismatch',
      `${what} has ${array.length} elements; ${rows} rows of ${columns} every ${stride} need ${length}`,
    );
}

/** Throws if a result would be written over operands that are still being read. */
export function apart(what: string, out: TypedArray, ...operands: (TypedArray | undefined)[]): void {
  for (const x of operands)
    if (
      x?.buffer === out.buffer &&
      x.byteOffset < out.byteOffset + out.byteLength &&
      out.byteOffset < x.byteOffset + x.byteLength
    )
      fail('invalid_argument', `${what}: out shares memory with an operand; give it memory of its own`);
}
