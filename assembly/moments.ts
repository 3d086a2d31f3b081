import { VarianceRecord } from './generated/records';
import { spare } from './spare';
import { sumAcross, sumAlong } from './sums';
import { shareEnd, shareStart } from './threads';
import { loadPart, storePart, sumLanes } from './vector';

/**
 * Variances in one pass over memory. A block is shifted by the mean of its first elements, so that sums of d = x - shift and of d^2
 * lose little (Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance"): with n elements and a shift taken from
 * m of them, (mean - shift)^2 is at most n / m times the variance. Blocks are put together in f64 by the means and sums of squares
 * of each, which loses nothing. Where squares leave what f32 holds, carefully() starts again.
 */
const BLOCK: i32 = 2048;
const SAMPLE: i32 = 128;
/** Of columns: rows to a block, and columns side by side, which are a line of the cache. */
const ROWS: i32 = 256;
const SAMPLE_ROWS: i32 = 16;
const COLUMNS: i32 = 16;
/** Steps that are summed in one go; their sums are summed again. */
const GROUP: i32 = 64;

/** What is known of elements: how many they are, their mean, and the sum of squared distances from it. */
let seen: f64 = 0;
let mean: f64 = 0;
let squares: f64 = 0;

/** Takes in n more, by the sums of d = x - shift and d^2. */
@inline
function take(n: f64, shift: f64, sum: f64, sumOfSquares: f64): void {
  const all = seen + n;
  const own = sum / n;
  const apart = shift + own - mean;
  mean += apart * (n / all);
  squares += max<f64>(0, sumOfSquares - sum * own) + apart * apart * (seen * (n / all));
  seen = all;
}

/** Sums of d = x - shift and d^2 of each of four lanes over `steps`, `stride` bytes apart: to spare(0) and spare(1). */
@inline
function deviations(four: bool, x: usize, steps: i32, stride: usize, n: i32, shift: v128): void {
  let sum = f32x4.splat(0);
  let square = sum;
  for (let c = 0; c < steps; ) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let q0 = s0;
    let q1 = s0;
    const end = min(steps, c + GROUP);
    for (; c + 2 <= end; c += 2, x += 2 * stride) {
      const d0 = f32x4.sub(four ? v128.load(x) : loadPart(x, n, 0), shift);
      const d1 = f32x4.sub(four ? v128.load(x + stride) : loadPart(x + stride, n, 0), shift);
      s0 = f32x4.add(s0, d0);
      s1 = f32x4.add(s1, d1);
      q0 = f32x4.add(q0, f32x4.mul(d0, d0));
      q1 = f32x4.add(q1, f32x4.mul(d1, d1));
    }
    if (c < end) {
      const d = f32x4.sub(four ? v128.load(x) : loadPart(x, n, 0), shift);
      s0 = f32x4.add(s0, d);
      q0 = f32x4.add(q0, f32x4.mul(d, d));
      c++;
      x += stride;
    }
    sum = f32x4.add(sum, f32x4.add(s0, s1));
    square = f32x4.add(square, f32x4.add(q0, q1));
  }
  v128.store(spare(0), sum);
  v128.store(spare(1), square);
}

/** Whether sums of squares have lost no digits to f32's range. */
@inline
function within(): bool {
  return squares > 1e-28 && squares < Infinity;
}

/** Takes in n floats, `stride` bytes apart, and nothing else: in f64, whose range holds all squares. NaN and infinity come to NaN. */
function carefully(x: usize, n: i32, stride: usize): void {
  let sum: f64 = 0;
  for (let i = 0, at = x; i < n; i++, at += stride) sum += <f64>load<f32>(at);
  mean = sum / <f64>n;
  squares = 0;
  for (let i = 0; i < n; i++, x += stride) {
    const d = <f64>load<f32>(x) - mean;
    squares += d * d;
  }
}

/** Takes in n neighbouring floats, and nothing else. */
function along(x: usize, n: i32): void {
  seen = 0;
  mean = 0;
  squares = 0;
  const start = x;
  for (let i = 0; i < n; i += BLOCK) {
    const count = min(BLOCK, n - i);
    const sample = min(SAMPLE, count);
    const shift = <f32>(sumAlong(x, sample) / <f64>sample);
    const steps = count >> 2;
    deviations(true, x, steps, 16, 4, f32x4.splat(shift));
    let sum = <f64>sumLanes(v128.load(spare(0)));
    let square = <f64>sumLanes(v128.load(spare(1)));
    x += <usize>steps << 4;
    for (let rest = count & 3; rest > 0; rest--, x += 4) {
      const d = <f64>load<f32>(x) - <f64>shift;
      sum += d;
      square += d * d;
    }
    take(<f64>count, <f64>shift, sum, square);
  }
  if (!within()) carefully(start, n, 4);
}

@inline
function finish(divisor: f64, root: bool): f32 {
  const value = squares / divisor;
  return <f32>(root ? sqrt<f64>(value) : value);
}

/** One vector of a row, into the sums in `sums` and those of squares 64 bytes behind them. */
@inline
function put(sums: usize, sum: v128, square: v128): void {
  v128.store(sums, f32x4.add(v128.load(sums), sum));
  v128.store(sums, f32x4.add(v128.load(sums, 64), square), 64);
}

