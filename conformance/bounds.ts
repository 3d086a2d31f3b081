import type { TypedArray } from '../src/core/dtype.ts';
import type { OpName } from '../src/ops/index.ts';
import { ops } from '../src/ops/index.ts';
import { type MatmulAttrs, matmulSizes } from '../src/ops/matmul.ts';
import type { Value } from '../src/ops/op.ts';
import { reduceSizes, sumOver } from '../src/ops/reduce.ts';

/** Half a unit in the last place of 1. */
const EPS = 2 ** -24;
/** Results nearer to zero than the smallest normal f32 may be flushed to zero. */
const TINY = 2 ** -126;

/** How far a backend may be from the reference: abs + rel * |reference|, per element. */
export interface Bound {
  readonly abs: number | ((inputs: readonly Value[], attrs: object, i: number) => number);
  readonly rel: number;
}

const exact: Bound = { abs: 0, rel: 0 };
const close = (ulps: number, abs = 0): Bound => ({ abs: abs + TINY, rel: ulps * 2 * EPS });

const magnitudes = new WeakMap<Value, number>();
const magnitude = (x: Value): number => {
  const known = magnitudes.get(x);
  if (known !== undefined) return known;
  let most = 0;
  for (const v of x.data) if (Number.isFinite(v)) most = Math.max(most, Math.abs(v));
  magnitudes.set(x, most);
  return most;
};

/** 1.2 (K + 8) 2^-24 sum |a| |b|, and 4 2^-24 |bias|, which is added last; with room for the epilogue's activation. */
const product: Bound['abs'] = (inputs, attrs, i) => sumsOf(inputs, attrs as MatmulAttrs)[i];
const cached = new WeakMap<readonly Value[], Float64Array>();
function sumsOf(inputs: readonly Value[], attrs: MatmulAttrs): Float64Array {
  const known = cached.get(inputs);
  if (known) return known;
  const [a, b] = inputs.map((t) => ({ ...t, data: Float64Array.from(t.data as Float32Array, Math.abs) }));
  const { batch, m, n, k } = matmulSizes(a, b, attrs);
  const y = { dtype: 'f32' as const, shape: [batch, m, n], data: new Float64Array(batch * m * n) };
  const { activation, derivative, ...plain } = attrs;
  ops.matmul.reference([a, b], [y], plain);
  const finite = (v: number) => (Number.isFinite(v) ? v : 0);
  const bounds = y.data.map((s, i) => {
    const bias = derivative || !inputs[2] ? 0 : finite(Math.abs(inputs[2].data[i % n]));
    // A derivative is at most 1.2, and its own error counts times what it is multiplied by.
    const epilogue = activation || derivative ? 2e-6 * (1 + s + bias) : 0;
    return 1.2 * (k + 8) * EPS * finite(s) + 4 * EPS * bias + epilogue + TINY;
  });
  cached.set(inputs, bounds);
  return bounds;
}

/** The same for both results, so by what every element of them is bounded by. */
const weightAndBias: Bound['abs'] = ([dy, x]) => {
  const k = dy.shape[0];
  return 1.2 * (k + 8) * EPS * k * magnitude(dy) * Math.max(1, magnitude(x)) + TINY;
};

/** (32 + 4 log2 n) 2^-24 of the sum of what is summed, without its signs. */
const roundings = (n: number) => (32 + 4 * Math.log2(Math.max(1, n))) * EPS;
const summed: Bound['abs'] = (inputs, attrs, i) => sumBounds(inputs, attrs as { axes: number[] })[i];
const meaned: Bound['abs'] = (inputs, attrs, i) => {
  const { count } = reduceSizes(inputs[0].shape, (attrs as { axes: number[] }).axes);
  return sumBounds(inputs, attrs as { axes: number[] })[i] / count + TINY;
};
function sumBounds(inputs: readonly Value[], { axes }: { axes: number[] }): Float64Array {
  const known = cached.get(inputs);
  if (known) return known;
  const [x] = inputs;
  const sizes = reduceSizes(x.shape, axes);
  const bounds = new Float64Array(sizes.outer * sizes.inner);
  sumOver(Float64Array.from(x.data as Float32Array, Math.abs), sizes, bounds, 1);
  for (let i = 0; i < bounds.length; i++) bounds[i] = bounds[i] * roundings(sizes.count) + TINY;
  cached.set(inputs, bounds);
  return bounds;
}
const rowLength = (x: Value) => x.shape.at(-1) ?? 1;
const rowSum: Bound['abs'] = ([dy, y]) =>
  (rowLength(dy) + 8) * EPS * magnitude(dy) * Math.max(1, magnitude(y)) * 4 + TINY;
