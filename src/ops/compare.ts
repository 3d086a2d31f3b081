import { fail } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import { commonShape, forEachOf } from './broadcast.ts';
import { expectInputs, showType } from './check.ts';
import { type Op, op } from './op.ts';
import { scalar, unbroadcast } from './symbolic.ts';

const given = new Set(['f32', 'i32', 'u8']);

/** Answers are bytes: 1 where it is so, else 0. Nothing compares with NaN but `ne`. */
function comparison(name: string, holds: (a: number, b: number) => boolean, expected = given): Op {
  return op({
    permuted: (attrs) => attrs,
    infer(inputs) {
      expectInputs(name, inputs, [null, null]);
      const [a, b] = inputs;
      if (a.dtype !== b.dtype || !expected.has(a.dtype))
        fail(
          'dtype_mismatch',
          `${name}: got ${showType(a)} and ${showType(b)}, expected two tensors of one type out of ${[...expected].join(', ')}`,
        );
      return { dtype: 'u8', shape: commonShape(name, inputs) };
    },
    reference: (inputs, y) => forEachOf(inputs, y, (a, b) => (holds(a, b) ? 1 : 0)),
    flops: (_, y) => sizeOf(y.shape),
  });
}

const bytes = new Set(['u8']);

export const compare = {
  eq: comparison('eq', (a, b) => a === b),
  ne: comparison('ne', (a, b) => a !== b),
  lt: comparison('lt', (a, b) => a < b),
  le: comparison('le', (a, b) => a <= b),
  logical_and: comparison('logical_and', (a, b) => a !== 0 && b !== 0, bytes),
  logical_or: comparison('logical_or', (a, b) => a !== 0 || b !== 0, bytes),

  /** The element of the second operand where the first, of bytes, is not 0, else that of the third. f32 or i32. */
  where: op({
    permuted: (attrs) => attrs,
    infer(inputs) {
      expectInputs('where', inputs, ['u8', null, null]);
      const [, a, b] = inputs;
      if (a.dtype !== b.dtype || (a.dtype !== 'f32' && a.dtype !== 'i32'))
        fail(
          'dtype_mismatch',
          `where: got ${showType(a)} and ${showType(b)} to choose from, expected two tensors of f32, or of i32`,
        );
      return { dtype: a.dtype, shape: commonShape('where', inputs) };
    },
    reference: (inputs, y) => forEachOf(inputs, y, (c, a, b) => (c !== 0 ? a : b)),
    flops: (_, y) => sizeOf(y.shape),
    // What is not chosen gets 0, whatever it is: no NaN of a formula outside its domain comes through.
    gradient: ({ emit, dy, inputs: [c, a, b], output, wanted }) => {
      const zero = () => scalar(emit, 0);
      const of = (i: 1 | 2) => output.dtype === 'f32' && wanted(i);
      return [
        undefined,
        of(1) ? unbroadcast(emit, emit('where', [c, dy, zero()]), a.shape) : undefined,
        of(2) ? unbroadcast(emit, emit('where', [c, zero(), dy]), b.shape) : undefined,
      ];
    },
  }),
};
