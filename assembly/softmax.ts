import { SoftmaxBackwardRecord, SoftmaxRecord } from './generated/records';
import { expDown, log } from './math';
import { spare, TURN } from './spare';
import { shareEnd, shareStart } from './threads';
import { loadPart, maxLanes, storePart, sumLanes } from './vector';

/**
 * What two vectors of a loop came to goes through memory, side by side, at once after it: adjacent stores are what V8 starts
 * from when it makes wide vectors, so all that led to them becomes wide.
 */
@inline
function put(v0: v128, v1: v128): void {
  const at = spare(0);
  v128.store(at, v0);
  v128.store(at, v1, 16);
}

/** That, and the vector of what was left over, as one float. */
@inline
function sumWith(rest: v128): f32 {
  return sumLanes(f32x4.add(f32x4.add(v128.load(spare(0)), v128.load(spare(0), 16)), rest));
}

/** Largest of n floats. NaN is passed over: it makes the sum of exponentials NaN, and with it all that follows. */
export function rowMax(x: usize, n: i32): f32 {
  let m0 = f32x4.splat(-Infinity);
  let m1 = m0;
  let i: i32 = 0;
  for (; i + TURN <= n; i += TURN, x += TURN * 4) {
    m0 = f32x4.pmax(m0, v128.load(x));
    m1 = f32x4.pmax(m1, v128.load(x, 16));
  }
  put(m0, m1);
  let rest = f32x4.splat(-Infinity);
  for (; i < n; i += 4, x += 16) rest = f32x4.pmax(rest, loadPart(x, n - i, -Infinity));
  return maxLanes(f32x4.pmax(f32x4.pmax(v128.load(spare(0)), v128.load(spare(0), 16)), rest));
}

/** A long row is summed in blocks of so many floats in f32, and these in f64: see sums.ts. */
const BLOCK: i32 = 512;

/** Sum of exp(x - shift), with shift the row's largest. */
export function sumExp(x: usize, n: i32, shift: f32): f32 {
  return expBlocks(false, x, 0, n, shift);
}

@inline
function expBlocks(keep: bool, x: usize, y: usize, n: i32, shift: f32): f32 {
  let sum: f64 = 0;
  let i: i32 = 0;
  while (true) {
    const at = <usize>i << 2;
    const part = expRow(keep, x + at, y + at, min(BLOCK, n - i), shift);
    // Short rows wait for each step: the way over f64 would be a tenth of their time.
    if (n <= BLOCK) return part;
    sum += <f64>part;
    i += BLOCK;
    if (i >= n) return <f32>sum;
  }
}

/** Sum of exp(x - shift) over a block, the terms kept in y if asked for. */
@inline
function expRow(keep: bool, x: usize, y: usize, n: i32, shift: f32): f32 {
  const s = f32x4.splat(shift);
  let sum0 = f32x4.splat(0);
  let sum1 = sum0;
  let i: i32 = 0;
  for (; i + TURN <= n; i += TURN, x += TURN * 4, y += TURN * 4) {
    const e0 = expDown(f32x4.sub(v128.load(x), s));
    const e1 = expDown(f32x4.sub(v128.load(x, 16), s));
    if (keep) {
      v128.store(y, e0);
      v128.store(y, e1, 16);
    }
    sum0 = f32x4.add(sum0, e0);
    sum1 = f32x4.add(sum1, e1);
  }
  put(sum0, sum1);
  let rest = f32x4.splat(0);
  for (; i < n; i += 4, x += 16, y += 16) {
    // exp of the filling -infinity is 0; where the row's largest is -infinity too, the sum is NaN as it should be.
    const e = expDown(f32x4.sub(loadPart(x, n - i, -Infinity), s));
    if (keep) storePart(y, n - i, e);
    rest = f32x4.add(rest, e);
  }
  return sumWith(rest);
}

function storeExp(x: usize, y: usize, n: i32, shift: f32): f32 {
  return expBlocks(true, x, y, n, shift);
}

/** Sum of a b, or of a alone. */
@inline
function total(product: bool, a: usize, b: usize, n: i32): f32 {
  let sum: f64 = 0;
  let i: i32 = 0;
  while (true) {
    const at = <usize>i << 2;
    const part = blockTotal(product, a + at, b + at, min(BLOCK, n - i));
    if (n <= BLOCK) return part;
    sum += <f64>part;
    i += BLOCK;
    if (i >= n) return <f32>sum;
  }
}

