import { bytesTile, wideTile } from '../generated/tiles';
import { dotBytes } from '../isa';
import { storeBytes } from '../quantize';
import { shareEnd, shareStart } from '../threads';

const MOST_ROWS = 6;
const MOST_COLUMNS = 16;

/** How the products are computed; the weights are packed accordingly. */
const BYTES = 1;

/**
 * Packs weights i8 (n, k) for the tiles: panels of `columns` outputs, and in each, for every group of K, four bytes for
 * each output: two i16 (dot_i16x8; K in pairs) or four i8 (relaxed dot; K in fours). Zeros beyond the edges.
 * Record: weight, packed, n, k, columns, kind
 */
export function packI8(r: usize, thread: i32, threads: i32): void {
  const weight = <usize>load<u32>(r);
  const packed = <usize>load<u32>(r, 4);
  const n = load<i32>(r, 8);
  const k = load<i32>(r, 12);
  const columns = load<i32>(r, 16);
  const bytes = load<i32>(r, 20) == BYTES;
  const groups = bytes ? (k + 3) >> 2 : (k + 1) >> 1;
  const panels = (n + columns - 1) / columns;
  const end = shareEnd(panels, 1, thread, threads);
  for (let p = shareStart(panels, 1, thread, threads); p < end; p++)
    for (let g = 0; g < groups; g++)
      for (let c = 0; c < columns; c++) {
        const row = p * columns + c;
        const to = packed + (<usize>((p * groups + g) * columns + c) << 2);
        let word: u32 = 0;
        if (row < n) {
          const from = weight + <usize>row * <usize>k;
          if (bytes) for (let l = min(3, k - 1 - g * 4); l >= 0; l--) word = (word << 8) | <u32>load<u8>(from + <usize>(g * 4 + l));
          else for (let l = min(1, k - 1 - g * 2); l >= 0; l--) word = (word << 16) | (<u32>load<i8>(from + <usize>(g * 2 + l)) & 0xffff);
        }
        store<u32>(to, word);
      }
}

/**
 * y = table[clamp(requantize(bias + x W^T))], u8 x i8 -> u8, exact in int32; see src/ops/quantized.ts for the formulas.
 * Record: x, packed weight, bias, multiplier, table (0: none), y, m, n, k, shift, zero point, min, max, tile rows,
 * tile columns, kind, scratch, scratch per thread
 */
export function matmulI8(r: usize, thread: i32, threads: i32): void {
  const x = <usize>load<u32>(r);
  const packed = <usize>load<u32>(r, 4);
  const bias = <usize>load<u32>(r, 8);
  const m = load<i32>(r, 24);
  const n = load<i32>(r, 28);
  const k = load<i32>(r, 32);
  const rows = load<i32>(r, 52);
  const columns = load<i32>(r, 56);
  const bytes = load<i32>(r, 60) == BYTES;
  const scratch = <usize>load<u32>(r, 64) + <usize>thread * <usize>load<u32>(r, 68);
  const groups = bytes ? (k + 3) >> 2 : (k + 1) >> 1;
  const sums = scratch;
  const wide = scratch + MOST_ROWS * MOST_COLUMNS * 4;
  const ldx = <usize>groups << 2;
  const byRows = m >= 4 * threads || m >= n;
  const endRow = byRows ? shareEnd(m, rows, thread, threads) : m;
  const panels = (n + columns - 1) / columns;
  const firstPanel = byRows ? 0 : shareStart(panels, 1, thread, threads);
  const endPanel = byRows ? panels : shareEnd(panels, 1, thread, threads);
  for (let i = byRows ? shareStart(m, rows, thread, threads) : 0; i < endRow; i += rows) {
    const height = min(rows, endRow - i);
    packInputs(x + <usize>i * <usize>k, wide, height, rows, k, groups, bytes);
    for (let p = firstPanel; p < endPanel; p++) {
      const j = p * columns;
      const width = min(columns, n - j);
      startSums(bias + (<usize>j << 2), sums, width, rows, columns);
      const panel = packed + (<usize>(p * groups * columns) << 2);
      if (bytes) bytesTile(rows, columns, groups, wide, ldx, panel, sums, <usize>columns << 2);
      else wideTile(rows, columns, groups, wide, ldx, panel, sums, <usize>columns << 2);
      for (let q = 0; q < height; q++) finish(r, sums + (<usize>(q * columns) << 2), i + q, j, width, n);
    }
  }
}

