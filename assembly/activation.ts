import {
  constant, DENSITY, GELU_CUBIC, GELU_CUBIC_SLOPE, GELU_ZERO, HALF, MOST, ONE, SIXTH, SQRT_2_BY_PI, SQRT_HALF, THREE, TWO,
} from './constants';
import { ELU, GELU, GELU_TANH, HARDSWISH, LEAKY_RELU, RELU, SIGMOID, SILU, SOFTPLUS, TANH } from './opcodes';
import { erf, exp, expm1, log1p, sigmoid, tanh } from './math';
import { loadPart, storePart } from './vector';
import { shareEnd, shareStart } from './threads';

/** One activation on four floats; `kind` is a constant where this is inlined. `p` is leaky_relu's slope or elu's alpha. */
@inline
function forward(kind: i32, x: v128, p: v128): v128 {
  const zero = f32x4.splat(0);
  const one = constant(ONE);
  // pmax, one instruction where max is seven, gives its first operand where that is NaN.
  if (kind == RELU) return f32x4.pmax(x, zero);
  if (kind == LEAKY_RELU) return v128.bitselect(f32x4.mul(x, p), x, f32x4.le(x, zero));
  if (kind == ELU) return v128.bitselect(f32x4.mul(p, expm1(x)), x, f32x4.le(x, zero));
  if (kind == GELU) {
    const y = f32x4.mul(f32x4.mul(x, constant(HALF)), f32x4.add(one, erf(f32x4.mul(x, constant(SQRT_HALF)))));
    return v128.andnot(y, f32x4.lt(x, constant(GELU_ZERO)));
  }
  if (kind == GELU_TANH) {
    // (1 + tanh u) / 2 is sigmoid(2 u), which keeps its digits where x is negative.
    const inner = geluInner(x);
    return v128.andnot(f32x4.mul(x, sigmoid(f32x4.add(inner, inner))), f32x4.lt(x, constant(GELU_ZERO)));
  }
  // -infinity would meet a factor of 0 and become NaN; no finite result changes beyond -1e30.
  if (kind == SILU) return f32x4.mul(f32x4.pmax(x, f32x4.neg(constant(MOST))), sigmoid(x));
  if (kind == SIGMOID) return sigmoid(x);
  if (kind == TANH) return tanh(x);
  if (kind == SOFTPLUS) return f32x4.add(f32x4.pmax(x, zero), log1p(exp(f32x4.neg(f32x4.abs(x)))));
  if (kind == HARDSWISH) {
    const y = f32x4.mul(f32x4.mul(x, f32x4.add(x, constant(THREE))), constant(SIXTH));
    return v128.andnot(v128.bitselect(x, y, f32x4.ge(x, constant(THREE))), f32x4.le(x, f32x4.neg(constant(THREE))));
  }
  return x;
}

/** sqrt(2 / pi) (x + 0.044715 x^3) */
@inline
function geluInner(x: v128): v128 {
  const cubic = f32x4.mul(f32x4.mul(x, x), f32x4.mul(x, constant(GELU_CUBIC)));
  return f32x4.mul(constant(SQRT_2_BY_PI), f32x4.add(x, cubic));
}

@inline
function within(x: v128, limit: v128): v128 {
  return f32x4.pmax(f32x4.pmin(x, limit), f32x4.neg(limit));
}

/** dy times the derivative; `s` is what the op table's `saved` names: the input, or the output. */
@inline
function backward(kind: i32, dy: v128, s: v128, p: v128): v128 {
  const zero = f32x4.splat(0);
  const one = constant(ONE);
  if (kind == RELU) return v128.andnot(dy, f32x4.le(s, zero));
  if (kind == LEAKY_RELU) return v128.bitselect(f32x4.mul(dy, p), dy, f32x4.le(s, zero));
  if (kind == ELU) return v128.bitselect(f32x4.mul(dy, f32x4.mul(p, exp(s))), dy, f32x4.le(s, zero));
  if (kind == GELU) {
    const x = within(s, f32x4.neg(constant(GELU_ZERO)));
    const half = f32x4.mul(x, f32x4.neg(constant(HALF)));
    const density = f32x4.mul(exp(f32x4.mul(half, x)), constant(DENSITY));
    const phi = f32x4.mul(constant(HALF), f32x4.add(one, erf(f32x4.mul(x, constant(SQRT_HALF)))));
    return f32x4.mul(dy, f32x4.add(phi, f32x4.mul(x, density)));
  }
  if (kind == GELU_TANH) {
    // y = x g with g = sigmoid(2 u), dg = 2 g (1 - g) du; g and 1 - g from e^-2|u|, neither by subtraction.
    const x = within(s, f32x4.neg(constant(GELU_ZERO)));
    const inner = geluInner(x);
    const e = exp(f32x4.neg(f32x4.abs(f32x4.add(inner, inner))));
    const most = f32x4.div(one, f32x4.add(one, e));
    const least = f32x4.mul(e, most);
    const g = v128.bitselect(most, least, f32x4.ge(inner, zero));
    const slope = f32x4.mul(
      constant(SQRT_2_BY_PI),
      f32x4.add(one, f32x4.mul(constant(GELU_CUBIC_SLOPE), f32x4.mul(x, x))),
    );
    return f32x4.mul(dy, f32x4.add(g, f32x4.mul(f32x4.mul(constant(TWO), x), f32x4.mul(f32x4.mul(most, least), slope))));
  }
  if (kind == SILU) {
    const x = within(s, constant(MOST));
    const g = sigmoid(x);
    return f32x4.mul(dy, f32x4.mul(g, f32x4.add(one, f32x4.mul(x, f32x4.sub(one, g)))));
  }
  if (kind == SIGMOID) return f32x4.mul(f32x4.mul(dy, s), f32x4.sub(one, s));
  if (kind == TANH) return f32x4.mul(dy, f32x4.sub(one, f32x4.mul(s, s)));
  if (kind == SOFTPLUS) return f32x4.mul(dy, sigmoid(s));
  if (kind == HARDSWISH) {
    const ramp = f32x4.mul(f32x4.add(f32x4.add(s, s), constant(THREE)), constant(SIXTH));
    const y = v128.bitselect(dy, f32x4.mul(dy, ramp), f32x4.ge(s, constant(THREE)));
    return v128.andnot(y, f32x4.le(s, f32x4.neg(constant(THREE))));
  }
  return dy;
}

