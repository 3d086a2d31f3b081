import { allocate, type DType } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import type { Tensor, Tracer } from '../graph/trace.ts';
import type { BinaryName } from '../ops/binary.ts';
import { type Operand, resolve, tracerOf } from './apply.ts';

/** An operand that may be a plain number, which takes the element type of what it stands beside. */
export type NumberOr = Operand | number;

/** The tensors of operands that broadcast. */
export function tensorsOf(
  name: string,
  operands: readonly NumberOr[],
  tracer = tracerOf(name, operands),
): [Tracer, Tensor[]] {
  const dtype = operands.find((x) => typeof x !== 'number')?.dtype ?? 'f32';
  const tensors = operands.map((x) =>
    typeof x === 'number' ? constantOf(name, tracer, x, dtype) : resolve(tracer, x),
  );
  return [tracer, tensors];
}

function constantOf(name: string, tracer: Tracer, x: number, dtype: DType): Tensor {
  const data = allocate(dtype, 1);
  data[0] = x;
  if (dtype !== 'f32' && data[0] !== x)
    fail(
      'out_of_range',
      `${name}: got ${x} beside a tensor of ${dtype}, which has no such number; cast() the tensor to f32`,
    );
  return tracer.constant(data, { dtype, shape: [] });
}

const binary = (name: BinaryName) => (a: NumberOr, b: NumberOr) => {
  const [tracer, tensors] = tensorsOf(name, [a, b]);
  return tracer.apply(name, tensors);
};

/** Element by element, with NumPy's broadcasting; either operand may be a number. f32, or two of i32. */
export const add = binary('add');
/** x - y, elements in pairs, shapes broadcast as in NumPy; f32, or two of i32. */
export const sub = binary('sub');
/** x * y, elements in pairs, shapes broadcast as in NumPy; f32, or two of i32, which wrap around. */
export const mul = binary('mul');
/** x / y, elements in pairs, shapes broadcast as in NumPy; f32. */
export const div = binary('div');
/** The larger of both, NaN if either is; equals share the gradient. f32, or two of i32. */
export const maximum = binary('maximum');
/** The smaller of both, NaN if either is; equals share the gradient. f32, or two of i32. */
export const minimum = binary('minimum');
/** What is left of x after as many whole y as go into it, of the sign of x (C's fmod, ONNX's Mod with fmod 1). */
export const fmod = binary('fmod');
/** The angle of the point (y, x), between -pi and pi: `atan2(y, x)` as everywhere. */
export const atan2 = binary('atan2');

/** What is left of x after as many whole y as go into it, of the sign of y (Python's %, torch.remainder). */
export function remainder(x: NumberOr, y: NumberOr): Tensor {
  const [tracer, [a, b]] = tensorsOf('remainder', [x, y]);
  const rest = tracer.apply('fmod', [a, b]);
  const zero = constantOf('remainder', tracer, 0, 'f32');
  const apart = tracer.apply('lt', [
    tracer.apply('mul', [tracer.apply('sign', [rest]), tracer.apply('sign', [b])]),
    zero,
  ]);
  return tracer.apply('add', [rest, tracer.apply('where', [apart, b, zero])]);
}

/** Exponents for which a few products, or a root, are faster than the general function, and exact. */
const powers: Readonly<Record<number, (x: Tensor) => Tensor>> = {
  [-1]: (x) => div(1, x),
  [-0.5]: (x) => x.tracer.apply('rsqrt', [x]),
  0.5: (x) => x.tracer.apply('sqrt', [x]),
  1: (x) => x,
  2: (x) => mul(x, x),
  3: (x) => mul(mul(x, x), x),
};

/** x to the power of y; f32. */
export function pow(x: NumberOr, y: NumberOr): Tensor {
  const [tracer, [a, b]] = tensorsOf('pow', [x, y]);
  const simple = typeof y === 'number' ? powers[y] : undefined;
  return simple ? simple(a) : tracer.apply('pow', [a, b]);
}

/** start + weight * (end - start), computed from whichever end is nearer, so that both ends are exact (torch.lerp). */
export function lerp(start: Operand, end: Operand, weight: NumberOr): Tensor {
  const [tracer, [a, b, w]] = tensorsOf('lerp', [start, end, weight]);
  const way = sub(b, a);
  const near = add(a, mul(way, w));
  const far = sub(b, mul(way, sub(1, w)));
  if (typeof weight === 'number') return weight < 0.5 ? near : far;
  return tracer.apply('where', [tracer.apply('lt', [w, constantOf('lerp', tracer, 0.5, 'f32')]), near, far]);
}
