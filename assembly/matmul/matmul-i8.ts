import { ConvI8Record, MatmulI8Record, PackI8Record, ProbeDotRecord } from '../generated/records';
import { bytesTile, wideTile } from '../generated/tiles';
import { dotBytes, HAS_RELAXED_DOT } from '../isa';
import { shareEnd, shareStart } from '../threads';
import { copyFloats } from '../vector';
import { finish } from './finish-i8';
import { storeSpread, storeTurned2, storeTurned4 } from './pack';
import { rowI8 } from './row-i8';
import { gatherTaps } from './taps-i8';

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
  productI8(r, thread, threads, 0, 1, null);
}

/** The same of the taps of windows, for each group of channels: a product whose x is never in memory. */
export function convI8(r: ConvI8Record, thread: i32, threads: i32): void {
  // A convolution's record begins as a product's does.
  for (let g = 0; g < r.groups; g++) productI8(changetype<MatmulI8Record>(r), thread, threads, g, r.groups, r);
}

/** Product g of those that lie side by side in y; `taps`: of the image that its rows are gathered from, instead of being there. */
function productI8(r: MatmulI8Record, thread: i32, threads: i32, g: i32, products: i32, taps: ConvI8Record | null): void {
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
  const panels = (n + columns - 1) / columns;
  const first = <usize>(g * n);
  const x = taps ? r.x + <usize>(g * taps.taken) : r.x;
  const packed = r.packed + (<usize>(g * panels * groups * columns) << 2);
  const weight = r.weight + first * <usize>k;
  const bias = r.bias + (first << 2);
  const multiplier = r.multiplier + (first << 2);
  const y = r.y + first;
  const ldy = <usize>(n * products);
  const gathered = wide + max<usize>(BLOCK_BYTES, <usize>rows * ldx);
  if (m == 1) {
    const source = taps ? gatherTaps(taps, x, 0, 1, gathered) : x;
    row(r, source, weight, bias, multiplier, y, shareStart(n, 16, thread, threads), shareEnd(n, 16, thread, threads), sums, bytes);
    return;
  }
  const byRows = m >= 4 * threads || m >= n;
  const endRow = byRows ? shareEnd(m, rows, thread, threads) : m;
  const firstPanel = byRows ? 0 : shareStart(panels, 1, thread, threads);
  const endPanel = byRows ? panels : shareEnd(panels, 1, thread, threads);
  const block = rows * max(1, min(MOST_TILES, BLOCK_BYTES / max(1, rows * <i32>ldx)));
  for (let from = byRows ? shareStart(m, rows, thread, threads) : 0; from < endRow; from += block) {
    // The last row of all may be alone in its tile.
    const alone = endRow - from <= block && (endRow - from) % rows == 1;
    const to = min(endRow, from + block) - <i32>alone;
    if (alone) {
      const source = taps ? gatherTaps(taps, x, to, 1, gathered) : x + <usize>to * <usize>k;
      const end = min(n, endPanel * columns);
      row(r, source, weight, bias, multiplier, y + <usize>to * ldy, firstPanel * columns, end, sums, bytes);
    }
    for (let i = from, at = wide; i < to; i += rows, at += ldx * <usize>rows) {
      const height = min(rows, to - i);
      const source = taps ? gatherTaps(taps, x, i, height, gathered) : x + <usize>i * <usize>k;
      if (bytes) turnRows(true, source, at, height, rows, k, groups);
      else turnRows(false, source, at, height, rows, k, groups);
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
        finish(r, sums, columns, multiplier + (<usize>j << 2), y + <usize>i * ldy + <usize>j, ldy, height, width);
      }
    }
  }
}

/** One row, by itself: outputs [from, to). */
function row(
  r: MatmulI8Record, x: usize, weight: usize, bias: usize, multiplier: usize, y: usize, from: i32, to: i32, sums: usize, bytes: bool,
): void {
  for (let j = from; j < to; j += MOST_ROWS * MOST_COLUMNS) {
    const end = min(to, j + MOST_ROWS * MOST_COLUMNS);
    rowI8(x, weight, r.k, bias, sums, j, end, bytes);
    finish(r, sums, 0, multiplier + (<usize>j << 2), y + <usize>j, 0, 1, end - j);
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

/** Four products and a sum by the relaxed dot, for the probe. */
export function probeDot(r: ProbeDotRecord, thread: i32, threads: i32): void {
  v128.store(r.sum, dotBytes(v128.load(r.w), v128.load(r.x), v128.load(r.sum)));
}
