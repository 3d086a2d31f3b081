import {
  constant, DENSITY, FORTY, GELU_CUBIC, GELU_CUBIC_SLOPE, GELU_ZERO, HALF, MOST, ONE, SIX, SIXTH, SQRT_2_BY_PI, SQRT_HALF, THREE, TWENTY, TWO,
} from './constants';
import { BACKWARD, elements, FORWARD, loop } from './elements';
import { Activation, ActivationBackwardRecord, ActivationRecord } from './generated/records';
import { select } from './isa';
import { below, erf, expDown, expm1, gated, log1p, negated, sigmoid, tanh } from './math';
import { shareEnd, shareStart } from './threads';

/** One activation on four floats; `kind` is a constant where this is inlined. `p` is leaky_relu's slope or elu's alpha. */
@inline
export function forward(kind: i32, x: v128, p: v128): v128 {
  const zero = f32x4.splat(0);
  const one = constant(ONE);
  // pmax, one instruction where max is seven, gives its first operand where that is NaN.
  if (kind == Activation.RELU) return f32x4.pmax(x, zero);
  if (kind == Activation.LEAKY_RELU) return select(f32x4.mul(x, p), x, f32x4.le(x, zero));
  if (kind == Activation.ELU) return select(f32x4.mul(p, expm1(x)), x, f32x4.le(x, zero));
  if (kind == Activation.GELU) {
    const y = f32x4.mul(f32x4.mul(x, constant(HALF)), f32x4.add(one, erf(f32x4.mul(x, constant(SQRT_HALF)))));
    return v128.andnot(y, f32x4.lt(x, constant(GELU_ZERO)));
  }
  if (kind == Activation.GELU_TANH) {
    // (1 + tanh u) / 2 is sigmoid(2 u), which keeps its digits where x is negative.
    const inner = geluInner(x);
    return v128.andnot(gated(x, f32x4.add(inner, inner)), f32x4.lt(x, constant(GELU_ZERO)));
  }
  // -infinity would meet a factor of 0 and become NaN; no finite result changes beyond -1e30.
  if (kind == Activation.SILU) return gated(f32x4.pmax(x, negated(constant(MOST))), x);
  if (kind == Activation.SIGMOID) return sigmoid(x);
  if (kind == Activation.TANH) return tanh(x);
  if (kind == Activation.SOFTPLUS) return f32x4.add(f32x4.pmax(x, zero), log1p(expDown(below(x))));
  if (kind == Activation.SOFTSIGN) return softsign(x);
  if (kind == Activation.RELU6) return f32x4.pmin(f32x4.pmax(x, zero), constant(SIX));
  if (kind == Activation.HARDSIGMOID) {
    return f32x4.mul(f32x4.pmin(f32x4.pmax(f32x4.add(x, constant(THREE)), zero), constant(SIX)), constant(SIXTH));
  }
  if (kind == Activation.MISH) {
    // -infinity would meet a factor of 0; beyond 20 x is the result.
    const n = gateOfMish(x);
    const y = f32x4.mul(f32x4.pmax(x, negated(constant(MOST))), f32x4.div(n, f32x4.add(n, constant(TWO))));
    return select(x, y, f32x4.gt(x, constant(TWENTY)));
  }
  if (kind == Activation.HARDSWISH) {
    const y = f32x4.mul(f32x4.mul(x, f32x4.add(x, constant(THREE))), constant(SIXTH));
    return v128.andnot(select(x, y, f32x4.ge(x, constant(THREE))), f32x4.le(x, negated(constant(THREE))));
  }
  return x;
}

/** n = e (e + 2) with e = e^x: tanh(log(1 + e)) is n / (n + 2). */
@inline
function gateOfMish(x: v128): v128 {
  const e = expDown(f32x4.pmin(x, constant(FORTY)));
  return f32x4.mul(e, f32x4.add(e, constant(TWO)));
}

/** sqrt(2 / pi) (x + 0.044715 x^3) */
@inline
function geluInner(x: v128): v128 {
  const cubic = f32x4.mul(f32x4.mul(x, x), f32x4.mul(x, constant(GELU_CUBIC)));
  return f32x4.mul(constant(SQRT_2_BY_PI), f32x4.add(x, cubic));
}

