/** Normalization of rows: layer norm and RMS norm. In f32, by exactly rounded operations alone, so that every build has the same bits. */
import { RowNormBackwardRecord, RowNormRecord, RowNormWeightsRecord } from './generated/records';
import { sumAlong } from './sums';
import { shareEnd, shareStart } from './threads';
import { loadPart, storePart, sumLanes } from './vector';

/** Floats summed in f32; blocks are summed in f64. */
const BLOCK = 1024;

/** Sums of d and d^2 with d = x - shift, in the two lanes: of squares the second, which nothing cancels in. */
function momentsAlong(x: usize, n: i32, shift: v128): v128 {
  let sum: f64 = 0;
  let squares: f64 = 0;
  for (let from = 0; from < n; from += BLOCK) {
    const end = min(n, from + BLOCK);
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let q0 = s0;
    let q1 = s0;
    let i = from;
    for (; i + 8 <= end; i += 8) {
      const at = x + (<usize>i << 2);
      const d0 = f32x4.sub(v128.load(at), shift);
      const d1 = f32x4.sub(v128.load(at, 16), shift);
      s0 = f32x4.add(s0, d0);
      s1 = f32x4.add(s1, d1);
      q0 = f32x4.add(q0, f32x4.mul(d0, d0));
      q1 = f32x4.add(q1, f32x4.mul(d1, d1));
    }
    for (; i < end; i += 4) {
      const left = end - i;
      let d = f32x4.sub(loadPart(x + (<usize>i << 2), left, 0), shift);
      // Lanes beyond the row count for nothing.
      if (left < 4) d = v128.and(d, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(left)));
      s0 = f32x4.add(s0, d);
      q0 = f32x4.add(q0, f32x4.mul(d, d));
    }
    sum += <f64>sumLanes(f32x4.add(s0, s1));
    squares += <f64>sumLanes(f32x4.add(q0, q1));
  }
  return f64x2.replace_lane(f64x2.splat(sum), 1, squares);
}

/** About the mean of a row: that of its first eight elements. */
@inline
function start(x: usize, n: i32): f32 {
  if (n < 8) return load<f32>(x);
  const eighth = f32x4.splat(0.125);
  return sumLanes(f32x4.add(f32x4.mul(v128.load(x), eighth), f32x4.mul(v128.load(x, 16), eighth)));
}

/** y = (x - mean) rstd weight + bias, row by row. */
export function rowNorm(r: RowNormRecord, thread: i32, threads: i32): void {
  const n = r.n;
  const weight = r.weight;
  const bias = r.bias;
  const count = <f64>n;
  const end = shareEnd(r.rows, 1, thread, threads);
  for (let row = shareStart(r.rows, 1, thread, threads); row < end; row++) {
    const x = r.x + (<usize>(row * n) << 2);
    const y = r.y + (<usize>(row * n) << 2);
    let shift: f32 = r.mean ? start(x, n) : 0;
    let moments = momentsAlong(x, n, f32x4.splat(shift));
    let rest = r.mean ? f64x2.extract_lane(moments, 0) / count : 0;
    let variance = max(0, f64x2.extract_lane(moments, 1) / count - rest * rest);
    // Where the row begins with what is unlike the rest of it (or not finite), its mean costs one more pass, and nothing cancels.
    if (r.mean && !(rest * rest <= variance && variance < Infinity)) {
      shift = <f32>(sumAlong(x, n) / count);
      moments = momentsAlong(x, n, f32x4.splat(shift));
      // What rounding the mean to f32 left over; without it a row of equal values would not be 0.
      rest = f64x2.extract_lane(moments, 0) / count;
      variance = max(0, f64x2.extract_lane(moments, 1) / count - rest * rest);
    }
    const rstd = 1 / sqrt<f64>(variance + <f64>r.eps);
    if (r.mean) store<f32>(r.mean + (<usize>row << 2), <f32>(<f64>shift + rest));
    store<f32>(r.rstd + (<usize>row << 2), <f32>rstd);
    if (weight == 0) normalize(false, false, x, weight, bias, y, n, shift, <f32>rest, <f32>rstd);
    else if (bias == 0) normalize(true, false, x, weight, bias, y, n, shift, <f32>rest, <f32>rstd);
    else normalize(true, true, x, weight, bias, y, n, shift, <f32>rest, <f32>rstd);
  }
}

