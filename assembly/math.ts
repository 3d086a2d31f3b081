import {
  constant, ERF_LIMIT, ERF_P, ERF_Q, EXP, EXP_HIGH, EXP_LOW, LN2_HIGH, LN2_LOW, LOG1P, LOG2_E, ONE, ROUNDER, SIGN,
  TANH_LIMIT, TANH_P, TANH_Q, TWO,
} from './constants';
import { madd, select } from './isa';

/**
 * Vector functions on four floats. NaN goes in and comes out; infinities give limits.
 * Error bounds are in docs/NUMERICS.md and held by test/backend/wasm/math.test.ts.
 */

/** p with e^r = 1 + r + r^2 p, for |r| up to ln 2 / 2. */
@inline
export function expTail(r: v128): v128 {
  let p = constant(EXP);
  p = madd(p, r, constant(EXP + 1));
  p = madd(p, r, constant(EXP + 2));
  p = madd(p, r, constant(EXP + 3));
  p = madd(p, r, constant(EXP + 4));
  return p;
}

/**
 * e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2. The sum that rounds also leaves n, with its bias, where a shift
 * makes it the exponent of 2^n. Results below 2^-126 are 0, those above 2^127.5 infinite: what calls this adds it to
 * something, or gives it to what follows a softmax.
 * pmin and pmax are one instruction each, and give their first operand where it is NaN.
 */
@inline
export function exp(given: v128): v128 {
  return expDown(f32x4.pmin(given, constant(EXP_HIGH)));
}

/** The same for x up to 89, which saves what would see to it that it is. */
@inline
export function expDown(given: v128): v128 {
  const x = f32x4.pmax(given, constant(EXP_LOW));
  const rounder = constant(ROUNDER);
  const rounded = madd(x, constant(LOG2_E), rounder);
  const n = f32x4.sub(rounded, rounder);
  const r = madd(n, constant(LN2_LOW), madd(n, constant(LN2_HIGH), x));
  const one = constant(ONE);
  return f32x4.mul(madd(madd(expTail(r), r, one), r, one), i32x4.shl(rounded, 23));
}

/**
 * e^x - 1 without cancellation, for x up to 0: e^x = 2^n (1 + q) as in exp(), so 2^n q + (2^n - 1), which is q alone near 0.
 */
@inline
export function expm1(given: v128): v128 {
  const x = f32x4.pmax(given, constant(EXP_LOW));
  const rounder = constant(ROUNDER);
  const rounded = madd(x, constant(LOG2_E), rounder);
  const n = f32x4.sub(rounded, rounder);
  const r = madd(n, constant(LN2_LOW), madd(n, constant(LN2_HIGH), x));
  const one = constant(ONE);
  const q = madd(f32x4.mul(expTail(r), r), r, r);
  const scale = i32x4.shl(rounded, 23);
  return madd(scale, q, f32x4.sub(scale, one));
}

/**
 * Natural logarithm of a positive normal number or NaN, in f64: x = 2^e m with m near 1, then
 * log m = 2 atanh((m - 1) / (m + 1)) as its power series, good to 1e-13. For the sum of a row, so scalar.
 */
@inline
export function log(x: f32): f64 {
  return logWide(<f64>x);
}

export function logWide(x: f64): f64 {
  const bits = reinterpret<u64>(x);
  let e = <i32>((bits >> 52) & 0x7ff) - 1023;
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    e += 1;
  }
  if (x != x) return NaN;
  const s = (m - 1.0) / (m + 1.0);
  const z = s * s;
  let p = 1.0 / 17.0;
  p = p * z + 1.0 / 15.0;
  p = p * z + 1.0 / 13.0;
  p = p * z + 1.0 / 11.0;
  p = p * z + 1.0 / 9.0;
  p = p * z + 1.0 / 7.0;
  p = p * z + 1.0 / 5.0;
  p = p * z + 1.0 / 3.0;
  p = p * z + 1.0;
  return 2.0 * s * p + <f64>e * 0.69314718055994531;
}

/** log(1 + t) for -1/2 <= t <= 1: 2 atanh(s) with s = t / (2 + t), at most 1/3, as a polynomial. Keeps tiny t. */
@inline
export function log1p(t: v128): v128 {
  const s = f32x4.div(t, f32x4.add(t, constant(TWO)));
  const z = f32x4.mul(s, s);
  let p = constant(LOG1P);
  p = madd(p, z, constant(LOG1P + 1));
  p = madd(p, z, constant(LOG1P + 2));
  p = madd(p, z, constant(LOG1P + 3));
  p = madd(p, z, constant(LOG1P + 4));
  p = madd(p, z, constant(LOG1P + 5));
  return f32x4.mul(p, s);
}

/** -x and abs(x) in one instruction each, where V8 takes three. */
@inline
export function negated(x: v128): v128 {
  return v128.xor(x, constant(SIGN));
}

@inline
export function size(x: v128): v128 {
  return v128.andnot(x, constant(SIGN));
}

/** -abs(x) */
@inline
export function below(x: v128): v128 {
  return v128.or(x, constant(SIGN));
}

/** a / (1 + e^-x): a times the sigmoid of x. */
@inline
export function gated(a: v128, x: v128): v128 {
  return f32x4.div(a, f32x4.add(constant(ONE), exp(negated(x))));
}

@inline
export function sigmoid(x: v128): v128 {
  return gated(constant(ONE), x);
}

/** Hyperbolic tangent: x P(x^2) / Q(x^2) as far as f32 stays below 1, and exactly 1 from there on. */
@inline
export function tanh(given: v128): v128 {
  const limit = constant(TANH_LIMIT);
  const x = f32x4.pmax(f32x4.pmin(given, limit), negated(limit));
  const z = f32x4.mul(x, x);
  let p = constant(TANH_P);
  p = madd(p, z, constant(TANH_P + 1));
  p = madd(p, z, constant(TANH_P + 2));
  p = madd(p, z, constant(TANH_P + 3));
  p = madd(p, z, constant(TANH_P + 4));
  p = madd(p, z, constant(TANH_P + 5));
  p = madd(p, z, constant(TANH_P + 6));
  let q = constant(TANH_Q);
  q = madd(q, z, constant(TANH_Q + 1));
  q = madd(q, z, constant(TANH_Q + 2));
  q = madd(q, z, constant(TANH_Q + 3));
  const beyond = f32x4.ge(size(given), limit);
  return f32x4.div(select(x, f32x4.mul(x, p), beyond), select(limit, q, beyond));
}

/** Error function: x P(x^2) / Q(x^2) on [-4, 4], where f32 reaches +-1. */
@inline
export function erf(given: v128): v128 {
  const limit = constant(ERF_LIMIT);
  const x = f32x4.pmax(f32x4.pmin(given, limit), negated(limit));
  const z = f32x4.mul(x, x);
  let p = constant(ERF_P);
  p = madd(p, z, constant(ERF_P + 1));
  p = madd(p, z, constant(ERF_P + 2));
  p = madd(p, z, constant(ERF_P + 3));
  p = madd(p, z, constant(ERF_P + 4));
  p = madd(p, z, constant(ERF_P + 5));
  p = madd(p, z, constant(ERF_P + 6));
  let q = constant(ERF_Q);
  q = madd(q, z, constant(ERF_Q + 1));
  q = madd(q, z, constant(ERF_Q + 2));
  q = madd(q, z, constant(ERF_Q + 3));
  q = madd(q, z, constant(ERF_Q + 4));
  return f32x4.div(f32x4.mul(x, p), q);
}
