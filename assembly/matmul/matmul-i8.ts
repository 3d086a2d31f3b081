import { MatmulI8Record, PackI8Record, ProbeDotRecord } from '../generated/records';
import { bytesTile, wideTile } from '../generated/tiles';
import { dotBytes, HAS_RELAXED_DOT } from '../isa';
import { storeBytes } from '../quantized';
import { shareEnd, shareStart } from '../threads';
import { copyFloats } from '../vector';
import { storeSpread, storeTurned2, storeTurned4 } from './pack';
import { rowI8 } from './row-i8';

const MOST_ROWS = 6;
const MOST_COLUMNS = 16;
/** Rows go through in blocks of so many tiles, if so many bytes of packed rows hold them: a quarter of a usual L2 cache. */
const MOST_TILES = 12;
const BLOCK_BYTES = 256 << 10;

/** How the products are computed, and the weights packed accordingly: 1 by the relaxed dot, 0 by dot_i16x8. */
@inline
function isBytes(kind: i32): bool {
  return HAS_RELAXED_DOT && kind == 1;
}

/**
 * Packs weights i8 (n, k) for the tiles: panels of `columns` outputs, and in each, for every group of K, four bytes for
 * each output: two i16 (dot_i16x8; K in pairs) or four i8 (relaxed dot; K in fours). Zeros beyond the edges.
 */