/** Sums of d = x - shift and d^2 of 16 columns, whose rows are whole cache lines. */
function deviationsBeside(x: usize, rows: i32, stride: usize, shifts: usize, sums: usize): void {
  memory.fill(sums, 0, 128);
  for (let c = 0; c < rows; ) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let q0 = s0;
    let q1 = s0;
    let q2 = s0;
    let q3 = s0;
    for (const end = min(rows, c + GROUP); c < end; c++, x += stride) {
      const d0 = f32x4.sub(v128.load(x), v128.load(shifts));
      const d1 = f32x4.sub(v128.load(x, 16), v128.load(shifts, 16));
      const d2 = f32x4.sub(v128.load(x, 32), v128.load(shifts, 32));
      const d3 = f32x4.sub(v128.load(x, 48), v128.load(shifts, 48));
      s0 = f32x4.add(s0, d0);
      s1 = f32x4.add(s1, d1);
      s2 = f32x4.add(s2, d2);
      s3 = f32x4.add(s3, d3);
      q0 = f32x4.add(q0, f32x4.mul(d0, d0));
      q1 = f32x4.add(q1, f32x4.mul(d1, d1));
      q2 = f32x4.add(q2, f32x4.mul(d2, d2));
      q3 = f32x4.add(q3, f32x4.mul(d3, d3));
    }
    put(sums, s0, q0);
    put(sums + 16, s1, q1);
    put(sums + 32, s2, q2);
    put(sums + 48, s3, q3);
  }
}

/** The same of fewer columns, four at a time. */
function deviationsOfFew(x: usize, n: i32, rows: i32, stride: usize, shifts: usize, sums: usize): void {
  for (let j = 0; j < n; j += 4) {
    const left = min(4, n - j);
    const lanes = <usize>j << 2;
    deviations(false, x + lanes, rows, stride, left, loadPart(shifts + lanes, left, 0));
    storePart(sums + lanes, left, v128.load(spare(0)));
    storePart(sums + 64 + lanes, left, v128.load(spare(1)));
  }
}

/**
 * Up to 16 columns of `count` rows. `state` holds for each of them its mean and sum of squares, as f64; then all shifts, all sums and
 * all sums of squares of the block of rows at hand.
 */
function across(x: usize, y: usize, n: i32, count: i32, stride: usize, divisor: f64, root: bool, state: usize): void {
  const shifts = state + (<usize>COLUMNS << 4);
  const sums = shifts + (<usize>COLUMNS << 2);
  const start = x;
  memory.fill(state, 0, <usize>COLUMNS << 4);
  for (let c = 0; c < count; c += ROWS, x += <usize>ROWS * stride) {
    const rows = min(ROWS, count - c);
    const sample = min(SAMPLE_ROWS, rows);
    sumAcross(x, shifts, sample, <i32>(stride >> 2), 0, n, <f64>sample);
    if (n == COLUMNS) deviationsBeside(x, rows, stride, shifts, sums);
    else deviationsOfFew(x, n, rows, stride, shifts, sums);
    for (let j = 0; j < n; j++) {
      const lane = <usize>j << 2;
      const own = state + (<usize>j << 4);
      seen = <f64>c;
      mean = load<f64>(own);
      squares = load<f64>(own, 8);
      take(<f64>rows, <f64>load<f32>(shifts + lane), <f64>load<f32>(sums + lane), <f64>load<f32>(sums + lane, 64));
      store<f64>(own, mean);
      store<f64>(own, squares, 8);
    }
  }
  for (let j = 0; j < n; j++) {
    squares = load<f64>(state + (<usize>j << 4), 8);
    if (!within()) carefully(start + (<usize>j << 2), count, stride);
    store<f32>(y + (<usize>j << 2), finish(divisor, root));
  }
}

/** (outer, count, inner) -> (outer, inner) */
export function variance(r: VarianceRecord, thread: i32, threads: i32): void {
  const outer = r.outer;
  const count = r.count;
  const inner = r.inner;
  const divisor = <f64>r.divisor;
  const root = r.root != 0;
  if (inner == 1) {
    const end = shareEnd(outer, 16, thread, threads);
    for (let o = shareStart(outer, 16, thread, threads); o < end; o++) {
      along(r.x + ((<usize>o * <usize>count) << 2), count);
      store<f32>(r.y + (<usize>o << 2), finish(divisor, root));
    }
    return;
  }
  const stride = <usize>inner << 2;
  const state = r.scratch + <usize>thread * <usize>r.scratchPerThread;
  const to = shareEnd(inner, COLUMNS, thread, threads);
  for (let o = 0; o < outer; o++)
    for (let j = shareStart(inner, COLUMNS, thread, threads); j < to; j += COLUMNS) {
      const x = r.x + ((<usize>o * <usize>count * <usize>inner + <usize>j) << 2);
      const y = r.y + ((<usize>o * <usize>inner + <usize>j) << 2);
      across(x, y, min(COLUMNS, to - j), count, stride, divisor, root, state);
    }
}
