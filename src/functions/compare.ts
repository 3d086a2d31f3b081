import type { Tensor } from '../graph/trace.ts';
import { apply, type Operand, resolve, tracerOf } from './apply.ts';
import { type NumberOr, tensorsOf } from './binary.ts';

type Comparison = 'eq' | 'ne' | 'lt' | 'le' | 'logical_and' | 'logical_or';

const comparison = (name: Comparison) => (a: NumberOr, b: NumberOr) => {
  const [tracer, tensors] = tensorsOf(name, [a, b]);
  return tracer.apply(name, tensors);
};

/** Whether elements are equal: u8 with 1 where they are, else 0; of two of f32, i32 or u8. NaN equals nothing. */
export const eq = comparison('eq');
/** Whether elements differ: 1 where they do. NaN differs from everything, and from itself. */
export const ne = comparison('ne');
/** Whether x < y: 1 where it is so. */
export const lt = comparison('lt');
/** Whether x <= y: 1 where it is so. */
export const le = comparison('le');
/** Whether x > y: 1 where it is so. */
export const gt = (a: NumberOr, b: NumberOr): Tensor => lt(b, a);
/** Whether x >= y: 1 where it is so. */
export const ge = (a: NumberOr, b: NumberOr): Tensor => le(b, a);

/** 1 where both are not 0; of u8. */
export const logicalAnd = comparison('logical_and');
/** 1 where either is not 0; of u8. */
export const logicalOr = comparison('logical_or');
/** 1 where one of both is not 0; of u8. */
export const logicalXor = (a: NumberOr, b: NumberOr): Tensor => ne(ne(a, 0), ne(b, 0));
/** 1 where x is 0; of u8. */
export const logicalNot = (x: Operand): Tensor => eq(x, 0);
/** 1 where x is NaN; of f32. */
export const isnan = (x: Operand): Tensor => ne(x, x);
/** 1 where x is neither NaN nor infinite; of f32. */
export const isfinite = (x: Operand): Tensor => lt(apply('abs', [x]), Infinity);

/** x where the condition (u8) is not 0, else y; f32 or i32, all of them broadcast. What is not chosen gets no gradient, not even NaN. */
export function where(condition: Operand, x: NumberOr, y: NumberOr): Tensor {
  const tracer = tracerOf('where', [condition, x, y]);
  const [, tensors] = tensorsOf('where', [x, y], tracer);
  return tracer.apply('where', [resolve(tracer, condition), ...tensors]);
}

/** `value` where the mask (u8) is not 0, else x. */
export const maskedFill = (x: Operand, mask: Operand, value: number): Tensor => where(mask, value, x);
