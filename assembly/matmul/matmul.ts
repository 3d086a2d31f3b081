import { activate } from '../activation';
import { f32Tile } from '../generated/tiles';
import { shareEnd, shareStart } from '../threads';
import { copyFloats } from '../vector';
import { packColumns, packRows } from './pack';
import { vectorMatrix } from './vector-matrix';

/**
 * C = activation(A B + bias), batched, f32, all four transpose forms.
 *
 * Three loops around a tile (BLIS): a KC x NC block of B is packed into panels as wide as the tile, an MC x KC block of A
 * into panels as tall, and the tile walks over them. Packing reads through any pair of strides, so a transposed operand
 * costs nothing more. K is cut at the same places for every thread, so sums are the same bits for any number of them.
 */
const MC = 120;
const KC = 256;
const NC = 512;
const MOST_ROWS = 6;
const MOST_COLUMNS = 16;

/** Scratch that one thread needs: a block of A, a block of B, and a tile for the edges of C. */
export const MATMUL_SCRATCH: usize = (MC * KC + KC * NC + MOST_ROWS * MOST_COLUMNS) * 4;

/**
 * Record: a, b, bias (0: none), c, batch, m, n, k, batch stride a, batch stride b, row stride a, step a, step b (along k),
 * column stride b, row stride c (all in elements), activation, slope f32, tile rows, tile columns, scratch, scratch per thread
 */
export function matmul(r: usize, thread: i32, threads: i32): void {
  const bias = <usize>load<u32>(r, 8);
  const batch = load<i32>(r, 16);
  const m = load<i32>(r, 20);
  const n = load<i32>(r, 24);
  const k = load<i32>(r, 28);
  const rowA = load<i32>(r, 40);
  const stepA = load<i32>(r, 44);
  const stepB = load<i32>(r, 48);
  const columnB = load<i32>(r, 52);
  const ldc = load<i32>(r, 56);
  const act = load<i32>(r, 60);
  const slope = load<f32>(r, 64);
  const scratch = <usize>load<u32>(r, 76) + <usize>thread * <usize>load<u32>(r, 80);
  // Rows are shared where there are enough of them, else columns: each thread has its own part of C.
  const byRows = m >= 4 * threads || m >= n;
  const fromRow = byRows ? shareStart(m, 4, thread, threads) : 0;
  const toRow = byRows ? shareEnd(m, 4, thread, threads) : m;
  const from = byRows ? 0 : shareStart(n, 16, thread, threads);
  const to = byRows ? n : shareEnd(n, 16, thread, threads);
  if (fromRow >= toRow || from >= to) return;
  for (let p = 0; p < batch; p++) {
    const a = <usize>load<u32>(r) + (<usize>(p * load<i32>(r, 32)) << 2);
    const b = <usize>load<u32>(r, 4) + (<usize>(p * load<i32>(r, 36)) << 2);
    const c = <usize>load<u32>(r, 12) + ((<usize>p * <usize>m * <usize>ldc) << 2);
    if (m == 1 && stepA == 1) vectorMatrix(a, b, bias, c, from, to, k, stepB, columnB);
    else block(a, b, bias, c, fromRow, toRow, from, to, k, rowA, stepA, stepB, columnB, ldc, load<i32>(r, 68), load<i32>(r, 72), scratch);
    if (act) for (let i = fromRow; i < toRow; i++) {
      const row = c + ((<usize>i * <usize>ldc) << 2);
      activate(act, row, row, from, to, slope);
    }
  }
}

/** Rows [i0, i1) and columns [j0, j1) of one product. */
function block(
  a: usize, b: usize, bias: usize, c: usize, i0: i32, i1: i32, j0: i32, j1: i32, k: i32,
  rowA: i32, stepA: i32, stepB: i32, columnB: i32, ldc: i32, rows: i32, columns: i32, scratch: usize,
): void {
  start(bias, c, i0, i1, j0, j1, ldc);
  const packedA = scratch;
  const packedB = scratch + MC * KC * 4;
  const edge = packedB + KC * NC * 4;
  const blockRows = (MC / rows) * rows;
  for (let jc = j0; jc < j1; jc += NC) {
    const nc = min(NC, j1 - jc);
    for (let pc = 0; pc < k; pc += KC) {
      const kc = min(KC, k - pc);
      packColumns(b + (<usize>(pc * stepB + jc * columnB) << 2), stepB, columnB, kc, nc, columns, packedB);
      for (let ic = i0; ic < i1; ic += blockRows) {
        const mc = min(blockRows, i1 - ic);
        packRows(a + (<usize>(ic * rowA + pc * stepA) << 2), rowA, stepA, kc, mc, rows, packedA);
        for (let jr = 0; jr < nc; jr += columns) {
          const panelB = packedB + (<usize>(jr * kc) << 2);
          for (let ir = 0; ir < mc; ir += rows) {
            const panelA = packedA + (<usize>(ir * kc) << 2);
            const tile = c + (<usize>((ic + ir) * ldc + jc + jr) << 2);
            if (ir + rows <= mc && jr + columns <= nc) f32Tile(rows, columns, kc, panelA, panelB, tile, <usize>ldc << 2);
            else edgeTile(rows, columns, kc, panelA, panelB, tile, ldc, min(rows, mc - ir), min(columns, nc - jr), edge);
          }
        }
      }
    }
  }
}

/** C starts as the bias, or zero. */
function start(bias: usize, c: usize, i0: i32, i1: i32, j0: i32, j1: i32, ldc: i32): void {
  const bytes = <usize>(j1 - j0) << 2;
  for (let i = i0; i < i1; i++) {
    const row = c + (<usize>(i * ldc + j0) << 2);
    if (bias) memory.copy(row, bias + (<usize>j0 << 2), bytes);
    else memory.fill(row, 0, bytes);
  }
}

/** A tile that hangs over the edge of C: `height` x `width` of it are real; computed whole, in scratch. */
function edgeTile(
  rows: i32, columns: i32, k: i32, a: usize, b: usize, c: usize, ldc: i32, height: i32, width: i32, scratch: usize,
): void {
  copyPart(c, ldc, scratch, columns, height, width);
  f32Tile(rows, columns, k, a, b, scratch, <usize>columns << 2);
  copyPart(scratch, columns, c, ldc, height, width);
}

function copyPart(from: usize, fromStride: i32, to: usize, toStride: i32, height: i32, width: i32): void {
  for (let i = 0; i < height; i++) copyFloats(to + (<usize>(i * toStride) << 2), from + (<usize>(i * fromStride) << 2), width);
}
