import type { DType } from '../core/dtype.ts';
import { apply, type Operand, resolve, tracerOf } from './apply.ts';

const binary = (name: 'add' | 'sub' | 'mul' | 'div') => (a: Operand | number, b: Operand | number) => {
  const tracer = tracerOf(name, [a, b]);
  const operand = (x: Operand | number) =>
    typeof x === 'number'
      ? tracer.constant(Float32Array.of(x), { dtype: 'f32', shape: [] })
      : resolve(tracer, x);
  return tracer.apply(name, [operand(a), operand(b)]);
};

/** Element by element, with NumPy's broadcasting; either operand may be a number. f32. */
export const add = binary('add');
/** x - y, elements in pairs, shapes broadcast as in NumPy; f32. */
export const sub = binary('sub');
/** x * y, elements in pairs, shapes broadcast as in NumPy; f32. */
export const mul = binary('mul');
/** x / y, elements in pairs, shapes broadcast as in NumPy; f32. */
export const div = binary('div');

/** factor * x */
export const scale = (x: Operand, factor: number) => apply('scale', [x], { factor });

/** The same values in memory of their own: what a buffer was, after it is assigned. */
export const copy = (x: Operand) => apply('copy', [x]);
/** The same values as another element type. */
export const cast = (x: Operand, dtype: DType) => apply('cast', [x], { dtype });