/** y = ((x - shift) - rest) rstd weight + bias; two adjacent vectors a turn. */
@inline
function normalize(
  weighted: bool, biased: bool, x: usize, weight: usize, bias: usize, y: usize, n: i32, shift: f32, rest: f32, rstd: f32,
): void {
  const m = f32x4.splat(shift);
  const c = f32x4.splat(rest);
  const k = f32x4.splat(rstd);
  const end = <usize>(n & -8) << 2;
  let at: usize = 0;
  for (; at < end; at += 32) {
    let v0 = f32x4.mul(f32x4.sub(f32x4.sub(v128.load(x + at), m), c), k);
    let v1 = f32x4.mul(f32x4.sub(f32x4.sub(v128.load(x + at, 16), m), c), k);
    if (weighted) {
      v0 = f32x4.mul(v0, v128.load(weight + at));
      v1 = f32x4.mul(v1, v128.load(weight + at, 16));
    }
    if (biased) {
      v0 = f32x4.add(v0, v128.load(bias + at));
      v1 = f32x4.add(v1, v128.load(bias + at, 16));
    }
    v128.store(y + at, v0);
    v128.store(y + at, v1, 16);
  }
  for (let left = n & 7; left > 0; left -= 4, at += 16) {
    let v = f32x4.mul(f32x4.sub(f32x4.sub(loadPart(x + at, left, 0), m), c), k);
    if (weighted) v = f32x4.mul(v, loadPart(weight + at, left, 0));
    if (biased) v = f32x4.add(v, loadPart(bias + at, left, 0));
    storePart(y + at, left, v);
  }
}

/** dx = rstd (g - mean(g) - z mean(g z)), with g = dy weight and z = (x - mean) rstd; RMS norm has no mean(g). */
export function rowNormBackward(r: RowNormBackwardRecord, thread: i32, threads: i32): void {
  const n = r.n;
  const weight = r.weight;
  const end = shareEnd(r.rows, 1, thread, threads);
  for (let row = shareStart(r.rows, 1, thread, threads); row < end; row++) {
    const from = <usize>(row * n) << 2;
    const mean: f32 = r.mean ? load<f32>(r.mean + (<usize>row << 2)) : 0;
    const rstd = load<f32>(r.rstd + (<usize>row << 2));
    if (weight) backRow(true, r.dy + from, r.x + from, weight, r.dx + from, n, mean, rstd, r.mean != 0);
    else backRow(false, r.dy + from, r.x + from, weight, r.dx + from, n, mean, rstd, r.mean != 0);
  }
}

@inline
function backRow(weighted: bool, dy: usize, x: usize, weight: usize, dx: usize, n: i32, mean: f32, rstd: f32, centered: bool): void {
  const m = f32x4.splat(mean);
  const k = f32x4.splat(rstd);
  let sum: f64 = 0;
  let product: f64 = 0;
  for (let block = 0; block < n; block += BLOCK) {
    const stop = <usize>min(n, block + BLOCK) << 2;
    let at = <usize>block << 2;
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let p0 = s0;
    let p1 = s0;
    for (const end = at + ((stop - at) & ~31); at < end; at += 32) {
      let g0 = v128.load(dy + at);
      let g1 = v128.load(dy + at, 16);
      if (weighted) {
        g0 = f32x4.mul(g0, v128.load(weight + at));
        g1 = f32x4.mul(g1, v128.load(weight + at, 16));
      }
      s0 = f32x4.add(s0, g0);
      s1 = f32x4.add(s1, g1);
      p0 = f32x4.add(p0, f32x4.mul(g0, f32x4.mul(f32x4.sub(v128.load(x + at), m), k)));
      p1 = f32x4.add(p1, f32x4.mul(g1, f32x4.mul(f32x4.sub(v128.load(x + at, 16), m), k)));
    }
    for (; at < stop; at += 16) {
      const left = <i32>((stop - at) >> 2);
      let g = loadPart(dy + at, left, 0);
      if (weighted) g = f32x4.mul(g, loadPart(weight + at, left, 0));
      s0 = f32x4.add(s0, g);
      p0 = f32x4.add(p0, f32x4.mul(g, f32x4.mul(f32x4.sub(loadPart(x + at, left, 0), m), k)));
    }
    sum += <f64>sumLanes(f32x4.add(s0, s1));
    product += <f64>sumLanes(f32x4.add(p0, p1));
  }
  const a = f32x4.splat(centered ? <f32>(sum / <f64>n) : 0);
  const b = f32x4.splat(<f32>(product / <f64>n));
  const end = <usize>(n & -8) << 2;
  let at: usize = 0;
  for (; at < end; at += 32) {
    let g0 = v128.load(dy + at);
    let g1 = v128.load(dy + at, 16);
    if (weighted) {
      g0 = f32x4.mul(g0, v128.load(weight + at));
      g1 = f32x4.mul(g1, v128.load(weight + at, 16));
    }
    const z0 = f32x4.mul(f32x4.sub(v128.load(x + at), m), k);
    const z1 = f32x4.mul(f32x4.sub(v128.load(x + at, 16), m), k);
    v128.store(dx + at, f32x4.mul(k, f32x4.sub(f32x4.sub(g0, a), f32x4.mul(z0, b))));
    v128.store(dx + at, f32x4.mul(k, f32x4.sub(f32x4.sub(g1, a), f32x4.mul(z1, b))), 16);
  }
  for (let left = n & 7; left > 0; left -= 4, at += 16) {
    let g = loadPart(dy + at, left, 0);
    if (weighted) g = f32x4.mul(g, loadPart(weight + at, left, 0));
    const z = f32x4.mul(f32x4.sub(loadPart(x + at, left, 0), m), k);
    storePart(dx + at, left, f32x4.mul(k, f32x4.sub(f32x4.sub(g, a), f32x4.mul(z, b))));
  }
}

