import { MatmulI8Record } from '../generated/records';
import { storeBytes } from '../quantized';

/**
 * Requantizes the sums of a tile, `height` x `width` of them real, rows of it `columns` apart, and stores them as bytes, rows of
 * them `ldy` apart.
 */
export function finish(
  r: MatmulI8Record, sums: usize, columns: i32, multipliers: usize, y: usize, ldy: usize, height: i32, width: i32,
): void {
  const table = r.table;
  const shift = r.shift;
  const half = i64x2.splat((<i64>1) << (shift - 1));
  const zero = i32x4.splat(r.zeroPoint);
  const low = i32x4.splat(r.min);
  const high = i32x4.splat(r.max);
  let c: i32 = 0;
  // Sixteen bytes at a time, where they are whole and looked up nowhere. What is beyond a byte becomes its least or its most.
  if (table == 0 && shift >= 32)
    for (; c + 16 <= width; c += 16)
      for (let q = 0; q < height; q++) {
        const at = sums + (<usize>(q * columns + c) << 2);
        const by = multipliers + (<usize>c << 2);
        const q0 = i32x4.add(requantize(true, v128.load(at), v128.load(by), half, shift), zero);
        const q1 = i32x4.add(requantize(true, v128.load(at, 16), v128.load(by, 16), half, shift), zero);
        const q2 = i32x4.add(requantize(true, v128.load(at, 32), v128.load(by, 32), half, shift), zero);
        const q3 = i32x4.add(requantize(true, v128.load(at, 48), v128.load(by, 48), half, shift), zero);
        const bytes = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(q0, q1), i16x8.narrow_i32x4_s(q2, q3));
        const most = i8x16.splat(<i8>r.max);
        v128.store(y + <usize>q * ldy + c, i8x16.max_u(i8x16.min_u(bytes, most), i8x16.splat(<i8>r.min)));
      }
  for (; c < width; c += 4) {
    const left = width - c;
    const multiplier = loadWords(multipliers + (<usize>c << 2), left);
    for (let q = 0; q < height; q++) {
      const acc = v128.load(sums + (<usize>(q * columns + c) << 2));
      const shifted = i32x4.add(requantize(false, acc, multiplier, half, shift), zero);
      const clamped = i32x4.max_s(i32x4.min_s(shifted, high), low);
      const to = y + <usize>q * ldy + c;
      if (table) look(table, to, left, clamped);
      else storeBytes(to, left, clamped);
    }
  }
}

/** Stores table[q] for the first `count` lanes. */
@inline
function look(table: usize, to: usize, count: i32, q: v128): void {
  store<u8>(to, load<u8>(table + <usize>i32x4.extract_lane(q, 0)));
  if (count > 1) store<u8>(to, load<u8>(table + <usize>i32x4.extract_lane(q, 1)), 1);
  if (count > 2) store<u8>(to, load<u8>(table + <usize>i32x4.extract_lane(q, 2)), 2);
  if (count > 3) store<u8>(to, load<u8>(table + <usize>i32x4.extract_lane(q, 3)), 3);
}

@inline
function loadWords(at: usize, count: i32): v128 {
  if (count >= 4) return v128.load(at);
  let v = i32x4.replace_lane(i32x4.splat(0), 0, load<i32>(at));
  if (count > 1) v = i32x4.replace_lane(v, 1, load<i32>(at, 4));
  if (count > 2) v = i32x4.replace_lane(v, 2, load<i32>(at, 8));
  return v;
}

/**
 * acc * multiplier / 2^shift, halves away from zero, in 64 bits: add a half, one less where acc is negative, and shift.
 * |acc * multiplier| < 2^62, so a shift from 32 leaves 31 bits; a smaller one may leave more, which saturates, as the
 * result will be clamped to 8 bits anyway.
 */
@inline
export function requantize(upper: bool, acc: v128, multiplier: v128, half: v128, shift: i32): v128 {
  const sign = i32x4.shr_s(acc, 31);
  const low = i64x2.add(i64x2.add(i64x2.extmul_low_i32x4_s(acc, multiplier), half), i64x2.extend_low_i32x4_s(sign));
  const high = i64x2.add(i64x2.add(i64x2.extmul_high_i32x4_s(acc, multiplier), half), i64x2.extend_high_i32x4_s(sign));
  // The upper words, shifted by the rest: most processors have no signed shift of 64 bits.
  if (upper || shift >= 32) return i32x4.shr_s(v128.shuffle<i32>(low, high, 1, 3, 5, 7), shift - 32);
  return v128.shuffle<i32>(saturate(i64x2.shr_s(low, shift)), saturate(i64x2.shr_s(high, shift)), 0, 2, 4, 6);
}

/** To 30 bits and a sign, so that adding a zero point stays within 32. */
@inline
function saturate(x: v128): v128 {
  const most = i64x2.splat(0x3fffffff);
  const least = i64x2.splat(-0x40000000);
  return v128.bitselect(most, v128.bitselect(least, x, i64x2.lt_s(x, least)), i64x2.gt_s(x, most));
}
