import { activate } from '../activation';
import { ConvRecord, MatmulRecord, PackRecord } from '../generated/records';
import { shareEnd, shareStart } from '../threads';
import { copyFloats, zeroFloats } from '../vector';
import { biasedTile } from './biased-tile';
import { packPanels } from './pack';
import { packTaps, TAPS_SCRATCH } from './taps';
import { vectorMatrix } from './vector-matrix';

/**
 * C = activation(A B + bias), batched, f32, all four transpose forms.
 *
 * Three loops around a tile (BLIS): a KC x NC block of B is packed into panels as wide as the tile, an MC x KC block of A
 * into panels as tall, and the tile walks over them. Packing reads through any pair of strides, so a transposed operand
 * costs nothing more. Wherever K is cut, an element of C adds up its products one by one, in order, from 0, and then its bias:
 * the bits are the same for every tile and any number of threads, and small products don't drown in a large bias.
 */
const MC = 48;
/** For a tile of 8 columns; fewer for a wider one, so that a panel of B fills half the L1 cache. */
const KC = 512;
const NC = 512;
/** With no more rows than this, packing B costs more than reading it where it is. */
const FEW_ROWS = 24;
/** Nor does a B of no more floats than this need packing: all of it stays in the L1 cache. */
const SMALL_B = 4096;
/** Floats between panels of B, so that neighbouring panels don't fall on the same lines of the L1 cache. */
const PAD = 16;
const MOST_ROWS = 6;
const MOST_COLUMNS = 16;

/** Scratch that one thread needs: a block of A, a block of B, two rows of zeros, a tile and its bias for the edges of C, and room for taps. */
export const MATMUL_SCRATCH: usize = <usize>(MC * KC + KC * NC + PAD * NC / 4 + (3 + MOST_ROWS) * MOST_COLUMNS) * 4 + TAPS_SCRATCH;

export function matmul(r: MatmulRecord, thread: i32, threads: i32): void {
  products(r, thread, threads, r.m * r.rowC, 0, 0, null);
}

/**
 * All products of a record, the results of one `apartC` floats behind those of the one before, and likewise their bias and their B as
 * PACK left it. `taps`: of the image that A is made of, instead of being a matrix.
 */
export function products(
  r: MatmulRecord, thread: i32, threads: i32, apartC: i32, apartBias: i32, apartPacked: i32, taps: ConvRecord | null,
): void {
  const m = r.m;
  const n = r.n;
  const rows = r.tileRows;
  const scratch = r.scratch + <usize>thread * <usize>r.scratchPerThread;
  // Each thread packs its share of one operand and all of the other, so the longer side of C is shared; what is packed already
  // costs nothing. Each has its own part of C.
  const byRows = m >= n || (r.packed != 0 && m >= 4 * threads);
  const i0 = byRows ? shareStart(m, rows, thread, threads) : 0;
  const i1 = byRows ? shareEnd(m, rows, thread, threads) : m;
  const j0 = byRows ? 0 : shareStart(n, 16, thread, threads);
  const j1 = byRows ? n : shareEnd(n, 16, thread, threads);
  if (i0 >= i1 || j0 >= j1) return;
  for (let p = 0; p < r.batch; p++) {
    const a = at(r.a, p * r.batchStrideA);
    const b = at(r.b, p * r.batchStrideB);
    const c = at(r.c, p * apartC);
    if (m == 1 && r.stepA == 1 && taps == null) {
      row(r, a, b, c, j0, j1);
      continue;
    }
    const bias = r.bias ? at(r.bias, p * apartBias) : 0;
    const packed = r.packed ? at(r.packed, p * apartPacked) : 0;
    block(r, a, b, bias, packed, c, i0, i1, j0, j1, scratch, taps);
  }
}

/** Address of an element. */
@inline
function at(base: usize, elements: i32): usize {
  return base + (<usize>elements << 2);
}

/** Columns [j0, j1) of a product of one row. */
function row(r: MatmulRecord, a: usize, b: usize, c: usize, j0: i32, j1: i32): void {
  vectorMatrix(a, b, r.bias, c, j0, j1, r.k, r.stepB, r.columnB);
  activate(r.activation, at(c, j0), at(c, j0), j1 - j0, r.parameter);
}

