import { madd } from './isa';

/**
 * Vector functions on four floats. NaN goes in and comes out; infinities give limits.
 * Error bounds are in docs/NUMERICS.md and held by test/backend/wasm/math.test.ts.
 */

/** 1.5 * 2^23: added to a small float, it leaves the nearest whole number in the lowest bits of the sum. */
const ROUNDER: f32 = 12582912;

/**
 * e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln 2 / 2; polynomial of Cephes expf (Moshier).
 * 2^n is applied in two halves so that results become infinite, or denormal and zero, gradually.
 * pmin and pmax are one instruction each, and give their first operand where it is NaN.
 */
@inline
export function exp(given: v128): v128 {
  const x = f32x4.pmax(f32x4.pmin(given, f32x4.splat(89)), f32x4.splat(-104));
  const rounded = f32x4.add(f32x4.mul(x, f32x4.splat(1.44269504088896341)), f32x4.splat(ROUNDER));
  const n = f32x4.sub(rounded, f32x4.splat(ROUNDER));
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let p = f32x4.splat(1.9875691500e-4);
  p = madd(p, r, f32x4.splat(1.3981999507e-3));
  p = madd(p, r, f32x4.splat(8.3334519073e-3));
  p = madd(p, r, f32x4.splat(4.1665795894e-2));
  p = madd(p, r, f32x4.splat(1.6666665459e-1));
  p = madd(p, r, f32x4.splat(5.0000001201e-1));
  p = f32x4.add(madd(f32x4.mul(r, r), p, r), f32x4.splat(1));
  const whole = i32x4.sub(rounded, i32x4.splat(reinterpret<i32>(ROUNDER)));
  const half = i32x4.shr_s(whole, 1);
  return f32x4.mul(f32x4.mul(p, powerOfTwo(half)), powerOfTwo(i32x4.sub(whole, half)));
}

/** 2^n for whole n from -126 to 127, by putting n into the exponent bits. */
@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
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
export function log1p(t: v128): v128 {
  const s = f32x4.div(t, f32x4.add(t, f32x4.splat(2)));
  const z = f32x4.mul(s, s);
  let p = f32x4.splat(2.0 / 15.0);
  p = madd(p, z, f32x4.splat(2.0 / 13.0));
  p = madd(p, z, f32x4.splat(2.0 / 11.0));
  p = madd(p, z, f32x4.splat(2.0 / 9.0));
  p = madd(p, z, f32x4.splat(2.0 / 7.0));
  p = madd(p, z, f32x4.splat(2.0 / 5.0));
  p = madd(p, z, f32x4.splat(2.0 / 3.0));
  p = madd(p, z, f32x4.splat(2.0));
  return f32x4.mul(p, s);
}

export function sigmoid(x: v128): v128 {
  return f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), exp(f32x4.neg(x))));
}

/** Below 0.625 the polynomial of Cephes tanhf (Moshier), above it 1 - 2 / (e^2x + 1). */
export function tanh(x: v128): v128 {
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(-5.70498872745e-3);
  p = madd(p, z, f32x4.splat(2.06390887954e-2));
  p = madd(p, z, f32x4.splat(-5.37397155531e-2));
  p = madd(p, z, f32x4.splat(1.33314422036e-1));
  p = madd(p, z, f32x4.splat(-3.33332819422e-1));
  const near = madd(f32x4.mul(p, z), x, x);
  const size = f32x4.abs(x);
  const e = exp(f32x4.add(size, size));
  const far = f32x4.sub(f32x4.splat(1), f32x4.div(f32x4.splat(2), f32x4.add(e, f32x4.splat(1))));
  const sign = v128.and(x, i32x4.splat(0x80000000));
  return v128.bitselect(near, v128.or(far, sign), f32x4.lt(size, f32x4.splat(0.625)));
}

/** Error function: x P(x^2) / Q(x^2) on [-4, 4], where f32 reaches +-1; the rational of Eigen's erf. */
export function erf(given: v128): v128 {
  const x = f32x4.pmax(f32x4.pmin(given, f32x4.splat(4)), f32x4.splat(-4));
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(-2.72614225801306e-10);
  p = madd(p, z, f32x4.splat(2.77068142495902e-8));
  p = madd(p, z, f32x4.splat(-2.10102402082508e-6));
  p = madd(p, z, f32x4.splat(-5.69250639462346e-5));
  p = madd(p, z, f32x4.splat(-7.34990630326855e-4));
  p = madd(p, z, f32x4.splat(-2.9545998085402e-3));
  p = madd(p, z, f32x4.splat(-1.60960333262415e-2));
  let q = f32x4.splat(-1.45660718464996e-5);
  q = madd(q, z, f32x4.splat(-2.13374055278905e-4));
  q = madd(q, z, f32x4.splat(-1.68282697438203e-3));
  q = madd(q, z, f32x4.splat(-7.37332916720468e-3));
  q = madd(q, z, f32x4.splat(-1.42647390514189e-2));
  return f32x4.div(f32x4.mul(x, p), q);
}
