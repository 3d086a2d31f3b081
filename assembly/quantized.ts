import { ActivationI8Record, AddI8Record, DequantizeRecord, QuantizeRecord } from './generated/records';
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
export function loadBytes(at: usize, count: i32): v128 {
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

/** y = clamp(round(((a - zeroA) * factorA + (b - zeroB) * factorB) / 2^shift) + zeroPoint), halves away from zero. */
export function addI8(r: AddI8Record, thread: i32, threads: i32): void {
  const n = r.count;
  const end = shareEnd(n, 64, thread, threads);
  const least = i8x16.splat(<i8>r.min);
  const most = i8x16.splat(<i8>r.max);
  let i = shareStart(n, 64, thread, threads);
  for (; i + 8 <= end; i += 8) {
    const a = v128.load8x8_u(r.a + i);
    const b = v128.load8x8_u(r.b + i);
    const y0 = added(r, i32x4.extend_low_i16x8_u(a), i32x4.extend_low_i16x8_u(b));
    const y1 = added(r, i32x4.extend_high_i16x8_u(a), i32x4.extend_high_i16x8_u(b));
    const words = i16x8.narrow_i32x4_s(y0, y1);
    const bytes = i8x16.narrow_i16x8_u(words, words);
    v128.store_lane<i64>(r.y + i, i8x16.max_u(i8x16.min_u(bytes, most), least), 0);
  }
  for (; i < end; i += 4) {
    const a = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(loadBytes(r.a + i, end - i)));
    const b = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(loadBytes(r.b + i, end - i)));
    const q = i32x4.max_s(i32x4.min_s(added(r, a, b), i32x4.splat(r.max)), i32x4.splat(r.min));
    storeBytes(r.y + i, end - i, q);
  }
}

@inline
function added(r: AddI8Record, a: v128, b: v128): v128 {
  const fromA = i32x4.mul(i32x4.sub(a, i32x4.splat(r.zeroA)), i32x4.splat(r.factorA));
  const acc = i32x4.add(fromA, i32x4.mul(i32x4.sub(b, i32x4.splat(r.zeroB)), i32x4.splat(r.factorB)));
  const rounded = i32x4.add(i32x4.add(acc, i32x4.splat(1 << (r.shift - 1))), i32x4.shr_s(acc, 31));
  return i32x4.add(i32x4.shr_s(rounded, r.shift), i32x4.splat(r.zeroPoint));
}
