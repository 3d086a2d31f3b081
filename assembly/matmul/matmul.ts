import { activate } from '../activation';
import { f32Tile } from '../generated/tiles';
import { shareEnd, shareStart } from '../threads';
import { copyFloats, zeroFloats } from '../vector';
import { pack } from './pack';
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
/** With no more rows than this, packing B costs more than reading it where it is. */
const FEW_ROWS = 24;
const MOST_ROWS = 6;
const MOST_COLUMNS = 16;

/** Scratch that one thread needs: a block of A, a block of B, and a tile for the edges of C. */
export const MATMUL_SCRATCH: usize = (MC * KC + KC * NC + MOST_ROWS * MOST_COLUMNS) * 4;

/**
 * Record: a, b, bias (0: none), c, batch, m, n, k, batch stride a, batch stride b, row stride a, step a, step b (along k),
 * column stride b, row stride c (all in elements), activation, slope f32, tile rows, tile columns, scratch, scratch per thread
 */
export function matmul(r: usize, thread: i32, threads: i32): void {
  const batch = load<i32>(r, 16);
  const m = load<i32>(r, 20);
  const n = load<i32>(r, 24);
  const scratch = <usize>load<u32>(r, 76) + <usize>thread * <usize>load<u32>(r, 80);
  // Rows are shared where there are enough of them, else columns: each thread has its own part of C.
  const byRows = m >= 4 * threads || m >= n;
  const i0 = byRows ? shareStart(m, 4, thread, threads) : 0;
  const i1 = byRows ? shareEnd(m, 4, thread, threads) : m;
  const j0 = byRows ? 0 : shareStart(n, 16, thread, threads);
  const j1 = byRows ? n : shareEnd(n, 16, thread, threads);
  if (i0 >= i1 || j0 >= j1) return;
  for (let p = 0; p < batch; p++) {
    const a = at(load<u32>(r), p * load<i32>(r, 32));
    const b = at(load<u32>(r, 4), p * load<i32>(r, 36));
    const c = at(load<u32>(r, 12), p * m * load<i32>(r, 56));
    if (m == 1 && load<i32>(r, 44) == 1) row(r, a, b, c, j0, j1);
    else block(r, a, b, c, i0, i1, j0, j1, scratch);
  }
}

/** Address of an element. */
@inline
function at(base: usize, elements: i32): usize {
  return base + (<usize>elements << 2);
}

/** Columns [j0, j1) of a product of one row. */
function row(r: usize, a: usize, b: usize, c: usize, j0: i32, j1: i32): void {
  vectorMatrix(a, b, load<u32>(r, 8), c, j0, j1, load<i32>(r, 28), load<i32>(r, 48), load<i32>(r, 52));
  activate(load<i32>(r, 60), c, c, j0, j1, load<f32>(r, 64));
}

/** Rows [i0, i1) and columns [j0, j1) of one product. */
function block(r: usize, a: usize, b: usize, c: usize, i0: i32, i1: i32, j0: i32, j1: i32, scratch: usize): void {
  const bias = <usize>load<u32>(r, 8);
  const k = load<i32>(r, 28);
  const rowA = load<i32>(r, 40);
  const stepA = load<i32>(r, 44);
  const stepB = load<i32>(r, 48);
  const columnB = load<i32>(r, 52);
  const ldc = load<i32>(r, 56);
  const act = load<i32>(r, 60);
  const slope = load<f32>(r, 64);
  const rows = load<i32>(r, 68);
  const columns = load<i32>(r, 72);
  const packedA = scratch;
  const packedB = packedA + MC * KC * 4;
  const edge = packedB + KC * NC * 4;
  const blockRows = (MC / rows) * rows;
  const direct = columnB == 1 && i1 - i0 <= FEW_ROWS;
  for (let jc = j0; jc < j1; jc += NC) {
    const nc = min(NC, j1 - jc);
    // Columns of B that tiles read in place; the others are packed.
    const whole = direct ? nc - (nc % columns) : 0;
    // Once even if K is 0: C is then the bias.
    for (let pc = 0; pc == 0 || pc < k; pc += KC) {
      const kc = min(KC, k - pc);
      const cornerB = at(b, pc * stepB + jc * columnB);
      pack(at(cornerB, whole * columnB), columnB, stepB, kc, nc - whole, columns, packedB);
      for (let ic = i0; ic < i1; ic += blockRows) {
        const mc = min(blockRows, i1 - ic);
        const corner = at(c, ic * ldc + jc);
        if (pc == 0) start(bias ? at(bias, jc) : 0, corner, mc, nc, ldc);
        pack(at(a, ic * rowA + pc * stepA), rowA, stepA, kc, mc, rows, packedA);
        panels(rows, columns, kc, packedA, cornerB, columns, stepB, corner, mc, whole, ldc, edge);
        panels(rows, columns, kc, packedA, packedB, columns * kc, columns, at(corner, whole), mc, nc - whole, ldc, edge);
        if (act && pc + kc == k)
          for (let i = 0; i < mc; i++) activate(act, at(corner, i * ldc), at(corner, i * ldc), 0, nc, slope);
      }
    }
  }
}

/**
 * C (mc, nc) += packed A times B, tile by tile: a panel of B stays in the L1 cache while A goes by.
 * Panels of B start `panelB` apart; in one, each k starts `stepB` after the one before.
 */
function panels(
  rows: i32, columns: i32, k: i32, a: usize, b: usize, panelB: i32, stepB: i32, c: usize, mc: i32, nc: i32, ldc: i32, edge: usize,
): void {
  for (let j = 0; j < nc; j += columns, b = at(b, panelB))
    for (let i = 0; i < mc; i += rows) {
      const tile = at(c, i * ldc + j);
      const panelA = at(a, i * k);
      if (i + rows <= mc && j + columns <= nc) f32Tile(rows, columns, k, panelA, b, <usize>stepB << 2, tile, <usize>ldc << 2);
      else edgeTile(rows, columns, k, panelA, b, stepB, tile, ldc, min(rows, mc - i), min(columns, nc - j), edge);
    }
}

/** C starts as the bias, or zero. */
function start(bias: usize, c: usize, mc: i32, nc: i32, ldc: i32): void {
  for (let i = 0; i < mc; i++) {
    if (bias) copyFloats(at(c, i * ldc), bias, nc);
    else zeroFloats(at(c, i * ldc), nc);
  }
}

/** A tile that hangs over the edge of C: `height` x `width` of it are real; computed whole, in scratch. */
function edgeTile(
  rows: i32, columns: i32, k: i32, a: usize, b: usize, stepB: i32, c: usize, ldc: i32, height: i32, width: i32, scratch: usize,
): void {
  for (let i = 0; i < height; i++) copyFloats(at(scratch, i * columns), at(c, i * ldc), width);
  f32Tile(rows, columns, k, a, b, <usize>stepB << 2, scratch, <usize>columns << 2);
  for (let i = 0; i < height; i++) copyFloats(at(c, i * ldc), at(scratch, i * columns), width);
}