/** Rows whose terms are summed before they are added to what came before. */
const GROUP = 64;

/** dWeight = sum over rows of dy z, dBias = sum over rows of dy; threads share the columns. */
export function rowNormWeights(r: RowNormWeightsRecord, thread: i32, threads: i32): void {
  const end = shareEnd(r.n, 16, thread, threads);
  let c = shareStart(r.n, 16, thread, threads);
  for (; c + 16 <= end; c += 16) sixteenColumns(r, c);
  for (; c < end; c += 4) fewColumns(r, c, end - c);
}

/** A line of the cache. */
function sixteenColumns(r: RowNormWeightsRecord, c: i32): void {
  const stride = <usize>r.n << 2;
  const zero = f32x4.splat(0);
  const mean = r.mean;
  const rstd = r.rstd;
  let w0 = zero;
  let w1 = zero;
  let w2 = zero;
  let w3 = zero;
  let b0 = zero;
  let b1 = zero;
  let b2 = zero;
  let b3 = zero;
  let x = r.x + (<usize>c << 2);
  let dy = r.dy + (<usize>c << 2);
  for (let group = 0; group < r.rows; group += GROUP) {
    const stop = min(r.rows, group + GROUP);
    let p0 = zero;
    let p1 = zero;
    let p2 = zero;
    let p3 = zero;
    let s0 = zero;
    let s1 = zero;
    let s2 = zero;
    let s3 = zero;
    for (let row = group; row < stop; row++, x += stride, dy += stride) {
      const m = mean ? v128.load32_splat(mean + (<usize>row << 2)) : zero;
      const k = v128.load32_splat(rstd + (<usize>row << 2));
      const g0 = v128.load(dy);
      const g1 = v128.load(dy, 16);
      const g2 = v128.load(dy, 32);
      const g3 = v128.load(dy, 48);
      s0 = f32x4.add(s0, g0);
      s1 = f32x4.add(s1, g1);
      s2 = f32x4.add(s2, g2);
      s3 = f32x4.add(s3, g3);
      p0 = f32x4.add(p0, f32x4.mul(g0, f32x4.mul(f32x4.sub(v128.load(x), m), k)));
      p1 = f32x4.add(p1, f32x4.mul(g1, f32x4.mul(f32x4.sub(v128.load(x, 16), m), k)));
      p2 = f32x4.add(p2, f32x4.mul(g2, f32x4.mul(f32x4.sub(v128.load(x, 32), m), k)));
      p3 = f32x4.add(p3, f32x4.mul(g3, f32x4.mul(f32x4.sub(v128.load(x, 48), m), k)));
    }
    w0 = f32x4.add(w0, p0);
    b0 = f32x4.add(b0, s0);
    w1 = f32x4.add(w1, p1);
    b1 = f32x4.add(b1, s1);
    w2 = f32x4.add(w2, p2);
    b2 = f32x4.add(b2, s2);
    w3 = f32x4.add(w3, p3);
    b3 = f32x4.add(b3, s3);
  }
  const to = <usize>c << 2;
  v128.store(r.dWeight + to, w0);
  v128.store(r.dWeight + to, w1, 16);
  v128.store(r.dWeight + to, w2, 32);
  v128.store(r.dWeight + to, w3, 48);
  if (r.dBias == 0) return;
  v128.store(r.dBias + to, b0);
  v128.store(r.dBias + to, b1, 16);
  v128.store(r.dBias + to, b2, 32);
  v128.store(r.dBias + to, b3, 48);
}

function fewColumns(r: RowNormWeightsRecord, c: i32, left: i32): void {
  const stride = <usize>r.n << 2;
  const zero = f32x4.splat(0);
  let w = zero;
  let b = zero;
  let at = <usize>c << 2;
  for (let group = 0; group < r.rows; group += GROUP) {
    const stop = min(r.rows, group + GROUP);
    let p = zero;
    let s = zero;
    for (let row = group; row < stop; row++, at += stride) {
      const m = r.mean ? v128.load32_splat(r.mean + (<usize>row << 2)) : zero;
      const k = v128.load32_splat(r.rstd + (<usize>row << 2));
      const g = loadPart(r.dy + at, left, 0);
      s = f32x4.add(s, g);
      p = f32x4.add(p, f32x4.mul(g, f32x4.mul(f32x4.sub(loadPart(r.x + at, left, 0), m), k)));
    }
    w = f32x4.add(w, p);
    b = f32x4.add(b, s);
  }
  storePart(r.dWeight + (<usize>c << 2), left, w);
  if (r.dBias) storePart(r.dBias + (<usize>c << 2), left, b);
}
