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
    const shift: f32 = r.mean ? <f32>(sumAlong(x, n) / count) : 0;
    const moments = momentsAlong(x, n, f32x4.splat(shift));
    // What rounding the mean to f32 left over; without it a row of equal values would not be 0.
    const rest = r.mean ? f64x2.extract_lane(moments, 0) / count : 0;
    const variance = max(0, f64x2.extract_lane(moments, 1) / count - rest * rest);
    const rstd = 1 / sqrt<f64>(variance + <f64>r.eps);
    if (r.mean) store<f32>(r.mean + (<usize>row << 2), <f32>(<f64>shift + rest));
    store<f32>(r.rstd + (<usize>row << 2), <f32>rstd);
    const m = f32x4.splat(shift);
    const c = f32x4.splat(<f32>rest);
    const k = f32x4.splat(<f32>rstd);
    for (let i = 0; i < n; i += 4) {
      const left = n - i;
      const at = <usize>i << 2;
      let v = f32x4.mul(f32x4.sub(f32x4.sub(loadPart(x + at, left, 0), m), c), k);
      if (weight) v = f32x4.mul(v, loadPart(weight + at, left, 0));
      if (bias) v = f32x4.add(v, loadPart(bias + at, left, 0));
      storePart(y + at, left, v);
    }
  }
}

/** dx = rstd (g - mean(g) - z mean(g z)), with g = dy weight and z = (x - mean) rstd; RMS norm has no mean(g). */
export function rowNormBackward(r: RowNormBackwardRecord, thread: i32, threads: i32): void {
  const n = r.n;
  const weight = r.weight;
  const one = f32x4.splat(1);
  const end = shareEnd(r.rows, 1, thread, threads);
  for (let row = shareStart(r.rows, 1, thread, threads); row < end; row++) {
    const from = <usize>(row * n) << 2;
    const m = f32x4.splat(r.mean ? load<f32>(r.mean + (<usize>row << 2)) : 0);
    const rstd = load<f32>(r.rstd + (<usize>row << 2));
    const k = f32x4.splat(rstd);
    let sum: f64 = 0;
    let product: f64 = 0;
    for (let block = 0; block < n; block += BLOCK) {
      const stop = min(n, block + BLOCK);
      let s = f32x4.splat(0);
      let p = s;
      for (let i = block; i < stop; i += 4) {
        const left = stop - i;
        const at = from + (<usize>i << 2);
        const w = weight ? loadPart(weight + (<usize>i << 2), left, 0) : one;
        const g = f32x4.mul(loadPart(r.dy + at, left, 0), w);
        const z = f32x4.mul(f32x4.sub(loadPart(r.x + at, left, 0), m), k);
        s = f32x4.add(s, g);
        p = f32x4.add(p, f32x4.mul(g, z));
      }
      sum += <f64>sumLanes(s);
      product += <f64>sumLanes(p);
    }
    const a = f32x4.splat(r.mean ? <f32>(sum / <f64>n) : 0);
    const b = f32x4.splat(<f32>(product / <f64>n));
    for (let i = 0; i < n; i += 4) {
      const left = n - i;
      const at = from + (<usize>i << 2);
      const w = weight ? loadPart(weight + (<usize>i << 2), left, 0) : one;
      const g = f32x4.mul(loadPart(r.dy + at, left, 0), w);
      const z = f32x4.mul(f32x4.sub(loadPart(r.x + at, left, 0), m), k);
      storePart(r.dx + at, left, f32x4.mul(k, f32x4.sub(f32x4.sub(g, a), f32x4.mul(z, b))));
    }
  }
}

/** Rows whose terms are summed before they are added to what came before. */
const GROUP = 64;

/** dWeight = sum over rows of dy z, dBias = sum over rows of dy; threads share the columns. */
export function rowNormWeights(r: RowNormWeightsRecord, thread: i32, threads: i32): void {
  const n = r.n;
  const rows = r.rows;
  const end = shareEnd(n, 16, thread, threads);
  const stride = <usize>n << 2;
  for (let c = shareStart(n, 16, thread, threads); c < end; c += 8) {
    const left = end - c;
    const more = max(0, left - 4);
    let w0 = f32x4.splat(0);
    let w1 = w0;
    let b0 = w0;
    let b1 = w0;
    let at = <usize>c << 2;
    for (let group = 0; group < rows; group += GROUP) {
      const stop = min(rows, group + GROUP);
      let p0 = f32x4.splat(0);
      let p1 = p0;
      let s0 = p0;
      let s1 = p0;
      for (let row = group; row < stop; row++, at += stride) {
        const m = r.mean ? v128.load32_splat(r.mean + (<usize>row << 2)) : f32x4.splat(0);
        const k = v128.load32_splat(r.rstd + (<usize>row << 2));
        const g0 = loadPart(r.dy + at, left, 0);
        s0 = f32x4.add(s0, g0);
        p0 = f32x4.add(p0, f32x4.mul(g0, f32x4.mul(f32x4.sub(loadPart(r.x + at, left, 0), m), k)));
        if (more) {
          const g1 = loadPart(r.dy + at + 16, more, 0);
          s1 = f32x4.add(s1, g1);
          p1 = f32x4.add(p1, f32x4.mul(g1, f32x4.mul(f32x4.sub(loadPart(r.x + at + 16, more, 0), m), k)));
        }
      }
      w0 = f32x4.add(w0, p0);
      w1 = f32x4.add(w1, p1);
      b0 = f32x4.add(b0, s0);
      b1 = f32x4.add(b1, s1);
    }
    const to = <usize>c << 2;
    storePart(r.dWeight + to, left, w0);
    if (more) storePart(r.dWeight + to + 16, more, w1);
    if (r.dBias) {
      storePart(r.dBias + to, left, b0);
      if (more) storePart(r.dBias + to + 16, more, b1);
    }
  }
}