/** A loop of its own for each kind, so that nothing is decided per element. */
@inline
function forwardLoop(kind: i32, x: usize, y: usize, from: i32, to: i32, slope: v128): void {
  let i = from;
  for (; i + 4 <= to; i += 4) v128.store(y + (<usize>i << 2), forward(kind, v128.load(x + (<usize>i << 2)), slope));
  if (i < to) storePart(y + (<usize>i << 2), to - i, forward(kind, loadPart(x + (<usize>i << 2), to - i, 0), slope));
}

/** y[from..to) = activation(x[from..to)); also in place, for the epilogue of a product. */
export function activate(kind: i32, x: usize, y: usize, from: i32, to: i32, slope: f32): void {
  const s = f32x4.splat(slope);
  switch (kind) {
    case RELU: forwardLoop(RELU, x, y, from, to, s); break;
    case LEAKY_RELU: forwardLoop(LEAKY_RELU, x, y, from, to, s); break;
    case ELU: forwardLoop(ELU, x, y, from, to, s); break;
    case GELU: forwardLoop(GELU, x, y, from, to, s); break;
    case GELU_TANH: forwardLoop(GELU_TANH, x, y, from, to, s); break;
    case SILU: forwardLoop(SILU, x, y, from, to, s); break;
    case SIGMOID: forwardLoop(SIGMOID, x, y, from, to, s); break;
    case TANH: forwardLoop(TANH, x, y, from, to, s); break;
    case SOFTPLUS: forwardLoop(SOFTPLUS, x, y, from, to, s); break;
    case HARDSWISH: forwardLoop(HARDSWISH, x, y, from, to, s); break;
  }
}

@inline
function backwardLoop(kind: i32, dy: usize, s: usize, dx: usize, from: i32, to: i32, slope: v128): void {
  let i = from;
  for (; i + 4 <= to; i += 4) {
    const at = <usize>i << 2;
    v128.store(dx + at, backward(kind, v128.load(dy + at), v128.load(s + at), slope));
  }
  if (i < to) {
    const at = <usize>i << 2;
    const n = to - i;
    storePart(dx + at, n, backward(kind, loadPart(dy + at, n, 0), loadPart(s + at, n, 0), slope));
  }
}

/** Record: kind, x, y, count, parameter f32 */
export function activation(a: usize, thread: i32, threads: i32): void {
  const n = load<i32>(a, 12);
  const from = shareStart(n, 16, thread, threads);
  const to = shareEnd(n, 16, thread, threads);
  activate(load<i32>(a), load<u32>(a, 4), load<u32>(a, 8), from, to, load<f32>(a, 16));
}

/** Record: kind, dy, saved, dx, count, parameter f32 */
export function activationBackward(a: usize, thread: i32, threads: i32): void {
  const dy = <usize>load<u32>(a, 4);
  const s = <usize>load<u32>(a, 8);
  const dx = <usize>load<u32>(a, 12);
  const n = load<i32>(a, 16);
  const p = f32x4.splat(load<f32>(a, 20));
  const from = shareStart(n, 16, thread, threads);
  const to = shareEnd(n, 16, thread, threads);
  switch (load<i32>(a)) {
    case RELU: backwardLoop(RELU, dy, s, dx, from, to, p); break;
    case LEAKY_RELU: backwardLoop(LEAKY_RELU, dy, s, dx, from, to, p); break;
    case ELU: backwardLoop(ELU, dy, s, dx, from, to, p); break;
    case GELU: backwardLoop(GELU, dy, s, dx, from, to, p); break;
    case GELU_TANH: backwardLoop(GELU_TANH, dy, s, dx, from, to, p); break;
    case SILU: backwardLoop(SILU, dy, s, dx, from, to, p); break;
    case SIGMOID: backwardLoop(SIGMOID, dy, s, dx, from, to, p); break;
    case TANH: backwardLoop(TANH, dy, s, dx, from, to, p); break;
    case SOFTPLUS: backwardLoop(SOFTPLUS, dy, s, dx, from, to, p); break;
    case HARDSWISH: backwardLoop(HARDSWISH, dy, s, dx, from, to, p); break;
  }
}
