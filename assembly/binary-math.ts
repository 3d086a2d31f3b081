import { arctangent } from './angles';
import { Binary, BinaryMathRecord } from './generated/records';
import { log } from './math';
import { shareEnd, shareStart } from './threads';
import { offsetOf } from './walk';

/** Functions of two numbers that are computed one by one, in f64. */
function one(kind: i32, a: f32, b: f32): f32 {
  if (kind == Binary.POW) return power(a, b);
  if (kind == Binary.FMOD) return a % b;
  return angle(a, b);
}

/** a^b, with C's values at the ends. */
function power(a: f32, b: f32): f32 {
  if (b == 0 || a == 1) return 1;
  if (a != a || b != b) return NaN;
  const size = abs(a);
  const endless = abs(b) == Infinity;
  if (endless && size == 1) return 1;
  // From 2^24 on every float is an even number.
  const even = endless || abs(b) >= 16777216 || nearest(b * 0.5) == b * 0.5;
  const whole = even || nearest(b) == b;
  let y: f32;
  if (size == 0 || size == Infinity || endless) {
    const grows = (size > 1) == (b > 0);
    y = grows ? Infinity : 0;
  } else {
    if (a < 0 && !whole) return NaN;
    y = <f32>exponentialOf(<f64>b * log(size));
  }
  return reinterpret<i32>(a) < 0 && whole && !even ? -y : y;
}

/** e^x to 1e-14, as far as an f32 reaches. */
function exponentialOf(x: f64): f64 {
  if (x > 89) return Infinity;
  if (x < -104) return 0;
  const n = nearest(x * 1.4426950408889634);
  const r = x - n * 0.693147180369123816490 - n * 1.90821492927058770002e-10;
  let p: f64 = 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  return p * reinterpret<f64>(<u64>(<i64>n + 1023) << 52);
}

/** The angle of the point (b, a). */
function angle(a: f32, b: f32): f32 {
  if (a != a || b != b) return NaN;
  const up = abs(<f64>a);
  const along = abs(<f64>b);
  const least = min(up, along);
  const most = max(up, along);
  // Of two zeros the quotient is 0, of two infinities 1.
  let t = arctangent(most == 0 ? 0 : least == Infinity ? 1 : least / most);
  if (up > along) t = 1.5707963267948966 - t;
  if (reinterpret<i32>(b) < 0) t = 3.141592653589793 - t;
  return <f32>copysign(t, <f64>a);
}

/** y = f(a, b) with broadcasting, walked as BINARY is. */
export function binaryMath(r: BinaryMathRecord, thread: i32, threads: i32): void {
  const rank = r.rank;
  const dims = r.dims;
  const stridesA = r.stridesA;
  const stridesB = r.stridesB;
  const last = (<usize>rank << 2) - 4;
  const n = load<i32>(dims + last);
  const stepA = <usize>load<i32>(stridesA + last) << 2;
  const stepB = <usize>load<i32>(stridesB + last) << 2;
  const total = r.outer * n;
  const to = shareEnd(total, 16, thread, threads);
  let y = r.y + (<usize>shareStart(total, 16, thread, threads) << 2);
  for (let i = shareStart(total, 16, thread, threads); i < to; ) {
    const o = i / n;
    let column = i - o * n;
    const end = min(n, column + to - i);
    i += end - column;
    let a = r.a + (<usize>offsetOf(o, dims, stridesA, rank - 1) << 2) + <usize>column * stepA;
    let b = r.b + (<usize>offsetOf(o, dims, stridesB, rank - 1) << 2) + <usize>column * stepB;
    for (; column < end; column++) {
      store<f32>(y, one(r.kind, load<f32>(a), load<f32>(b)));
      a += stepA;
      b += stepB;
      y += 4;
    }
  }
}