/** Every row of the tile starts as the bias. Plain stores: the engine's bulk copy costs more than it moves here. */
@inline
function startSums(bias: usize, sums: usize, width: i32, rows: i32, columns: i32): void {
  const next = <usize>columns << 2;
  for (let c = 0; c < columns; c += 4) {
    const v = c < width ? loadWords(bias + (<usize>c << 2), width - c) : i32x4.splat(0);
    let at = sums + (<usize>c << 2);
    for (let q = 0; q < rows; q++, at += next) v128.store(at, v);
  }
}

/** Rows of x as the tiles read them: padded with zeros to whole groups, and widened to i16 unless bytes are read. */
function packInputs(x: usize, target: usize, height: i32, rows: i32, k: i32, groups: i32, bytes: bool): void {
  const ldx = <usize>groups << 2;
  for (let q = 0; q < rows; q++, target += ldx) {
    if (q >= height) {
      memory.fill(target, 0, ldx);
      continue;
    }
    const row = x + <usize>q * <usize>k;
    if (bytes) {
      memory.copy(target, row, k);
      memory.fill(target + k, 0, ldx - <usize>k);
      continue;
    }
    let l = 0;
    for (; l + 16 <= k; l += 16) {
      const v = v128.load(row + l);
      v128.store(target + (<usize>l << 1), i16x8.extend_low_i8x16_u(v));
      v128.store(target + (<usize>l << 1), i16x8.extend_high_i8x16_u(v), 16);
    }
    for (; l < k; l++) store<u16>(target + (<usize>l << 1), load<u8>(row + l));
    if (k & 1) store<u16>(target + (<usize>k << 1), 0);
  }
}

/** Requantizes up to 16 sums of one row and stores them as bytes. */
function finish(r: usize, sums: usize, row: i32, j: i32, width: i32, n: i32): void {
  const multiplier = <usize>load<u32>(r, 12) + (<usize>j << 2);
  const table = <usize>load<u32>(r, 16);
  const y = <usize>load<u32>(r, 20) + <usize>(row * n + j);
  const shift = load<i32>(r, 36);
  const zero = i32x4.splat(load<i32>(r, 40));
  const low = i32x4.splat(load<i32>(r, 44));
  const high = i32x4.splat(load<i32>(r, 48));
  for (let c = 0; c < width; c += 4) {
    const at = <usize>c << 2;
    const left = width - c;
    let q = i32x4.add(requantize(v128.load(sums + at), loadWords(multiplier + at, left), shift), zero);
    q = i32x4.max_s(i32x4.min_s(q, high), low);
    if (table) {
      store<u8>(y + c, load<u8>(table + <usize>i32x4.extract_lane(q, 0)));
      if (left > 1) store<u8>(y + c, load<u8>(table + <usize>i32x4.extract_lane(q, 1)), 1);
      if (left > 2) store<u8>(y + c, load<u8>(table + <usize>i32x4.extract_lane(q, 2)), 2);
      if (left > 3) store<u8>(y + c, load<u8>(table + <usize>i32x4.extract_lane(q, 3)), 3);
    } else storeBytes(y + c, left, q);
  }
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
 * Results beyond int32 saturate, as they will be clamped to 8 bits anyway.
 */
@inline
function requantize(acc: v128, multiplier: v128, shift: i32): v128 {
  const half = i64x2.splat((<i64>1) << (shift - 1));
  const sign = i32x4.shr_s(acc, 31);
  const low = i64x2.add(i64x2.add(i64x2.extmul_low_i32x4_s(acc, multiplier), half), i64x2.extend_low_i32x4_s(sign));
  const high = i64x2.add(i64x2.add(i64x2.extmul_high_i32x4_s(acc, multiplier), half), i64x2.extend_high_i32x4_s(sign));
  return narrow(i64x2.shr_s(low, shift), i64x2.shr_s(high, shift));
}

/** Low words of four i64 that fit in i32, or saturated where a shift below 31 left more. */
@inline
function narrow(low: v128, high: v128): v128 {
  const most = i64x2.splat(0x3fffffff);
  const least = i64x2.splat(-0x40000000);
  const l = v128.bitselect(most, v128.bitselect(least, low, i64x2.lt_s(low, least)), i64x2.gt_s(low, most));
  const h = v128.bitselect(most, v128.bitselect(least, high, i64x2.lt_s(high, least)), i64x2.gt_s(high, most));
  return v128.shuffle<i32>(l, h, 0, 2, 4, 6);
}

/** Four products and a sum by the relaxed dot, for the probe. Record: w (16 bytes), x (16 bytes), sum and result (16 bytes) */
export function probeDot(r: usize): void {
  const sum = <usize>load<u32>(r, 8);
  v128.store(sum, dotBytes(v128.load(load<u32>(r)), v128.load(load<u32>(r, 4)), v128.load(sum)));
}
