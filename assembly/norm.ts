/**
 * Batch normalization: channels are the last axis, in f64, so that each result is rounded once. Sixteen are done side by side, a line
 * of the cache, and the last ones four at a time, by the same operations.
 */
import { BatchNormAffineRecord, BatchNormBackwardRecord, BatchNormRecord } from './generated/records';
import { high, join, low, sixteenChannels, sixteenGradients } from './norm-sixteen';
import { shareEnd, shareStart } from './threads';
import { loadPart, storePart } from './vector';

/** y = (x - mean) / sqrt(variance + eps) weight + bias */
export function batchNorm(r: BatchNormRecord, thread: i32, threads: i32): void {
  const n = r.n;
  const rows = r.rows;
  const stride = <usize>n << 2;
  const count = f64x2.splat(<f64>rows);
  const eps = f64x2.splat(<f64>r.eps);
  const end = shareEnd(n, 4, thread, threads);
  let c = shareStart(n, 4, thread, threads);
  for (; c + 16 <= end; c += 16) sixteenChannels(r, <usize>c << 2);
  for (; c < end; c += 4) {
    const left = n - c;
    const at = <usize>c << 2;
    let m0 = f64x2.splat(0);
    let m1 = m0;
    let x = r.x + at;
    for (let i = 0; i < rows; i++, x += stride) {
      const v = loadPart(x, left, 0);
      m0 = f64x2.add(m0, low(v));
      m1 = f64x2.add(m1, high(v));
    }
    m0 = f64x2.div(m0, count);
    m1 = f64x2.div(m1, count);
    let v0 = f64x2.splat(0);
    let v1 = v0;
    x = r.x + at;
    for (let i = 0; i < rows; i++, x += stride) {
      const v = loadPart(x, left, 0);
      const d0 = f64x2.sub(low(v), m0);
      const d1 = f64x2.sub(high(v), m1);
      v0 = f64x2.add(v0, f64x2.mul(d0, d0));
      v1 = f64x2.add(v1, f64x2.mul(d1, d1));
    }
    v0 = f64x2.div(v0, count);
    v1 = f64x2.div(v1, count);
    const weight = loadPart(r.weight + at, left, 0);
    const bias = loadPart(r.bias + at, left, 0);
    const f0 = f64x2.div(low(weight), f64x2.sqrt(f64x2.add(v0, eps)));
    const f1 = f64x2.div(high(weight), f64x2.sqrt(f64x2.add(v1, eps)));
    const b0 = low(bias);
    const b1 = high(bias);
    x = r.x + at;
    let y = r.y + at;
    for (let i = 0; i < rows; i++, x += stride, y += stride) {
      const v = loadPart(x, left, 0);
      const y0 = f64x2.add(f64x2.mul(f64x2.sub(low(v), m0), f0), b0);
      const y1 = f64x2.add(f64x2.mul(f64x2.sub(high(v), m1), f1), b1);
      storePart(y, left, join(y0, y1));
    }
    storePart(r.mean + at, left, join(m0, m1));
    storePart(r.variance + at, left, join(v0, v1));
  }
}

/** dx = weight s (dy - (dBias + z dWeight) / rows), with s = 1 / sqrt(variance + eps) and z = (x - mean) s */
export function batchNormBackward(r: BatchNormBackwardRecord, thread: i32, threads: i32): void {
  const n = r.n;
  const rows = r.rows;
  const stride = <usize>n << 2;
  const count = f64x2.splat(<f64>rows);
  const eps = f64x2.splat(<f64>r.eps);
  const one = f64x2.splat(1);
  const end = shareEnd(n, 4, thread, threads);
  let c = shareStart(n, 4, thread, threads);
  for (; c + 16 <= end; c += 16) sixteenGradients(r, <usize>c << 2);
  for (; c < end; c += 4) {
    const left = n - c;
    const at = <usize>c << 2;
    const mean = loadPart(r.mean + at, left, 0);
    const variance = loadPart(r.variance + at, left, 1);
    const weight = loadPart(r.weight + at, left, 0);
    const m0 = low(mean);
    const m1 = high(mean);
    const s0 = f64x2.div(one, f64x2.sqrt(f64x2.add(low(variance), eps)));
    const s1 = f64x2.div(one, f64x2.sqrt(f64x2.add(high(variance), eps)));
    let b0 = f64x2.splat(0);
    let b1 = b0;
    let w0 = b0;
    let w1 = b0;
    let x = r.x + at;
    let dy = r.dy + at;
    for (let i = 0; i < rows; i++, x += stride, dy += stride) {
      const v = loadPart(x, left, 0);
      const d = loadPart(dy, left, 0);
      const d0 = low(d);
      const d1 = high(d);
      b0 = f64x2.add(b0, d0);
      b1 = f64x2.add(b1, d1);
      w0 = f64x2.add(w0, f64x2.mul(d0, f64x2.mul(f64x2.sub(low(v), m0), s0)));
      w1 = f64x2.add(w1, f64x2.mul(d1, f64x2.mul(f64x2.sub(high(v), m1), s1)));
    }
    const k0 = f64x2.mul(low(weight), s0);
    const k1 = f64x2.mul(high(weight), s1);
    x = r.x + at;
    dy = r.dy + at;
    let dx = r.dx + at;
    for (let i = 0; i < rows; i++, x += stride, dy += stride, dx += stride) {
      const v = loadPart(x, left, 0);
      const d = loadPart(dy, left, 0);
      const z0 = f64x2.mul(f64x2.sub(low(v), m0), s0);
      const z1 = f64x2.mul(f64x2.sub(high(v), m1), s1);
      const t0 = f64x2.div(f64x2.add(b0, f64x2.mul(z0, w0)), count);
      const t1 = f64x2.div(f64x2.add(b1, f64x2.mul(z1, w1)), count);
      storePart(dx, left, join(f64x2.mul(k0, f64x2.sub(low(d), t0)), f64x2.mul(k1, f64x2.sub(high(d), t1))));
    }
    storePart(r.dWeight + at, left, join(w0, w1));
    storePart(r.dBias + at, left, join(b0, b1));
  }
}

/** scale = weight / sqrt(variance + eps), shift = bias - mean scale */
export function batchNormAffine(r: BatchNormAffineRecord, thread: i32, threads: i32): void {
  const end = shareEnd(r.n, 1, thread, threads);
  for (let c = shareStart(r.n, 1, thread, threads); c < end; c++) {
    const at = <usize>c << 2;
    const scale = <f64>load<f32>(r.weight + at) / sqrt<f64>(<f64>load<f32>(r.variance + at) + <f64>r.eps);
    store<f32>(r.scale + at, <f32>scale);
    store<f32>(r.shift + at, <f32>(<f64>load<f32>(r.bias + at) - <f64>load<f32>(r.mean + at) * scale));
  }
}
