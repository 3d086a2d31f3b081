import {
  constant, DENSITY, GELU_CUBIC, GELU_CUBIC_SLOPE, GELU_ZERO, HALF, MOST, ONE, SIXTH, SQRT_2_BY_PI, SQRT_HALF, THREE, TWO,
} from './constants';
import { BACKWARD, elements, FORWARD, loop } from './elements';
import { select } from './isa';
import { below, erf, expDown, expm1, gated, log1p, negated, sigmoid, tanh } from './math';
import { ELU, GELU, GELU_TANH, HARDSWISH, LEAKY_RELU, RELU, SIGMOID, SILU, SOFTPLUS, TANH } from './opcodes';
import { shareEnd, shareStart } from './threads';

/** One activation on four floats; `kind` is a constant where this is inlined. `p` is leaky_relu's slope or elu's alpha. */
@inline
export function forward(kind: i32, x: v128, p: v128): v128 {
  const zero = f32x4.splat(0);
  const one = constant(ONE);
  // pmax, one instruction where max is seven, gives its first operand where that is NaN.
  if (kind == RELU) return f32x4.pmax(x, zero);
  if (kind == LEAKY_RELU) return select(f32x4.mul(x, p), x, f32x4.le(x, zero));
  if (kind == ELU) return select(f32x4.mul(p, expm1(x)), x, f32x4.le(x, zero));
  if (kind == GELU) {
    const y = f32x4.mul(f32x4.mul(x, constant(HALF)), f32x4.add(one, erf(f32x4.mul(x, constant(SQRT_HALF)))));
    return v128.andnot(y, f32x4.lt(x, constant(GELU_ZERO)));
  }
  if (kind == GELU_TANH) {
    // (1 + tanh u) / 2 is sigmoid(2 u), which keeps its digits where x is negative.
    const inner = geluInner(x);
    return v128.andnot(gated(x, f32x4.add(inner, inner)), f32x4.lt(x, constant(GELU_ZERO)));
  }
  // -infinity would meet a factor of 0 and become NaN; no finite result changes beyond -1e30.
  if (kind == SILU) return gated(f32x4.pmax(x, negated(constant(MOST))), x);
  if (kind == SIGMOID) return sigmoid(x);
  if (kind == TANH) return tanh(x);
  if (kind == SOFTPLUS) return f32x4.add(f32x4.pmax(x, zero), log1p(expDown(below(x))));
  if (kind == HARDSWISH) {
    const y = f32x4.mul(f32x4.mul(x, f32x4.add(x, constant(THREE))), constant(SIXTH));
    return v128.andnot(select(x, y, f32x4.ge(x, constant(THREE))), f32x4.le(x, negated(constant(THREE))));
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
  return f32x4.pmax(f32x4.pmin(x, limit), negated(limit));
}

/** dy times the derivative; `s` is what the op table's `saved` names: the input, or the output. */
@inline
export function backward(kind: i32, dy: v128, s: v128, p: v128): v128 {
  const zero = f32x4.splat(0);
  const one = constant(ONE);
  if (kind == RELU) return v128.andnot(dy, f32x4.le(s, zero));
  if (kind == LEAKY_RELU) return select(f32x4.mul(dy, p), dy, f32x4.le(s, zero));
  if (kind == ELU) return select(f32x4.mul(dy, f32x4.mul(p, expDown(s))), dy, f32x4.le(s, zero));
  if (kind == GELU) {
    const x = within(s, negated(constant(GELU_ZERO)));
    const half = f32x4.mul(x, negated(constant(HALF)));
    const density = f32x4.mul(expDown(f32x4.mul(half, x)), constant(DENSITY));
    const phi = f32x4.mul(constant(HALF), f32x4.add(one, erf(f32x4.mul(x, constant(SQRT_HALF)))));
    return f32x4.mul(dy, f32x4.add(phi, f32x4.mul(x, density)));
  }
  if (kind == GELU_TANH) {
    // y = x g with g = sigmoid(2 u), dg = 2 g (1 - g) du; g and 1 - g from e^-2|u|, neither by subtraction.
    const x = within(s, negated(constant(GELU_ZERO)));
    const inner = geluInner(x);
    const e = expDown(below(f32x4.add(inner, inner)));
    const most = f32x4.div(one, f32x4.add(one, e));
    const least = f32x4.mul(e, most);
    const g = select(most, least, f32x4.ge(inner, zero));
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
  if (kind == SIGMOID) return f32x4.mul(dy, f32x4.mul(s, f32x4.sub(one, s)));
  if (kind == TANH) return f32x4.mul(dy, f32x4.sub(one, f32x4.mul(s, s)));
  if (kind == SOFTPLUS) return gated(dy, s);
  if (kind == HARDSWISH) {
    const ramp = f32x4.mul(f32x4.add(f32x4.add(s, s), constant(THREE)), constant(SIXTH));
    const y = select(dy, f32x4.mul(dy, ramp), f32x4.ge(s, constant(THREE)));
    return v128.andnot(y, f32x4.le(s, negated(constant(THREE))));
  }
  return dy;
}

/** `n` floats, a multiple of TURN. */
export function forwardTurns(kind: i32, x: usize, y: usize, n: i32, p: f32): void {
  switch (kind) {
    case RELU: loop(FORWARD, RELU, x, 0, y, n, p); break;
    case LEAKY_RELU: loop(FORWARD, LEAKY_RELU, x, 0, y, n, p); break;
    case ELU: loop(FORWARD, ELU, x, 0, y, n, p); break;
    case GELU: loop(FORWARD, GELU, x, 0, y, n, p); break;
    case GELU_TANH: loop(FORWARD, GELU_TANH, x, 0, y, n, p); break;
    case SILU: loop(FORWARD, SILU, x, 0, y, n, p); break;
    case SIGMOID: loop(FORWARD, SIGMOID, x, 0, y, n, p); break;
    case TANH: loop(FORWARD, TANH, x, 0, y, n, p); break;
    case SOFTPLUS: loop(FORWARD, SOFTPLUS, x, 0, y, n, p); break;
    case HARDSWISH: loop(FORWARD, HARDSWISH, x, 0, y, n, p); break;
  }
}

export function backwardTurns(kind: i32, dy: usize, s: usize, dx: usize, n: i32, p: f32): void {
  switch (kind) {
    case RELU: loop(BACKWARD, RELU, dy, s, dx, n, p); break;
    case LEAKY_RELU: loop(BACKWARD, LEAKY_RELU, dy, s, dx, n, p); break;
    case ELU: loop(BACKWARD, ELU, dy, s, dx, n, p); break;
    case GELU: loop(BACKWARD, GELU, dy, s, dx, n, p); break;
    case GELU_TANH: loop(BACKWARD, GELU_TANH, dy, s, dx, n, p); break;
    case SILU: loop(BACKWARD, SILU, dy, s, dx, n, p); break;
    case SIGMOID: loop(BACKWARD, SIGMOID, dy, s, dx, n, p); break;
    case TANH: loop(BACKWARD, TANH, dy, s, dx, n, p); break;
    case SOFTPLUS: loop(BACKWARD, SOFTPLUS, dy, s, dx, n, p); break;
    case HARDSWISH: loop(BACKWARD, HARDSWISH, dy, s, dx, n, p); break;
  }
}

/** y = activation(x) for n floats; also in place, for the epilogue of a product. */
export function activate(kind: i32, x: usize, y: usize, n: i32, slope: f32): void {
  elements(FORWARD, kind, x, 0, y, n, slope);
}

/** Record: kind, x, y, count, parameter f32 */
export function activation(a: usize, thread: i32, threads: i32): void {
  const n = load<i32>(a, 12);
  const from = shareStart(n, 16, thread, threads);
  const at = <usize>from << 2;
  const count = shareEnd(n, 16, thread, threads) - from;
  activate(load<i32>(a), <usize>load<u32>(a, 4) + at, <usize>load<u32>(a, 8) + at, count, load<f32>(a, 16));
}

/** Record: kind, dy, saved, dx, count, parameter f32 */
export function activationBackward(a: usize, thread: i32, threads: i32): void {
  const n = load<i32>(a, 16);
  const from = shareStart(n, 16, thread, threads);
  const at = <usize>from << 2;
  const count = shareEnd(n, 16, thread, threads) - from;
  const to = <usize>load<u32>(a, 12) + at;
  elements(BACKWARD, load<i32>(a), <usize>load<u32>(a, 4) + at, <usize>load<u32>(a, 8) + at, to, count, load<f32>(a, 20));
}