export function packI8(r: PackI8Record, thread: i32, threads: i32): void {
  const weight = r.weight;
  const packed = r.packed;
  const n = r.n;
  const k = r.k;
  const columns = r.tileColumns;
  const bytes = isBytes(r.kind);
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
 * A row that has no others beside it reads the weights where they lie; tiles read what packI8 made of them.
 */
export function matmulI8(r: MatmulI8Record, thread: i32, threads: i32): void {
  const x = r.x;
  const packed = r.packed;
  const bias = r.bias;
  const m = r.m;
  const n = r.n;
  const k = r.k;
  const rows = r.tileRows;
  const columns = r.tileColumns;
  const bytes = isBytes(r.kind);
  const scratch = r.scratch + <usize>thread * <usize>r.scratchPerThread;
  const groups = bytes ? (k + 3) >> 2 : (k + 1) >> 1;
  const sums = scratch;
  const wide = scratch + MOST_ROWS * MOST_COLUMNS * 4;
  const ldx = <usize>groups << 2;
  if (m == 1) return row(r, x, 0, shareStart(n, 16, thread, threads), shareEnd(n, 16, thread, threads), sums, bytes);
  const byRows = m >= 4 * threads || m >= n;
  const endRow = byRows ? shareEnd(m, rows, thread, threads) : m;
  const panels = (n + columns - 1) / columns;
  const firstPanel = byRows ? 0 : shareStart(panels, 1, thread, threads);
  const endPanel = byRows ? panels : shareEnd(panels, 1, thread, threads);
  const block = rows * max(1, min(MOST_TILES, BLOCK_BYTES / max(1, rows * <i32>ldx)));
  for (let from = byRows ? shareStart(m, rows, thread, threads) : 0; from < endRow; from += block) {
    // The last row of all may be alone in its tile.
    const alone = endRow - from <= block && (endRow - from) % rows == 1;
    const to = min(endRow, from + block) - <i32>alone;
    if (alone) row(r, x + <usize>to * <usize>k, to, firstPanel * columns, min(n, endPanel * columns), sums, bytes);
    for (let i = from, at = wide; i < to; i += rows, at += ldx * <usize>rows) {
      const height = min(rows, to - i);
      if (bytes) turnRows(true, x + <usize>i * <usize>k, at, height, rows, k, groups);
      else turnRows(false, x + <usize>i * <usize>k, at, height, rows, k, groups);
    }
    // A panel of weights stays in the L1 cache while the block of rows goes by.
    for (let p = firstPanel; p < endPanel; p++) {
      const j = p * columns;
      const width = min(columns, n - j);
      const panel = packed + (<usize>(p * groups * columns) << 2);
      for (let i = from, at = wide; i < to; i += rows, at += ldx * <usize>rows) {
        const height = min(rows, to - i);
        for (let q = 0; q < rows; q++) copyFloats(sums + (<usize>(q * columns) << 2), bias + (<usize>j << 2), width);
        if (bytes) bytesTile(rows, columns, groups, at, panel, sums, <usize>columns << 2);
        else wideTile(rows, columns, groups, at, panel, sums, <usize>columns << 2);
        finish(r, sums, columns, i, height, j, width);
      }
    }
  }
}

/** Row i, by itself: outputs [from, to). */
function row(r: MatmulI8Record, x: usize, i: i32, from: i32, to: i32, sums: usize, bytes: bool): void {
  for (let j = from; j < to; j += MOST_ROWS * MOST_COLUMNS) {
    const end = min(to, j + MOST_ROWS * MOST_COLUMNS);
    rowI8(x, r.weight, r.k, r.bias, sums, j, end, bytes);
    finish(r, sums, 0, i, 1, j, end - j);
  }
}

/**
 * Rows of x as the tiles read them: for each group of K a word of each row, side by side (four bytes, or two i16), zeros
 * beyond K. Rows beyond `height` repeat the first one: what becomes of them is not stored.
 */
@inline
function turnRows(bytes: bool, x: usize, target: usize, height: i32, rows: i32, k: i32, groups: i32): void {
  const x1 = rowAt(x, 1, height, k);
  const x2 = rowAt(x, 2, height, k);
  const x3 = rowAt(x, 3, height, k);
  const x4 = rowAt(x, 4, height, k);
  const x5 = rowAt(x, 5, height, k);
  const each = bytes ? 4 : 2;
  const wide = <usize>rows << 2;
  let at: usize = 0;
  for (const end = <usize>(k & -(4 * each)); at < end; at += 4 * each, target += wide * 4) {
    storeTurned4(words(bytes, x + at), words(bytes, x1 + at), words(bytes, x2 + at), words(bytes, x3 + at), target, wide);
    if (rows == 5) storeSpread(words(bytes, x4 + at), target + 16, wide);
    if (rows == 6) storeTurned2(words(bytes, x4 + at), words(bytes, x5 + at), target + 16, wide);
  }
  for (; at < <usize>k; at += each)
    for (let q = 0; q < rows; q++, target += 4) store<u32>(target, lastWord(bytes, rowAt(x, q, height, k) + at, k - <i32>at));
}

@inline
function rowAt(x: usize, q: i32, height: i32, k: i32): usize {
  return q < height ? x + <usize>q * <usize>k : x;
}

/** Four groups of K. */
@inline
function words(bytes: bool, x: usize): v128 {
  return bytes ? v128.load(x) : v128.load8x8_u(x);
}

/** One group of K, of which `left` bytes are there. */
function lastWord(bytes: bool, x: usize, left: i32): u32 {
  let word: u32 = load<u8>(x);
  if (left > 1) word |= <u32>load<u8>(x, 1) << (bytes ? 8 : 16);
  if (bytes && left > 2) word |= <u32>load<u8>(x, 2) << 16;
  if (bytes && left > 3) word |= <u32>load<u8>(x, 3) << 24;
  return word;
}

/** Requantizes the sums of a tile, `height` x `width` of them real, and stores them as bytes. */
function finish(r: MatmulI8Record, sums: usize, columns: i32, i: i32, height: i32, j: i32, width: i32): void {
  const multipliers = r.multiplier + (<usize>j << 2);
  const table = r.table;
  const n = r.n;
  const y = r.y + <usize>i * <usize>n + <usize>j;
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
        v128.store(y + <usize>q * <usize>n + c, i8x16.max_u(i8x16.min_u(bytes, most), i8x16.splat(<i8>r.min)));
      }
  for (; c < width; c += 4) {
    const left = width - c;
    const multiplier = loadWords(multipliers + (<usize>c << 2), left);
    for (let q = 0; q < height; q++) {
      const acc = v128.load(sums + (<usize>(q * columns + c) << 2));
      const shifted = i32x4.add(requantize(false, acc, multiplier, half, shift), zero);
      const clamped = i32x4.max_s(i32x4.min_s(shifted, high), low);
      const to = y + <usize>q * <usize>n + c;
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
function requantize(upper: bool, acc: v128, multiplier: v128, half: v128, shift: i32): v128 {
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

/** Four products and a sum by the relaxed dot, for the probe. */
export function probeDot(r: ProbeDotRecord, thread: i32, threads: i32): void {
  v128.store(r.sum, dotBytes(v128.load(r.w), v128.load(r.x), v128.load(r.sum)));
}
