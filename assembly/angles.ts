/** Angles, one by one in f64, which the final rounding to f32 alone makes inexact. */

/** 2 / pi as a binary fraction, 64 bits a part. */
@inline
function twoByPi(part: i32): u64 {
  if (part == 0) return 0xa2f9836e4e441529;
  if (part == 1) return 0xfc2757d1f534ddc0;
  if (part == 2) return 0xdb6295993c439041;
  return 0xfe5163abdebbc561;
}

const PI_HALF: f64 = 1.5707963267948966;
/** pi / 2 in two parts; whole multiples of the first, of 25 bits, are exact up to 2^28. */
const PI_HALF_HIGH: f64 = 1.57079631090164184570;
const PI_HALF_LOW: f64 = 1.58932547735281966916e-8;

/** sin(x + quarters pi / 2). Polynomials of FreeBSD's sinf and cosf. */
export function sine(x: f32, quarters: i32): f64 {
  const a = abs(<f64>x);
  if (!(a < Infinity)) return NaN;
  let quarter: i32;
  let r: f64;
  if (a < 268435456) {
    const n = nearest(a * (1 / PI_HALF));
    quarter = <i32>n;
    r = a - n * PI_HALF_HIGH - n * PI_HALF_LOW;
  } else {
    // a = m 2^e with a whole m; of 2^(e - 2) 2 / pi only the fraction counts, of which 96 bits are more than enough.
    const bits = reinterpret<u32>(<f32>a);
    const m = <u64>((bits & 0x7fffff) | 0x800000);
    const skipped = <i32>(bits >> 23) - 152;
    const part = skipped >> 6;
    const shift = <u64>(skipped & 63);
    const high = joined(twoByPi(part), twoByPi(part + 1), shift);
    const low = joined(twoByPi(part + 1), twoByPi(part + 2), shift) >> 32;
    const turn = m * high + ((m * low) >> 32);
    quarter = <i32>((turn + 0x2000000000000000) >> 62);
    r = <f64>(<i64>(turn - (<u64>quarter << 62))) * (PI_HALF / 4611686018427387904.0);
  }
  if (reinterpret<i32>(x) < 0) {
    quarter = -quarter;
    r = -r;
  }
  quarter += quarters;
  const z = r * r;
  const y =
    quarter & 1
      ? 1 + z * (-0.499999997251031003120 + z * (0.0416666233237390631894 + z * (-0.00138867637746099294692 + z * 0.0000243904487962774090654)))
      : r + r * z * (-0.166666666416265235595 + z * (0.0083333293858894631756 + z * (-0.000198393348360966317347 + z * 0.0000027183114939898219064)));
  return quarter & 2 ? -y : y;
}

@inline
function joined(first: u64, second: u64, shift: u64): u64 {
  return shift ? (first << shift) | (second >> (64 - shift)) : first;
}

/** From -pi / 2 to pi / 2. The polynomial of Cephes' atanf, up to tan(pi / 8). */
export function arctangent(x: f64): f64 {
  let a = abs(x);
  let start: f64 = 0;
  if (a > 2.414213562373095) {
    start = PI_HALF;
    a = -1 / a;
  } else if (a > 0.4142135623730950) {
    start = PI_HALF / 2;
    a = (a - 1) / (a + 1);
  }
  const z = a * a;
  const y = start + (a + a * z * (-3.33329491539e-1 + z * (1.99777106478e-1 + z * (-1.38776856032e-1 + z * 8.05374449538e-2))));
  return copysign(y, x);
}
