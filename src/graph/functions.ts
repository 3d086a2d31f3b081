import { either, flag, listOf, whole } from '../core/checks.ts';
import type { DType } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { broadcastShapes, MAX_RANK, normalizeAxis, type Shape, sameShape, sizeOf } from '../core/shape.ts';
import type { OpName } from '../ops/index.ts';
import type { Emit } from '../ops/op.ts';
import { broadcastTo, maxAxes, reshaped, sumAxes } from '../ops/symbolic.ts';
import { Parameter } from './parameter.ts';
import { Tensor, type Tracer } from './trace.ts';

/** What model functions pass to ops: symbolic tensors, parameters, and plain numbers where they broadcast. */
export type Operand = Tensor | Parameter;

function tracerOf(name: string, operands: readonly (Operand | number)[]): Tracer {
  for (const x of operands) if (x instanceof Tensor) return x.tracer;
  fail('invalid_argument', `${name}: expected at least one tensor that comes from the model's input`);
}

const resolve = (tracer: Tracer, x: Operand): Tensor => (x instanceof Parameter ? tracer.parameter(x) : x);

function apply(name: OpName, operands: readonly Operand[], attrs?: object): Tensor {
  const tracer = tracerOf(name, operands);
  return tracer.apply(
    name,
    operands.map((x) => resolve(tracer, x)),
    attrs,
  );
}

const emitter =
  (tracer: Tracer): Emit =>
  (op, inputs, attrs) =>
    tracer.apply(op as OpName, inputs, attrs);

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

/** Which operands are stored transposed. */
export interface MatmulOptions {
  /** a is (..., k, m). */
  readonly transposeA?: boolean;
  /** b is (..., n, k). */
  readonly transposeB?: boolean;
}

const checkMatmul = optionsOf<MatmulOptions>('matmul', { transposeA: flag, transposeB: flag });

/**
 * Matrix product over the last two dimensions, (..., m, k) x (..., k, n) -> (..., m, n);
 * dimensions before them broadcast.
 */
export function matmul(a: Operand, b: Operand, options?: MatmulOptions): Tensor {
  const { transposeA = false, transposeB = false } = checkMatmul(options);
  const tracer = tracerOf('matmul', [a, b]);
  let [x, y] = [resolve(tracer, a), resolve(tracer, b)];
  const [batchX, batchY] = [x.shape.slice(0, -2), y.shape.slice(0, -2)];
  if (!sameShape(batchX, batchY) && sizeOf(batchX) !== 1 && sizeOf(batchY) !== 1) {
    const batch = broadcastShapes(batchX, batchY, 'matmul: the batch');
    const repeat = (t: Tensor) => broadcastTo(emitter(tracer), t, [...batch, ...t.shape.slice(-2)]) as Tensor;
    [x, y] = [repeat(x), repeat(y)];
  }
  return tracer.apply('matmul', [x, y], { transposeA, transposeB });
}

/** max(x, 0). */
export const relu = (x: Operand) => apply('relu', [x]);
/** x where x > 0, else slope * x. */
export const leakyRelu = (x: Operand, slope = 0.01) => apply('leaky_relu', [x], { slope });
/** x where x > 0, else alpha * (exp(x) - 1). */
export const elu = (x: Operand, alpha = 1) => apply('elu', [x], { alpha });
/** x times the normal distribution's function of x, by erf ('none') or by the tanh approximation. */
export const gelu = (x: Operand, approximate: 'none' | 'tanh' = 'none') =>
  apply('gelu', [x], { approximate });
/** x * sigmoid(x). */
export const silu = (x: Operand) => apply('silu', [x]);
/** 1 / (1 + exp(-x)). */
export const sigmoid = (x: Operand) => apply('sigmoid', [x]);
/** Hyperbolic tangent. */
export const tanh = (x: Operand) => apply('tanh', [x]);
/** log(1 + exp(x)). */
export const softplus = (x: Operand) => apply('softplus', [x]);
/** x * clamp(x + 3, 0, 6) / 6. */
export const hardswish = (x: Operand) => apply('hardswish', [x]);

/** Which axes go, and how. */
export interface ReduceOptions {
  /** Axes to reduce, negative ones counted from the end; all of them if not given. */
  readonly axes?: number | readonly number[];
  /** Keep reduced axes with size 1. */
  readonly keepDims?: boolean;
}

const axis = whole(-MAX_RANK, MAX_RANK - 1);
const reduceChecks = { axes: either(axis, listOf(axis)), keepDims: flag };
const checkReduce = {
  sum: optionsOf<ReduceOptions>('sum', reduceChecks),
  max: optionsOf<ReduceOptions>('max', reduceChecks),
  mean: optionsOf<ReduceOptions>('mean', reduceChecks),
};

function reduction(name: 'sum' | 'max', x: Operand, options: ReduceOptions | undefined): Tensor {
  const { axes, keepDims = false } = checkReduce[name](options);
  const tracer = tracerOf(name, [x]);
  const t = resolve(tracer, x);
  const list = reducedAxes(name, t, axes);
  const reduceOver = { sum: sumAxes, max: maxAxes }[name];
  return list.length ? (reduceOver(emitter(tracer), t, list, keepDims) as Tensor) : t;
}

function reducedAxes(name: string, t: Tensor, axes: ReduceOptions['axes']): number[] {
  if (axes === undefined) return t.shape.map((_, i) => i);
  return (typeof axes === 'number' ? [axes] : [...axes]).map((a) => normalizeAxis(a, t.shape.length, name));
}