/** x / (1 + |x|); infinity over infinity would be NaN. */
@inline
function softsign(given: v128): v128 {
  const x = within(given, constant(MOST));
  return f32x4.div(x, f32x4.add(constant(ONE), f32x4.abs(x)));
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
  if (kind == Activation.RELU) return v128.andnot(dy, f32x4.le(s, zero));
  if (kind == Activation.LEAKY_RELU) return select(f32x4.mul(dy, p), dy, f32x4.le(s, zero));
  if (kind == Activation.ELU) return select(f32x4.mul(dy, f32x4.mul(p, expDown(s))), dy, f32x4.le(s, zero));
  if (kind == Activation.GELU) {
    const x = within(s, negated(constant(GELU_ZERO)));
    const half = f32x4.mul(x, negated(constant(HALF)));
    const density = f32x4.mul(expDown(f32x4.mul(half, x)), constant(DENSITY));
    const phi = f32x4.mul(constant(HALF), f32x4.add(one, erf(f32x4.mul(x, constant(SQRT_HALF)))));
    return f32x4.mul(dy, f32x4.add(phi, f32x4.mul(x, density)));
  }
  if (kind == Activation.GELU_TANH) {
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
  if (kind == Activation.SILU) {
    const x = within(s, constant(MOST));
    const g = sigmoid(x);
    return f32x4.mul(dy, f32x4.mul(g, f32x4.add(one, f32x4.mul(x, f32x4.sub(one, g)))));
  }
  if (kind == Activation.SIGMOID) return f32x4.mul(dy, f32x4.mul(s, f32x4.sub(one, s)));
  if (kind == Activation.TANH) return f32x4.mul(dy, f32x4.sub(one, f32x4.mul(s, s)));
  if (kind == Activation.SOFTPLUS) return gated(dy, s);
  if (kind == Activation.SOFTSIGN) {
    // One factor after the other: their product may be too small for an f32 where dy is large.
    const slope = f32x4.div(one, f32x4.add(one, f32x4.abs(s)));
    return f32x4.mul(f32x4.mul(dy, slope), slope);
  }
  if (kind == Activation.RELU6) {
    return v128.andnot(dy, v128.or(f32x4.le(s, zero), f32x4.ge(s, constant(SIX))));
  }
  if (kind == Activation.HARDSIGMOID) {
    return v128.andnot(f32x4.mul(dy, constant(SIXTH)), v128.or(f32x4.le(s, zero), f32x4.ge(s, one)));
  }
  if (kind == Activation.MISH) {
    // t = n / (n + 2), whose derivative is 4 e (e + 1) / (n + 2)^2; divided twice by what its square would make infinite.
    const x = f32x4.pmax(f32x4.pmin(s, constant(FORTY)), negated(constant(MOST)));
    const e = expDown(x);
    const n = f32x4.mul(e, f32x4.add(e, constant(TWO)));
    const below = f32x4.add(n, constant(TWO));
    const slope = f32x4.div(f32x4.div(f32x4.mul(f32x4.mul(e, f32x4.add(e, one)), f32x4.splat(4)), below), below);
    return f32x4.mul(dy, f32x4.add(f32x4.div(n, below), f32x4.mul(x, slope)));
  }
  if (kind == Activation.HARDSWISH) {
    const ramp = f32x4.mul(f32x4.add(f32x4.add(s, s), constant(THREE)), constant(SIXTH));
    const y = select(dy, f32x4.mul(dy, ramp), f32x4.ge(s, constant(THREE)));
    return v128.andnot(y, f32x4.le(s, negated(constant(THREE))));
  }
  return dy;
}

/** `n` floats, a multiple of TURN. */
export function forwardTurns(kind: i32, x: usize, y: usize, n: i32, p: f32): void {
  switch (kind) {
    case Activation.RELU: loop(FORWARD, Activation.RELU, x, 0, y, n, p); break;
    case Activation.LEAKY_RELU: loop(FORWARD, Activation.LEAKY_RELU, x, 0, y, n, p); break;
    case Activation.ELU: loop(FORWARD, Activation.ELU, x, 0, y, n, p); break;
    case Activation.GELU: loop(FORWARD, Activation.GELU, x, 0, y, n, p); break;
    case Activation.GELU_TANH: loop(FORWARD, Activation.GELU_TANH, x, 0, y, n, p); break;
    case Activation.SILU: loop(FORWARD, Activation.SILU, x, 0, y, n, p); break;
    case Activation.SIGMOID: loop(FORWARD, Activation.SIGMOID, x, 0, y, n, p); break;
    case Activation.TANH: loop(FORWARD, Activation.TANH, x, 0, y, n, p); break;
    case Activation.SOFTPLUS: loop(FORWARD, Activation.SOFTPLUS, x, 0, y, n, p); break;
    case Activation.SOFTSIGN: loop(FORWARD, Activation.SOFTSIGN, x, 0, y, n, p); break;
    case Activation.HARDSWISH: loop(FORWARD, Activation.HARDSWISH, x, 0, y, n, p); break;
    case Activation.RELU6: loop(FORWARD, Activation.RELU6, x, 0, y, n, p); break;
    case Activation.HARDSIGMOID: loop(FORWARD, Activation.HARDSIGMOID, x, 0, y, n, p); break;
    case Activation.MISH: loop(FORWARD, Activation.MISH, x, 0, y, n, p); break;
  }
}

export function backwardTurns(kind: i32, dy: usize, s: usize, dx: usize, n: i32, p: f32): void {
  switch (kind) {
    case Activation.RELU: loop(BACKWARD, Activation.RELU, dy, s, dx, n, p); break;
    case Activation.LEAKY_RELU: loop(BACKWARD, Activation.LEAKY_RELU, dy, s, dx, n, p); break;
    case Activation.ELU: loop(BACKWARD, Activation.ELU, dy, s, dx, n, p); break;
    case Activation.GELU: loop(BACKWARD, Activation.GELU, dy, s, dx, n, p); break;
    case Activation.GELU_TANH: loop(BACKWARD, Activation.GELU_TANH, dy, s, dx, n, p); break;
    case Activation.SILU: loop(BACKWARD, Activation.SILU, dy, s, dx, n, p); break;
    case Activation.SIGMOID: loop(BACKWARD, Activation.SIGMOID, dy, s, dx, n, p); break;
    case Activation.TANH: loop(BACKWARD, Activation.TANH, dy, s, dx, n, p); break;
    case Activation.SOFTPLUS: loop(BACKWARD, Activation.SOFTPLUS, dy, s, dx, n, p); break;
    case Activation.SOFTSIGN: loop(BACKWARD, Activation.SOFTSIGN, dy, s, dx, n, p); break;
    case Activation.HARDSWISH: loop(BACKWARD, Activation.HARDSWISH, dy, s, dx, n, p); break;
    case Activation.RELU6: loop(BACKWARD, Activation.RELU6, dy, s, dx, n, p); break;
    case Activation.HARDSIGMOID: loop(BACKWARD, Activation.HARDSIGMOID, dy, s, dx, n, p); break;
    case Activation.MISH: loop(BACKWARD, Activation.MISH, dy, s, dx, n, p); break;
  }
}

/** y = activation(x) for n floats; also in place, for the epilogue of a product. */
export function activate(kind: i32, x: usize, y: usize, n: i32, slope: f32): void {
  elements(FORWARD, kind, x, 0, y, n, slope);
}

export function activation(r: ActivationRecord, thread: i32, threads: i32): void {
  const from = shareStart(r.count, 16, thread, threads);
  const at = <usize>from << 2;
  const count = shareEnd(r.count, 16, thread, threads) - from;
  activate(r.activation, r.x + at, r.y + at, count, r.parameter);
}

export function activationBackward(r: ActivationBackwardRecord, thread: i32, threads: i32): void {
  const from = shareStart(r.count, 16, thread, threads);
  const at = <usize>from << 2;
  const count = shareEnd(r.count, 16, thread, threads) - from;
  elements(BACKWARD, r.activation, r.dy + at, r.saved + at, r.dx + at, count, r.parameter);
}