@inline
function blockTotal(product: bool, a: usize, b: usize, n: i32): f32 {
  let sum0 = f32x4.splat(0);
  let sum1 = sum0;
  let i: i32 = 0;
  for (; i + TURN <= n; i += TURN, a += TURN * 4, b += TURN * 4) {
    sum0 = f32x4.add(sum0, product ? f32x4.mul(v128.load(a), v128.load(b)) : v128.load(a));
    sum1 = f32x4.add(sum1, product ? f32x4.mul(v128.load(a, 16), v128.load(b, 16)) : v128.load(a, 16));
  }
  put(sum0, sum1);
  let rest = f32x4.splat(0);
  for (; i < n; i += 4, a += 16, b += 16) {
    const v = loadPart(a, n - i, 0);
    rest = f32x4.add(rest, product ? f32x4.mul(v, loadPart(b, n - i, 0)) : v);
  }
  return sumWith(rest);
}

// What becomes of an element once its row's sum is known.
const SOFTMAX = 0;
const LOG_SOFTMAX = 1;
const SOFTMAX_BACKWARD = 2;
const LOG_SOFTMAX_BACKWARD = 3;

@inline
function inRow(kind: i32, a: v128, b: v128, p: v128, q: v128): v128 {
  if (kind == SOFTMAX) return f32x4.mul(a, p);
  if (kind == LOG_SOFTMAX) return f32x4.sub(f32x4.sub(a, p), q);
  if (kind == SOFTMAX_BACKWARD) return f32x4.mul(b, f32x4.sub(a, p));
  return f32x4.sub(a, f32x4.mul(expDown(b), p));
}

/** y = inRow(a, b) for a row of n. Rows may be short and many: what doesn't fill a turn is loaded and stored in parts. */
@inline
function rowLoop(kind: i32, a: usize, b: usize, y: usize, n: i32, first: f32, second: f32): void {
  const p = f32x4.splat(first);
  const q = f32x4.splat(second);
  let i: i32 = 0;
  for (; i + TURN <= n; i += TURN, a += TURN * 4, b += TURN * 4, y += TURN * 4) {
    const y0 = inRow(kind, v128.load(a), v128.load(b), p, q);
    const y1 = inRow(kind, v128.load(a, 16), v128.load(b, 16), p, q);
    v128.store(y, y0);
    v128.store(y, y1, 16);
  }
  for (; i < n; i += 4, a += 16, b += 16, y += 16)
    storePart(y, n - i, inRow(kind, loadPart(a, n - i, 0), loadPart(b, n - i, 0), p, q));
}

/** Rows one after the other: y of x, or dx of dy and y. */
@inline
function forward(kind: i32, r: SoftmaxRecord, thread: i32, threads: i32): void {
  const n = r.n;
  // A row may be short, and a record's words must be read anew after every store.
  const xs = r.x;
  const ys = r.y;
  const end = shareEnd(r.rows, 1, thread, threads);
  for (let i = shareStart(r.rows, 1, thread, threads); i < end; i++) {
    const at = (<usize>i * <usize>n) << 2;
    const x = xs + at;
    const y = ys + at;
    const most = rowMax(x, n);
    if (kind == SOFTMAX) rowLoop(SOFTMAX, y, y, y, n, 1 / storeExp(x, y, n, most), 0);
    else rowLoop(LOG_SOFTMAX, x, x, y, n, most, <f32>log(sumExp(x, n, most)));
  }
}

@inline
function backward(kind: i32, r: SoftmaxBackwardRecord, thread: i32, threads: i32): void {
  const n = r.n;
  const dys = r.dy;
  const ys = r.y;
  const dxs = r.dx;
  const end = shareEnd(r.rows, 1, thread, threads);
  for (let i = shareStart(r.rows, 1, thread, threads); i < end; i++) {
    const at = (<usize>i * <usize>n) << 2;
    const dy = dys + at;
    const y = ys + at;
    rowLoop(kind, dy, y, dxs + at, n, total(kind == SOFTMAX_BACKWARD, dy, y, n), 0);
  }
}

/** Softmax of each row. */
export function softmax(r: SoftmaxRecord, thread: i32, threads: i32): void {
  forward(SOFTMAX, r, thread, threads);
}

/** x - largest - log(sum of exp(x - largest)) */
export function logSoftmax(r: SoftmaxRecord, thread: i32, threads: i32): void {
  forward(LOG_SOFTMAX, r, thread, threads);
}

/** dx = y (dy - sum(dy y)) */
export function softmaxBackward(r: SoftmaxBackwardRecord, thread: i32, threads: i32): void {
  backward(SOFTMAX_BACKWARD, r, thread, threads);
}

/** dx = dy - exp(y) sum(dy) */
export function logSoftmaxBackward(r: SoftmaxBackwardRecord, thread: i32, threads: i32): void {
  backward(LOG_SOFTMAX_BACKWARD, r, thread, threads);
}
