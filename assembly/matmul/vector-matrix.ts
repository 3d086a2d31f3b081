import { madd, PAIRS } from '../isa';
import { spare } from '../spare';
import { loadPart, storePart, sumLanes, zeroFloats } from '../vector';

/**
 * One row: c[from..to) = x B + bias. B is read once, in the order it lies in memory, by four streams side by side.
 * stepB: from one k to the next; columnB: from one column to the next; one of them is 1.
 */
export function vectorMatrix(
  x: usize, b: usize, bias: usize, c: usize, from: i32, to: i32, k: i32, stepB: i32, columnB: i32,
): void {
  if (columnB == 1) byRows(x, b, bias, c, from, to, k, <usize>stepB << 2);
  else byColumns(x, b, bias, c, from, to, k, <usize>columnB << 2);
}

/**
 * K lies side by side (a transposed weight): each column is a dot product. Four columns at a time, and where there are
 * registers for it two sums for each, as an addition takes about four turns to be done and two can begin in each.
 */
function byColumns(x: usize, b: usize, bias: usize, c: usize, from: i32, to: i32, k: i32, next: usize): void {
  const pairs = <usize>(k & ~7) << 2;
  const end = <usize>(k & ~3) << 2;
  let j = from;
  let column = b + <usize>j * next;
  for (; j + 4 <= to; j += 4, column += 4 * next) {
    const column1 = column + next;
    const column2 = column1 + next;
    const column3 = column2 + next;
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let t0 = s0;
    let t1 = s0;
    let t2 = s0;
    let t3 = s0;
    let at: usize = 0;
    for (; at < pairs; at += 32) {
      const v = v128.load(x + at);
      s0 = madd(v, v128.load(column + at), s0);
      s1 = madd(v, v128.load(column1 + at), s1);
      s2 = madd(v, v128.load(column2 + at), s2);
      s3 = madd(v, v128.load(column3 + at), s3);
      const w = v128.load(x + at, 16);
      if (PAIRS) {
        t0 = madd(w, v128.load(column + at, 16), t0);
        t1 = madd(w, v128.load(column1 + at, 16), t1);
        t2 = madd(w, v128.load(column2 + at, 16), t2);
        t3 = madd(w, v128.load(column3 + at, 16), t3);
      } else {
        s0 = madd(w, v128.load(column + at, 16), s0);
        s1 = madd(w, v128.load(column1 + at, 16), s1);
        s2 = madd(w, v128.load(column2 + at, 16), s2);
        s3 = madd(w, v128.load(column3 + at, 16), s3);
      }
    }
    // Through memory, side by side: that is what V8 starts from when it makes a wide vector of the two sums of a column.
    const sums = spare(0);
    v128.store(sums, s0);
    v128.store(sums, t0, 16);
    v128.store(sums, s1, 32);
    v128.store(sums, t1, 48);
    v128.store(sums, s2, 64);
    v128.store(sums, t2, 80);
    v128.store(sums, s3, 96);
    v128.store(sums, t3, 112);
    s0 = total(sums, x, column, at, end, k);
    s1 = total(sums + 32, x, column1, at, end, k);
    s2 = total(sums + 64, x, column2, at, end, k);
    s3 = total(sums + 96, x, column3, at, end, k);
    const to = <usize>j << 2;
    const y = sumOfEach(s0, s1, s2, s3);
    v128.store(c + to, bias ? f32x4.add(y, v128.load(bias + to)) : y);
  }
  // The same sums in the same order, one column at a time.
  for (; j < to; j++, column += next) {
    let s = f32x4.splat(0);
    let t = s;
    let at: usize = 0;
    for (; at < pairs; at += 32) {
      s = madd(v128.load(x + at), v128.load(column + at), s);
      const w = v128.load(x + at, 16);
      if (PAIRS) t = madd(w, v128.load(column + at, 16), t);
      else s = madd(w, v128.load(column + at, 16), s);
    }
    v128.store(spare(0), s);
    v128.store(spare(0), t, 16);
    s = total(spare(0), x, column, at, end, k);
    const to = <usize>j << 2;
    store<f32>(c + to, sumLanes(s) + (bias ? load<f32>(bias + to) : 0));
  }
}

