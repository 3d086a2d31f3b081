import {
  constant, ERF_LIMIT, ERF_P, ERF_Q, EXP, EXP_HIGH, EXP_LOW, EXPONENT_BIAS, LN2_HIGH, LN2_LOW, LOG1P, LOG2_E, ONE, ROUNDER, SIGN,
  TANH, TANH_NEAR, TWO,
} from './constants';
import { madd } from './isa';

/**
 * Vector functions on four floats. NaN goes in and comes out; infinities give limits.
 * Error bounds are in docs/NUMERICS.md and held by test/backend/wasm/math.test.ts.
 */

/**
 * e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2.
 * 2^n is applied in two halves so that results become infinite, or denormal and zero, gradually.
 * pmin and pmax are one instruction each, and give their first operand where it is NaN.
 */
@inline
export function exp(given: v128): v128 {
  const x = f32x4.pmax(f32x4.pmin(given, constant(EXP_HIGH)), constant(EXP_LOW));
  const rounded = f32x4.add(f32x4.mul(x, constant(LOG2_E)), constant(ROUNDER));
  const n = f32x4.sub(rounded, constant(ROUNDER));
  let r = f32x4.sub(x, f32x4.mul(n, constant(LN2_HIGH)));
  r = f32x4.sub(r, f32x4.mul(n, constant(LN2_LOW)));
  let p = constant(EXP);
  p = madd(p, r, constant(EXP + 1));
  p = madd(p, r, constant(EXP + 2));
  p = madd(p, r, constant(EXP + 3));
  p = madd(p, r, constant(EXP + 4));
  p = madd(p, r, constant(EXP + 5));
  p = f32x4.add(madd(f32x4.mul(r, r), p, r), constant(ONE));
  // Both share their exponent, so their difference as whole numbers is n.
  const whole = i32x4.sub(rounded, constant(ROUNDER));
  const half = i32x4.shr_s(whole, 1);
  return f32x4.mul(f32x4.mul(p, powerOfTwo(half)), powerOfTwo(i32x4.sub(whole, half)));
}

/** 2^n for whole n from -126 to 127, by putting n into the exponent bits. */
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, constant(EXPONENT_BIAS)), 23);
}

/**
 * Natural logarithm of a positive normal number or NaN, in f64: x = 2^e m with m near 1, then
 * log m = 2 atanh((m - 1) / (m + 1)) as its power series, good to 1e-13. For the sum of a row, so scalar.
 */
export function log(x: f32): f64 {
  const bits = reinterpret<u64>(<f64>x);
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

/** log(1 + t) for 0 <= t <= 1: 2 atanh(s) with s = t / (2 + t) <= 1/3, as its power series. Keeps tiny t. */
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
  p = madd(p, z, constant(LOG1P + 6));
  p = madd(p, z, constant(LOG1P + 7));
  return f32x4.mul(p, s);
}

@inline
export function sigmoid(x: v128): v128 {
  return f32x4.div(constant(ONE), f32x4.add(constant(ONE), exp(f32x4.neg(x))));
}

/** Below 0.625 a polynomial, above it 1 - 2 / (e^2x + 1). */
@inline
export function tanh(x: v128): v128 {
  const z = f32x4.mul(x, x);
  let p = constant(TANH);
  p = madd(p, z, constant(TANH + 1));
  p = madd(p, z, constant(TANH + 2));
  p = madd(p, z, constant(TANH + 3));
  p = madd(p, z, constant(TANH + 4));
  const near = madd(f32x4.mul(p, z), x, x);
  const size = f32x4.abs(x);
  const e = exp(f32x4.add(size, size));
  const far = f32x4.sub(constant(ONE), f32x4.div(constant(TWO), f32x4.add(e, constant(ONE))));
  const sign = v128.and(x, constant(SIGN));
  return v128.bitselect(near, v128.or(far, sign), f32x4.lt(size, constant(TANH_NEAR)));
}

/** Error function: x P(x^2) / Q(x^2) on [-4, 4], where f32 reaches +-1. */
@inline
export function erf(given: v128): v128 {
  const limit = constant(ERF_LIMIT);
  const x = f32x4.pmax(f32x4.pmin(given, limit), f32x4.neg(limit));
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
