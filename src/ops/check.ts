import type { DType } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { sameShape, showShape } from '../core/shape.ts';
import type { TensorType } from './op.ts';

/** `f32 [2, 3]`, as error messages print it. */
export const showType = (t: TensorType): string => `${t.dtype} ${showShape(t.shape)}`;

/** Checks the number of inputs and each dtype; `null` accepts any dtype, a trailing '?' an absent input. */
export function expectInputs(
  op: string,
  inputs: readonly TensorType[],
  dtypes: readonly (DType | `${DType}?` | null)[],
): void {
  const required = dtypes.filter((d) => !d?.endsWith('?')).length;
  if (inputs.length < required || inputs.length > dtypes.length) {
    const expected = required === dtypes.length ? `${required}` : `${required} to ${dtypes.length}`;
    fail('invalid_argument', `${op}: got ${inputs.length} tensors, expected ${expected}`);
  }
  inputs.forEach((t, i) => {
    const want = dtypes[i]?.replace('?', '');
    if (want && t.dtype !== want)
      fail('dtype_mismatch', `${op}: input ${i} is ${showType(t)}, expected ${want}; convert it with cast()`);
  });
}

/** Checks that an input has one of these types. */
export function expectOneOf(op: string, t: TensorType, dtypes: readonly DType[]): void {
  if (!dtypes.includes(t.dtype))
    fail(
      'dtype_mismatch',
      `${op}: got ${showType(t)}, expected ${dtypes.join(' or ')}; convert it with cast()`,
    );
}

/** Checks that two tensors have one shape. */
export function expectSameShape(op: string, a: TensorType, b: TensorType): void {
  if (!sameShape(a.shape, b.shape))
    fail(
      'shape_mismatch',
      `${op}: got shapes ${showShape(a.shape)} and ${showShape(b.shape)}, expected the same`,
    );
}

/** Checks the number of dimensions. */
export function expectRank(op: string, t: TensorType, least: number, what = 'input'): void {
  if (t.shape.length < least)
    fail(
      'shape_mismatch',
      `${op}: ${what} has shape ${showShape(t.shape)}, expected at least ${least} dimension(s)`,
    );
}

/** Checks an attribute. */
export function expectNumber(op: string, name: string, value: number, least: number, most: number): void {
  if (!(value >= least && value <= most))
    fail('out_of_range', `${op}: ${name} is ${value}, expected a number from ${least} to ${most}`);
}