const logits =
  (position: number): Bound['abs'] =>
  (inputs) => {
    const x = inputs[position];
    const scale = position === 1 ? magnitude(inputs[0]) : 1;
    return scale * (4 * roundings(rowLength(x)) + 4 * EPS * magnitude(x)) + TINY;
  };
/** An absolute error of the derivative, times dy. */
const timesDy =
  (abs: number): Bound['abs'] =>
  ([dy], _, i) =>
    Number.isFinite(dy.data[i]) ? abs * Math.max(1, Math.abs(dy.data[i])) : TINY;
const optimizerStep: Bound = { abs: 2e-6, rel: 16 * EPS };

/** What docs/NUMERICS.md promises, op by op. Where a bound depends on the inputs it is a function of them. */
export const bounds: Readonly<Record<OpName, Bound>> = {
  matmul: { abs: product, rel: 4 * EPS },
  linear_backward: { abs: weightAndBias, rel: 4 * EPS },
  add: close(1),
  sub: close(1),
  mul: close(1),
  div: close(3),
  scale: close(1),
  cast: exact,
  copy: exact,
  fill: exact,
  relu: exact,
  relu_backward: exact,
  leaky_relu: close(1),
  leaky_relu_backward: close(1),
  elu: close(4),
  elu_backward: { abs: timesDy(2 * TINY), rel: 12 * EPS },
  gelu: close(20, 1.5e-6),
  gelu_backward: { abs: timesDy(2e-6), rel: 16 * EPS },
  silu: close(8, 1e-7),
  silu_backward: { abs: timesDy(1e-6), rel: 16 * EPS },
  sigmoid: close(8),
  sigmoid_backward: close(8),
  tanh: close(8, 1e-7),
  tanh_backward: { abs: timesDy(1e-6), rel: 8 * EPS },
  softplus: close(8, 1e-7),
  softplus_backward: close(8, 1e-7),
  hardswish: close(4, 1e-7),
  hardswish_backward: { abs: timesDy(1e-6), rel: 8 * EPS },
  sum: { abs: summed, rel: 2 * EPS },
  mean: { abs: meaned, rel: 2 * EPS },
  max: exact,
  max_backward: close(4),
  argmax: exact,
  global_norm: { abs: TINY, rel: 2e-6 },
  reshape: exact,
  transpose: exact,
  slice: exact,
  slice_backward: exact,
  concat: exact,
  broadcast: exact,
  gather: exact,
  gather_backward: close(4, 1e-5),
  softmax: { abs: TINY, rel: 1e-5 },
  softmax_backward: { abs: rowSum, rel: 8 * EPS },
  log_softmax: { abs: logits(0), rel: 4 * EPS },
  log_softmax_backward: {
    abs: (inputs, attrs, i) => 8 * (rowSum as (...a: unknown[]) => number)(inputs, attrs, i),
    rel: 1e-5,
  },
  cross_entropy: { abs: logits(0), rel: 8 * EPS },
  cross_entropy_backward: { abs: logits(1), rel: 1e-5 },
  mse: close(4),
  mse_backward: close(4),
  bce_with_logits: close(4, 2e-6),
  bce_with_logits_backward: { abs: timesDy(1e-6), rel: 16 * EPS },
  huber: close(4, 1e-6),
  huber_backward: close(4),
  dropout: close(1),
  sgd: optimizerStep,
  adam: optimizerStep,
  adamw: optimizerStep,
  quantize: exact,
  dequantize: exact,
  matmul_i8: exact,
  activation_i8: exact,
};

/** The first elements that are out of bounds, in words; empty if all is well. */
export function compare(
  op: OpName,
  inputs: readonly Value[],
  attrs: object,
  want: TypedArray,
  got: TypedArray,
): string[] {
  const { abs, rel } = bounds[op];
  const wrong: string[] = [];
  for (let i = 0; i < want.length && wrong.length < 3; i++) {
    const [w, g] = [want[i], got[i]];
    if (Object.is(w, g) || w === g || (Number.isNaN(w) && Number.isNaN(g))) continue;
    const room = (typeof abs === 'number' ? abs : abs(inputs, attrs, i)) + rel * Math.abs(w);
    if (Number.isFinite(w) && Math.abs(g - w) <= room) continue;
    wrong.push(`[${i}] is ${g}, the reference has ${w}, allowed difference ${room.toExponential(2)}`);
  }
  return wrong;
}