/** The two sums of a column, and the last one to seven of K. */
@inline
function total(sums: usize, x: usize, column: usize, at: usize, end: usize, k: i32): v128 {
  let s = v128.load(sums);
  if (at < end) s = madd(v128.load(x + at), v128.load(column + at), s);
  s = f32x4.add(s, v128.load(sums, 16));
  const left = k - (<i32>end >> 2);
  return left ? madd(loadPart(x + end, left, 0), loadPart(column + end, left, 0), s) : s;
}

/** The sum across the lanes of each, as sumLanes() adds them. */
@inline
function sumOfEach(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 1, 4, 5), v128.shuffle<f32>(a, b, 2, 3, 6, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 1, 4, 5), v128.shuffle<f32>(c, d, 2, 3, 6, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 2, 4, 6), v128.shuffle<f32>(ab, cd, 1, 3, 5, 7));
}

/** Columns lie side by side: c += x[k] * row k of B, four rows at a time, then the bias; c stays in the nearest cache. */
function byRows(x: usize, b: usize, bias: usize, c: usize, from: i32, to: i32, k: i32, next: usize): void {
  zeroFloats(c + (<usize>from << 2), to - from);
  let l: i32 = 0;
  for (; l + 4 <= k; l += 4) addRows(x + (<usize>l << 2), b + <usize>l * next, next, c, from, to);
  for (; l < k; l++) addRow(x + (<usize>l << 2), b + <usize>l * next, c, from, to);
  if (bias) addBias(bias, c, from, to);
}

function addBias(bias: usize, c: usize, from: i32, to: i32): void {
  for (let j = from; j < to; j += 4) {
    const at = <usize>j << 2;
    storePart(c + at, to - j, f32x4.add(loadPart(c + at, to - j, 0), loadPart(bias + at, to - j, 0)));
  }
}

/** c += x[0] row 0 + .. + x[3] row 3, one after the other for each element. */
function addRows(x: usize, row: usize, next: usize, c: usize, from: i32, to: i32): void {
  const x0 = v128.load32_splat(x);
  const x1 = v128.load32_splat(x, 4);
  const x2 = v128.load32_splat(x, 8);
  const x3 = v128.load32_splat(x, 12);
  const row1 = row + next;
  const row2 = row1 + next;
  const row3 = row2 + next;
  const end = <usize>to << 2;
  let at = <usize>from << 2;
  for (; at + 32 <= end; at += 32) {
    let s = v128.load(c + at);
    let t = v128.load(c + at, 16);
    s = madd(x0, v128.load(row + at), s);
    t = madd(x0, v128.load(row + at, 16), t);
    s = madd(x1, v128.load(row1 + at), s);
    t = madd(x1, v128.load(row1 + at, 16), t);
    s = madd(x2, v128.load(row2 + at), s);
    t = madd(x2, v128.load(row2 + at, 16), t);
    s = madd(x3, v128.load(row3 + at), s);
    t = madd(x3, v128.load(row3 + at, 16), t);
    v128.store(c + at, s);
    v128.store(c + at, t, 16);
  }
  for (; at + 16 <= end; at += 16) {
    let s = v128.load(c + at);
    s = madd(x0, v128.load(row + at), s);
    s = madd(x1, v128.load(row1 + at), s);
    s = madd(x2, v128.load(row2 + at), s);
    s = madd(x3, v128.load(row3 + at), s);
    v128.store(c + at, s);
  }
  const n = <i32>(end - at) >> 2;
  if (n == 0) return;
  let s = loadPart(c + at, n, 0);
  s = madd(x0, loadPart(row + at, n, 0), s);
  s = madd(x1, loadPart(row1 + at, n, 0), s);
  s = madd(x2, loadPart(row2 + at, n, 0), s);
  s = madd(x3, loadPart(row3 + at, n, 0), s);
  storePart(c + at, n, s);
}

function addRow(x: usize, row: usize, c: usize, from: i32, to: i32): void {
  const x0 = v128.load32_splat(x);
  for (let j = from; j < to; j += 4) {
    const at = <usize>j << 2;
    storePart(c + at, to - j, madd(x0, loadPart(row + at, to - j, 0), loadPart(c + at, to - j, 0)));
  }
}
