import {
  constant, INFINITE, LEAST, LN2_HIGH, LN2_LOW, LOG, LOG2_E, ONE, ROOT_BITS, ROUNDER, SHIFTED, WHOLE_HIGH, WHOLE_LOW,
} from './constants';
import { madd, select } from './isa';
import { expTail, negated } from './math';

/** exp and log over all that an f32 may hold, for those who want just these; math.ts has those that go into something else. */

@inline
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/** e^x = 2^n e^r as in math.ts; 2^n is two factors, since results reach from the least denormal to the largest float. */
@inline
export function wholeExp(given: v128): v128 {
  const x = f32x4.pmax(f32x4.pmin(given, constant(WHOLE_HIGH)), constant(WHOLE_LOW));
  const rounder = constant(ROUNDER);
  const rounded = madd(x, constant(LOG2_E), rounder);
  const n = f32x4.sub(rounded, rounder);
  const r = madd(n, constant(LN2_LOW), madd(n, constant(LN2_HIGH), x));
  const one = constant(ONE);
  const p = madd(madd(expTail(r), r, one), r, one);
  const whole = i32x4.sub(rounded, rounder);
  const half = i32x4.shr_s(whole, 1);
  return f32x4.mul(f32x4.mul(p, powerOfTwo(half)), powerOfTwo(i32x4.sub(whole, half)));
}

/** Natural logarithm: x = 2^e m with m from sqrt(1 / 2) to sqrt(2), and log m by a polynomial. */
@inline
export function wholeLog(given: v128): v128 {
  const small = f32x4.lt(given, constant(LEAST));
  const x = select(f32x4.mul(given, constant(SHIFTED)), given, small);
  const bits = i32x4.sub(x, constant(ROOT_BITS));
  const exponent = i32x4.sub(i32x4.shr_s(bits, 23), v128.and(small, i32x4.splat(23)));
  const e = f32x4.convert_i32x4_s(exponent);
  const m = i32x4.add(v128.and(bits, i32x4.splat(0x7fffff)), constant(ROOT_BITS));
  const t = f32x4.sub(m, constant(ONE));
  const z = f32x4.mul(t, t);
  let p = constant(LOG);
  p = madd(p, t, constant(LOG + 1));
  p = madd(p, t, constant(LOG + 2));
  p = madd(p, t, constant(LOG + 3));
  p = madd(p, t, constant(LOG + 4));
  p = madd(p, t, constant(LOG + 5));
  p = madd(p, t, constant(LOG + 6));
  p = madd(p, t, constant(LOG + 7));
  p = madd(p, t, constant(LOG + 8));
  // ln 2 in two parts, which LN2_HIGH and LN2_LOW have with the other sign.
  let y = f32x4.mul(f32x4.mul(t, z), p);
  y = madd(e, negated(constant(LN2_LOW)), y);
  y = madd(z, f32x4.splat(-0.5), y);
  y = madd(e, negated(constant(LN2_HIGH)), f32x4.add(t, y));
  const infinite = constant(INFINITE);
  const ends = select(negated(infinite), f32x4.sqrt(given), f32x4.eq(given, f32x4.splat(0)));
  return select(y, ends, v128.and(f32x4.gt(given, f32x4.splat(0)), f32x4.lt(given, infinite)));
}
