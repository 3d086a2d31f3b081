import { shareEnd, shareStart } from './threads';
import { loadPart, storePart } from './vector';

/**
 * q = clamp(round(x * inverse) + zero point), halves to even. Clamping comes before adding, where nothing can wrap;
 * NaN converts to 0 and so becomes the zero point. Record: x, y, count, inverse f32, zero point, low, high
 */
export function quantize(a: usize, thread: i32, threads: i32): void {
  const x = <usize>load<u32>(a);
  const y = <usize>load<u32>(a, 4);
  const n = load<i32>(a, 8);
  const inverse = f32x4.splat(load<f32>(a, 12));
  const z = load<i32>(a, 16);
  const zero = i32x4.splat(z);
  const low = i32x4.splat(load<i32>(a, 20) - z);
  const high = i32x4.splat(load<i32>(a, 24) - z);
  const signed = load<i32>(a, 20) < 0;
  const end = shareEnd(n, 64, thread, threads);
  let i = shareStart(n, 64, thread, threads);
  for (; i + 16 <= end; i += 16) {
    const at = x + (<usize>i << 2);
    const q0 = quantizeFour(v128.load(at), inverse, zero, low, high);
    const q1 = quantizeFour(v128.load(at, 16), inverse, zero, low, high);
    const q2 = quantizeFour(v128.load(at, 32), inverse, zero, low, high);
    const q3 = quantizeFour(v128.load(at, 48), inverse, zero, low, high);
    const first = i16x8.narrow_i32x4_s(q0, q1);
    const second = i16x8.narrow_i32x4_s(q2, q3);
    v128.store(y + i, signed ? i8x16.narrow_i16x8_s(first, second) : i8x16.narrow_i16x8_u(first, second));
  }
  for (; i < end; i += 4) {
    const v = loadPart(x + (<usize>i << 2), end - i, 0);
    storeBytes(y + i, end - i, quantizeFour(v, inverse, zero, low, high));
  }
}

@inline
function quantizeFour(v: v128, inverse: v128, zero: v128, low: v128, high: v128): v128 {
  const whole = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v, inverse)));
  return i32x4.add(i32x4.max_s(i32x4.min_s(whole, high), low), zero);
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

/** x = (q - zero point) * scale. Record: q, y, count, signed, zero point, scale f32 */
export function dequantize(a: usize, thread: i32, threads: i32): void {
  const x = <usize>load<u32>(a);
  const y = <usize>load<u32>(a, 4);
  const n = load<i32>(a, 8);
  const signed = load<i32>(a, 12);
  const zero = i32x4.splat(load<i32>(a, 16));
  const scale = f32x4.splat(load<f32>(a, 20));
  const end = shareEnd(n, 16, thread, threads);
  for (let i = shareStart(n, 16, thread, threads); i < end; i += 4) {
    const bytes = loadBytes(x + i, end - i);
    const q = signed ? i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(bytes)) : i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes));
    storePart(y + (<usize>i << 2), end - i, f32x4.mul(f32x4.convert_i32x4_s(i32x4.sub(q, zero)), scale));
  }
}

@inline
function loadBytes(at: usize, count: i32): v128 {
  if (count >= 4) return v128.load32_zero(at);
  let v = i8x16.replace_lane(i8x16.splat(0), 0, load<i8>(at));
  if (count > 1) v = i8x16.replace_lane(v, 1, load<i8>(at, 1));
  if (count > 2) v = i8x16.replace_lane(v, 2, load<i8>(at, 2));
  return v;
}

/** y = table[x]. Record: x, table, y, count */
export function activationI8(a: usize, thread: i32, threads: i32): void {
  const x = <usize>load<u32>(a);
  const table = <usize>load<u32>(a, 4);
  const y = <usize>load<u32>(a, 8);
  const n = load<i32>(a, 12);
  const end = shareEnd(n, 64, thread, threads);
  for (let i = shareStart(n, 64, thread, threads); i < end; i++) store<u8>(y + i, load<u8>(table + load<u8>(x + i)));
}