/** Sum over axes; f32. */
export const sum = (x: Operand, options?: ReduceOptions) => reduction('sum', x, options);
/** Greatest element over axes; f32. Equals share the gradient evenly. */
export const max = (x: Operand, options?: ReduceOptions) => reduction('max', x, options);

/** Mean over axes; f32. */
export function mean(x: Operand, given?: ReduceOptions): Tensor {
  const options = checkReduce.mean(given);
  const t = resolve(tracerOf('mean', [x]), x);
  const axes = [...new Set(reducedAxes('mean', t, options.axes))].sort((a, b) => a - b);
  if (axes.length === 0) return t;
  if (axes.every((a, i) => a === axes[0] + i))
    return apply('mean', [t], { axes, keepDims: options.keepDims ?? false });
  const count = axes.reduce((product, a) => product * t.shape[a], 1);
  return scale(sum(t, options), 1 / count);
}

/** The same elements under another shape; one size may be -1 and is worked out from the others. */
export function reshape(x: Operand, shape: Shape): Tensor {
  const tracer = tracerOf('reshape', [x]);
  const t = resolve(tracer, x);
  const open = shape.filter((n) => n === -1).length;
  if (open > 1) fail('invalid_argument', 'reshape: only one size may be -1');
  const known = shape.reduce((product, n) => (n === -1 ? product : product * n), 1);
  const full = shape.map((n) => (n === -1 ? (known === 0 ? 0 : sizeOf(t.shape) / known) : n));
  return reshaped(emitter(tracer), t, full) as Tensor;
}

/** Axis i of the result is axis perm[i] of x; without perm the axes are reversed. */
export function transpose(x: Operand, perm?: readonly number[]): Tensor {
  const t = resolve(tracerOf('transpose', [x]), x);
  const rank = t.shape.length;
  const axes = perm?.map((p) => normalizeAxis(p, rank, 'transpose')) ?? t.shape.map((_, i) => rank - 1 - i);
  return apply('transpose', [t], { perm: axes });
}

/** Options of slice(). */
export interface SliceOptions {
  /** Distance between the elements taken along each axis, from 1; 1 if not given. */
  readonly steps?: readonly number[];
}

const checkSlice = optionsOf<SliceOptions>('slice', { steps: listOf(whole(1)) });

/** x[starts[0]:ends[0], ...]; negative positions count from the end, ends beyond the size mean the size. */
export function slice(
  x: Operand,
  starts: readonly number[],
  ends: readonly number[],
  options?: SliceOptions,
): Tensor {
  const { steps = [] } = checkSlice(options);
  const t = resolve(tracerOf('slice', [x]), x);
  const place = (p: number | undefined, n: number, otherwise: number) =>
    p === undefined ? otherwise : Math.min(n, Math.max(0, p < 0 ? p + n : p));
  const from = t.shape.map((n, i) => place(starts[i], n, 0));
  const to = t.shape.map((n, i) => Math.max(from[i], place(ends[i], n, n)));
  return apply('slice', [t], {
    starts: from,
    ends: to,
    steps: t.shape.map((_, i) => steps[i] ?? 1),
  });
}

/** Tensors joined along an axis; all other sizes must agree. */
export function concat(xs: readonly Operand[], axis = 0): Tensor {
  const tracer = tracerOf('concat', xs);
  const first = resolve(tracer, xs[0]);
  return apply('concat', xs, { axis: normalizeAxis(axis, first.shape.length, 'concat') });
}

/** Entries of x along an axis, picked by i32 indices (an embedding, for example). */
export function gather(x: Operand, indices: Tensor, axis = 0): Tensor {
  const t = resolve(indices.tracer, x);
  return indices.tracer.apply('gather', [t, indices], {
    axis: normalizeAxis(axis, t.shape.length, 'gather'),
  });
}

/** x repeated to a shape, as NumPy's broadcast_to. */
export const broadcast = (x: Operand, shape: Shape) => apply('broadcast', [x], { shape });

/** Runs an op of the last axis along any other one. */
function alongAxis(name: 'softmax' | 'log_softmax', x: Operand, axis: number): Tensor {
  const t = resolve(tracerOf(name, [x]), x);
  const rank = t.shape.length;
  const at = normalizeAxis(axis, rank, name);
  if (at === rank - 1) return apply(name, [t]);
  const perm = t.shape.map((_, i) => (i === at ? rank - 1 : i === rank - 1 ? at : i));
  return transpose(apply(name, [transpose(t, perm)]), perm);
}

/** exp(x) over its sum along an axis. */
export const softmax = (x: Operand, axis = -1) => alongAxis('softmax', x, axis);
/** Logarithm of softmax along an axis. */
export const logSoftmax = (x: Operand, axis = -1) => alongAxis('log_softmax', x, axis);

/** Position of the largest along the last axis, i32. */
export const argmax = (x: Operand) => apply('argmax', [x]);
/** The same values as another element type. */
export const cast = (x: Operand, dtype: DType) => apply('cast', [x], { dtype });

/** Zeroes elements with probability p while training and scales the others by 1 / (1 - p); else does nothing. */
export function dropout(x: Tensor, p = 0.5): Tensor {
  const { tracer } = x;
  if (!tracer.training || p === 0) return x;
  const seed = tracer.input('seed', { dtype: 'i32', shape: [2] });
  return tracer.apply('dropout', [x, seed], { p, salt: tracer.nextSalt() });
}
