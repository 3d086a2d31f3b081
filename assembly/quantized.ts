import { ActivationI8Record, DequantizeRecord, QuantizeRecord } from './generated/records';
import { TURN } from './spare';
import { shareEnd, shareStart } from './threads';
import { loadPart, storePart } from './vector';

/**
 * q = clamp(round(x * inverse) + zero point), halves to even. Clamping comes first, where nothing can wrap; NaN becomes 0 and
 * so the zero point.
 */
export function quantize(r: QuantizeRecord, thread: i32, threads: i32): void {
  const x = r.x;
  const y = r.y;
  const n = r.count;
  const inverse = f32x4.splat(r.inverse);
  const z = r.zeroPoint;
  const offset = i32x4.splat(z - ROUNDER_BITS);
  const low = f32x4.splat(<f32>(r.low - z));
  const high = f32x4.splat(<f32>(r.high - z));
  const signed = r.low < 0;
  const end = shareEnd(n, 64, thread, threads);
  let i = shareStart(n, 64, thread, threads);
  for (; i + 16 <= end; i += 16) {
    const at = x + (<usize>i << 2);
    const q0 = quantizeFour(v128.load(at), inverse, offset, low, high);
    const q1 = quantizeFour(v128.load(at, 16), inverse, offset, low, high);
    const q2 = quantizeFour(v128.load(at, 32), inverse, offset, low, high);
    const q3 = quantizeFour(v128.load(at, 48), inverse, offset, low, high);
    const first = i16x8.narrow_i32x4_s(q0, q1);
    const second = i16x8.narrow_i32x4_s(q2, q3);
    v128.store(y + i, signed ? i8x16.narrow_i16x8_s(first, second) : i8x16.narrow_i16x8_u(first, second));
  }
  for (; i < end; i += 4) {
    const v = loadPart(x + (<usize>i << 2), end - i, 0);
    storeBytes(y + i, end - i, quantizeFour(v, inverse, offset, low, high));
  }
}

/** Added to a small float, 1.5 * 2^23 leaves the nearest whole number, ties to even, in the lowest bits of the sum. */
const ROUNDER: f32 = 12582912;
const ROUNDER_BITS: i32 = 0x4b400000;

@inline
function quantizeFour(v: v128, inverse: v128, offset: v128, low: v128, high: v128): v128 {
  const real = f32x4.mul(v, inverse);
  const known = v128.and(real, f32x4.eq(real, real));
  const within = f32x4.pmax(f32x4.pmin(known, high), low);
  return i32x4.add(f32x4.add(within, f32x4.splat(ROUNDER)), offset);
}

/** Stores the low byte of the first `count` (1 to 4) lanes. */
@inline
export function storeBytes(at: usize, count: i32, q: v128): void {
  const bytes = v128.swizzle(q, i8x16(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
  if (count >= 4) {
    v128.store_lane<i32>(at, bytes, 0);
    return;
  }
  v128.store_lane<i8>(at, bytes, 0);
  if (count > 1) v128.store_lane<i8>(at, bytes, 1, 1);
  if (count > 2) v128.store_lane<i8>(at, bytes, 2, 2);
}

/** y = (x - zero point) * scale */
export function dequantize(r: DequantizeRecord, thread: i32, threads: i32): void {
  const x = r.x;
  const y = r.y;
  const n = r.count;
  // A signed byte is the unsigned one with its highest bit turned, less 128: one loop for both.
  const signed = r.signed;
  const turned = i16x8.splat(signed ? 128 : 0);
  const zero = i32x4.splat(r.zeroPoint + (signed ? 128 : 0));
  const scale = f32x4.splat(r.scale);
  const end = shareEnd(n, 16, thread, threads);
  let i = shareStart(n, 16, thread, threads);
  for (; i + TURN <= end; i += TURN) {
    const q = v128.xor(v128.load8x8_u(x + i), turned);
    const to = y + (<usize>i << 2);
    const y0 = real(i32x4.extend_low_i16x8_s(q), zero, scale);
    const y1 = real(i32x4.extend_high_i16x8_s(q), zero, scale);
    v128.store(to, y0);
    v128.store(to, y1, 16);
  }
  for (; i < end; i += 4) {
    const q = v128.xor(i16x8.extend_low_i8x16_u(loadBytes(x + i, end - i)), turned);
    storePart(y + (<usize>i << 2), end - i, real(i32x4.extend_low_i16x8_s(q), zero, scale));
  }
}

@inline
function real(q: v128, zero: v128, scale: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(q, zero)), scale);
}

@inline
function loadBytes(at: usize, count: i32): v128 {
  if (count >= 4) return v128.load32_zero(at);
  let v = i8x16.replace_lane(i8x16.splat(0), 0, load<i8>(at));
  if (count > 1) v = i8x16.replace_lane(v, 1, load<i8>(at, 1));
  if (count > 2) v = i8x16.replace_lane(v, 2, load<i8>(at, 2));
  return v;
}

/** y = table[x] */
export function activationI8(r: ActivationI8Record, thread: i32, threads: i32): void {
  const x = r.x;
  const table = r.table;
  const y = r.y;
  const n = r.count;
  const end = shareEnd(n, 64, thread, threads);
  for (let i = shareStart(n, 64, thread, threads); i < end; i++) store<u8>(y + i, load<u8>(table + load<u8>(x + i)));
}