/** Rows [i0, i1) and columns [j0, j1) of one product. */
function block(
  r: MatmulRecord, a: usize, b: usize, bias: usize, constant: usize, c: usize, i0: i32, i1: i32, j0: i32, j1: i32, scratch: usize,
  taps: ConvRecord | null,
): void {
  const n = r.n;
  const k = r.k;
  const rowA = r.rowA;
  const stepA = r.stepA;
  const stepB = r.stepB;
  const columnB = r.columnB;
  const ldc = r.rowC;
  const act = r.activation;
  const slope = r.parameter;
  const rows = r.tileRows;
  const columns = r.tileColumns;
  const packedA = scratch;
  const packedB = packedA + MC * KC * 4;
  const zeros = packedB + (KC * NC + PAD * NC / 4) * 4;
  const nothing = zeros + MOST_COLUMNS * 4;
  const edge = nothing + MOST_COLUMNS * 4;
  const room = edge + (1 + MOST_ROWS) * MOST_COLUMNS * 4;
  zeroFloats(zeros, MOST_COLUMNS);
  // x + -0 is x, also where x is -0.
  for (let i = 0; i < MOST_COLUMNS; i++) store<f32>(at(nothing, i), -0.0);
  const depth = (KC * 8) / columns;
  const blockRows = (MC / rows) * rows;
  const direct = columnB == 1 && (i1 - i0 <= FEW_ROWS || k * n <= SMALL_B);
  for (let jc = j0; jc < j1; jc += NC) {
    const nc = min(NC, j1 - jc);
    // Columns of B that tiles read in place; the others are packed.
    const whole = direct && !constant ? nc - (nc % columns) : 0;
    // Once even if K is 0: C is then 0 and the bias.
    for (let pc = 0; pc == 0 || pc < k; pc += depth) {
      const kc = min(depth, k - pc);
      const cornerB = at(b, pc * stepB + jc * columnB);
      const apart = constant ? columns * k : columns * kc + PAD;
      const panelB = constant ? at(constant, jc * k + pc * columns) : packedB;
      if (!constant) packPanels(at(cornerB, whole * columnB), columnB, stepB, kc, nc - whole, columns, apart, packedB);
      // What C starts from: zero at first, then what it is. What is added at the end: the bias, `next` further for each tile.
      const start = pc == 0 ? zeros : 0;
      const last = pc + kc == k;
      const biased = last && bias != 0;
      const add = biased ? at(bias, jc) : nothing;
      const next = biased ? columns : 0;
      for (let ic = i0; ic < i1; ic += blockRows) {
        const mc = min(blockRows, i1 - ic);
        const corner = at(c, ic * ldc + jc);
        if (taps) packTaps(taps, a, ic, mc, pc, kc, rows, packedA, room);
        else packPanels(at(a, ic * rowA + pc * stepA), rowA, stepA, kc, mc, rows, rows * kc, packedA);
        panels(rows, columns, kc, packedA, cornerB, columns, stepB, start, add, next, corner, mc, whole, ldc, edge);
        panels(
          rows, columns, kc, packedA, panelB, apart, columns,
          start, biased ? at(add, whole) : add, next, at(corner, whole), mc, nc - whole, ldc, edge,
        );
        if (act && last) activateRows(act, corner, mc, nc, ldc, slope);
      }
    }
  }
}

/** Rows that follow one another are one run: few floats are left over at its end. */
function activateRows(act: i32, c: usize, mc: i32, nc: i32, ldc: i32, slope: f32): void {
  if (nc == ldc) activate(act, c, c, mc * nc, slope);
  else for (let i = 0; i < mc; i++, c = at(c, ldc)) activate(act, c, c, nc, slope);
}

/**
 * C (mc, nc) = start + packed A times B + add, tile by tile: a panel of B stays in the L1 cache while A goes by.
 * Panels of B start `panelB` apart; in one, each k starts `stepB` after the one before. `start`: the row that every row of a
 * tile starts from; 0: C itself. `add`: the row that is added to every row of C at the end, `next` further for each tile.
 */
function panels(
  rows: i32, columns: i32, k: i32, a: usize, b: usize, panelB: i32, stepB: i32, start: usize, add: usize, next: i32,
  c: usize, mc: i32, nc: i32, ldc: i32, edge: usize,
): void {
  const lda = <usize>(rows * k) << 2;
  const ldb = <usize>stepB << 2;
  const apart = <usize>ldc << 2;
  for (let j = 0; j < nc; j += columns, b = at(b, panelB)) {
    const width = min(columns, nc - j);
    let panelA = a;
    let tile = at(c, j);
    for (let i = 0; i < mc; i += rows, panelA += lda, tile += apart * <usize>rows) {
      const height = min(rows, mc - i);
      if (height == rows && width == columns) {
        if (start) biasedTile(rows, columns, k, panelA, b, ldb, start, 0, tile, apart, add, next != 0);
        else biasedTile(rows, columns, k, panelA, b, ldb, tile, apart, tile, apart, add, next != 0);
      } else edgeTile(rows, columns, k, panelA, b, ldb, start, add, tile, apart, height, width, edge);
    }
    add = at(add, next);
  }
}

/** A tile that hangs over the edge of C: `height` x `width` of it are real; computed whole, in scratch. */
function edgeTile(
  rows: i32, columns: i32, k: i32, a: usize, b: usize, ldb: usize, start: usize, add: usize, c: usize, ldc: usize,
  height: i32, width: i32, scratch: usize,
): void {
  const apart = <usize>columns << 2;
  for (let i = 0; i < height; i++) copyFloats(scratch + apart * <usize>i, start ? start : c + ldc * <usize>i, width);
  const bias = scratch + apart * <usize>rows;
  copyFloats(bias, add, width);
  biasedTile(rows, columns, k, a, b, ldb, scratch, apart, scratch, apart, bias, true);
  for (let i = 0; i < height; i++) copyFloats(c + ldc * <usize>i, scratch + apart * <usize>i, width);
}

/** Packs a constant B once, for any number of products: panels as wide as the tile, all of K in each. */
export function pack(r: PackRecord, thread: i32, threads: i32): void {
  const k = r.k;
  const column = r.column;
  const columns = r.tileColumns;
  const j0 = shareStart(r.n, columns, thread, threads);
  const j1 = shareEnd(r.n, columns, thread, threads);
  if (j0 < j1) packPanels(at(r.b, j0 * column), column, r.step, k, j1 - j0, columns, columns * k, at(r.packed, j0 * k));
}
