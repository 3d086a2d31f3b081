/** Batch normalization of sixteen channels side by side, a line of the cache: by the operations of norm.ts, in their order. */
import { BatchNormBackwardRecord, BatchNormRecord } from './generated/records';

/** The first two of four floats in f64. */
@inline
export function low(v: v128): v128 {
  return f64x2.promote_low_f32x4(v);
}

/** The last two. */
@inline
export function high(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 0, 1));
}

/** Four floats of two halves. */
@inline
export function join(low: v128, high: v128): v128 {
  return v128.shuffle<f32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}

@inline
function squared(d: v128): v128 {
  return f64x2.mul(d, d);
}

/** (x - m) f + b of four channels; m and f are of the first two and of the last two. */
@inline
function fourOf(x: v128, m0: v128, m1: v128, f0: v128, f1: v128, b: v128): v128 {
  const y0 = f64x2.add(f64x2.mul(f64x2.sub(low(x), m0), f0), low(b));
  return join(y0, f64x2.add(f64x2.mul(f64x2.sub(high(x), m1), f1), high(b)));
}

/** y, mean and variance of the sixteen channels from byte `at` of a row. */
export function sixteenChannels(r: BatchNormRecord, at: usize): void {
  const rows = r.rows;
  const stride = <usize>r.n << 2;
  const count = f64x2.splat(<f64>rows);
  const eps = f64x2.splat(<f64>r.eps);
  const zero = f64x2.splat(0);
  let m0 = zero;
  let m1 = zero;
  let m2 = zero;
  let m3 = zero;
  let m4 = zero;
  let m5 = zero;
  let m6 = zero;
  let m7 = zero;
  let x = r.x + at;
  for (let i = 0; i < rows; i++, x += stride) {
    const x0 = v128.load(x);
    const x1 = v128.load(x, 16);
    const x2 = v128.load(x, 32);
    const x3 = v128.load(x, 48);
    m0 = f64x2.add(m0, low(x0));
    m1 = f64x2.add(m1, high(x0));
    m2 = f64x2.add(m2, low(x1));
    m3 = f64x2.add(m3, high(x1));
    m4 = f64x2.add(m4, low(x2));
    m5 = f64x2.add(m5, high(x2));
    m6 = f64x2.add(m6, low(x3));
    m7 = f64x2.add(m7, high(x3));
  }
  m0 = f64x2.div(m0, count);
  m1 = f64x2.div(m1, count);
  m2 = f64x2.div(m2, count);
  m3 = f64x2.div(m3, count);
  m4 = f64x2.div(m4, count);
  m5 = f64x2.div(m5, count);
  m6 = f64x2.div(m6, count);
  m7 = f64x2.div(m7, count);
  let v0 = zero;
  let v1 = zero;
  let v2 = zero;
  let v3 = zero;
  let v4 = zero;
  let v5 = zero;
  let v6 = zero;
  let v7 = zero;
  x = r.x + at;
  for (let i = 0; i < rows; i++, x += stride) {
    const x0 = v128.load(x);
    const x1 = v128.load(x, 16);
    const x2 = v128.load(x, 32);
    const x3 = v128.load(x, 48);
    v0 = f64x2.add(v0, squared(f64x2.sub(low(x0), m0)));
    v1 = f64x2.add(v1, squared(f64x2.sub(high(x0), m1)));
    v2 = f64x2.add(v2, squared(f64x2.sub(low(x1), m2)));
    v3 = f64x2.add(v3, squared(f64x2.sub(high(x1), m3)));
    v4 = f64x2.add(v4, squared(f64x2.sub(low(x2), m4)));
    v5 = f64x2.add(v5, squared(f64x2.sub(high(x2), m5)));
    v6 = f64x2.add(v6, squared(f64x2.sub(low(x3), m6)));
    v7 = f64x2.add(v7, squared(f64x2.sub(high(x3), m7)));
  }
  v0 = f64x2.div(v0, count);
  v1 = f64x2.div(v1, count);
  v2 = f64x2.div(v2, count);
  v3 = f64x2.div(v3, count);
  v4 = f64x2.div(v4, count);
  v5 = f64x2.div(v5, count);
  v6 = f64x2.div(v6, count);
  v7 = f64x2.div(v7, count);
  v128.store(r.mean + at, join(m0, m1));
  v128.store(r.variance + at, join(v0, v1));
  v128.store(r.mean + at, join(m2, m3), 16);
  v128.store(r.variance + at, join(v2, v3), 16);
  v128.store(r.mean + at, join(m4, m5), 32);
  v128.store(r.variance + at, join(v4, v5), 32);
  v128.store(r.mean + at, join(m6, m7), 48);
  v128.store(r.variance + at, join(v6, v7), 48);
  const w0 = v128.load(r.weight + at);
  const b0 = v128.load(r.bias + at);
  const w1 = v128.load(r.weight + at, 16);
  const b1 = v128.load(r.bias + at, 16);
  const w2 = v128.load(r.weight + at, 32);
  const b2 = v128.load(r.bias + at, 32);
  const w3 = v128.load(r.weight + at, 48);
  const b3 = v128.load(r.bias + at, 48);
  v0 = f64x2.div(low(w0), f64x2.sqrt(f64x2.add(v0, eps)));
  v1 = f64x2.div(high(w0), f64x2.sqrt(f64x2.add(v1, eps)));
  v2 = f64x2.div(low(w1), f64x2.sqrt(f64x2.add(v2, eps)));
  v3 = f64x2.div(high(w1), f64x2.sqrt(f64x2.add(v3, eps)));
  v4 = f64x2.div(low(w2), f64x2.sqrt(f64x2.add(v4, eps)));
  v5 = f64x2.div(high(w2), f64x2.sqrt(f64x2.add(v5, eps)));
  v6 = f64x2.div(low(w3), f64x2.sqrt(f64x2.add(v6, eps)));
  v7 = f64x2.div(high(w3), f64x2.sqrt(f64x2.add(v7, eps)));
  x = r.x + at;
  let y = r.y + at;
  for (let i = 0; i < rows; i++, x += stride, y += stride) {
    v128.store(y, fourOf(v128.load(x), m0, m1, v0, v1, b0));
    v128.store(y, fourOf(v128.load(x, 16), m2, m3, v2, v3, b1), 16);
    v128.store(y, fourOf(v128.load(x, 32), m4, m5, v4, v5, b2), 32);
    v128.store(y, fourOf(v128.load(x, 48), m6, m7, v6, v7, b3), 48);
  }
}

/** weight s (dy - (b + z w) / count) of two channels. */
@inline
function gradientOf(d: v128, x: v128, m: v128, s: v128, weight: v128, b: v128, w: v128, count: v128): v128 {
  const z = f64x2.mul(f64x2.sub(x, m), s);
  return f64x2.mul(f64x2.mul(weight, s), f64x2.sub(d, f64x2.div(f64x2.add(b, f64x2.mul(z, w)), count)));
}

/** dx, dWeight and dBias of the sixteen channels from byte `at` of a row. */
export function sixteenGradients(r: BatchNormBackwardRecord, at: usize): void {
  const rows = r.rows;
  const stride = <usize>r.n << 2;
  const count = f64x2.splat(<f64>rows);
  const eps = f64x2.splat(<f64>r.eps);
  const zero = f64x2.splat(0);
  const one = f64x2.splat(1);
  const m0 = v128.load(r.mean + at);
  const v0 = v128.load(r.variance + at);
  const m1 = v128.load(r.mean + at, 16);
  const v1 = v128.load(r.variance + at, 16);
  const m2 = v128.load(r.mean + at, 32);
  const v2 = v128.load(r.variance + at, 32);
  const m3 = v128.load(r.mean + at, 48);
  const v3 = v128.load(r.variance + at, 48);
  const s0 = f64x2.div(one, f64x2.sqrt(f64x2.add(low(v0), eps)));
  const s1 = f64x2.div(one, f64x2.sqrt(f64x2.add(high(v0), eps)));
  const s2 = f64x2.div(one, f64x2.sqrt(f64x2.add(low(v1), eps)));
  const s3 = f64x2.div(one, f64x2.sqrt(f64x2.add(high(v1), eps)));
  const s4 = f64x2.div(one, f64x2.sqrt(f64x2.add(low(v2), eps)));
  const s5 = f64x2.div(one, f64x2.sqrt(f64x2.add(high(v2), eps)));
  const s6 = f64x2.div(one, f64x2.sqrt(f64x2.add(low(v3), eps)));
  const s7 = f64x2.div(one, f64x2.sqrt(f64x2.add(high(v3), eps)));
  let b0 = zero;
  let w0 = zero;
  let b1 = zero;
  let w1 = zero;
  let b2 = zero;
  let w2 = zero;
  let b3 = zero;
  let w3 = zero;
  let b4 = zero;
  let w4 = zero;
  let b5 = zero;
  let w5 = zero;
  let b6 = zero;
  let w6 = zero;
  let b7 = zero;
  let w7 = zero;
  let x = r.x + at;
  let dy = r.dy + at;
  for (let i = 0; i < rows; i++, x += stride, dy += stride) {
    const x0 = v128.load(x);
    const d0 = v128.load(dy);
    const x1 = v128.load(x, 16);
    const d1 = v128.load(dy, 16);
    const x2 = v128.load(x, 32);
    const d2 = v128.load(dy, 32);
    const x3 = v128.load(x, 48);
    const d3 = v128.load(dy, 48);
    b0 = f64x2.add(b0, low(d0));
    w0 = f64x2.add(w0, f64x2.mul(low(d0), f64x2.mul(f64x2.sub(low(x0), low(m0)), s0)));
    b1 = f64x2.add(b1, high(d0));
    w1 = f64x2.add(w1, f64x2.mul(high(d0), f64x2.mul(f64x2.sub(high(x0), high(m0)), s1)));
    b2 = f64x2.add(b2, low(d1));
    w2 = f64x2.add(w2, f64x2.mul(low(d1), f64x2.mul(f64x2.sub(low(x1), low(m1)), s2)));
    b3 = f64x2.add(b3, high(d1));
    w3 = f64x2.add(w3, f64x2.mul(high(d1), f64x2.mul(f64x2.sub(high(x1), high(m1)), s3)));
    b4 = f64x2.add(b4, low(d2));
    w4 = f64x2.add(w4, f64x2.mul(low(d2), f64x2.mul(f64x2.sub(low(x2), low(m2)), s4)));
    b5 = f64x2.add(b5, high(d2));
    w5 = f64x2.add(w5, f64x2.mul(high(d2), f64x2.mul(f64x2.sub(high(x2), high(m2)), s5)));
    b6 = f64x2.add(b6, low(d3));
    w6 = f64x2.add(w6, f64x2.mul(low(d3), f64x2.mul(f64x2.sub(low(x3), low(m3)), s6)));
    b7 = f64x2.add(b7, high(d3));
    w7 = f64x2.add(w7, f64x2.mul(high(d3), f64x2.mul(f64x2.sub(high(x3), high(m3)), s7)));
  }
  v128.store(r.dWeight + at, join(w0, w1));
  v128.store(r.dBias + at, join(b0, b1));
  v128.store(r.dWeight + at, join(w2, w3), 16);
  v128.store(r.dBias + at, join(b2, b3), 16);
  v128.store(r.dWeight + at, join(w4, w5), 32);
  v128.store(r.dBias + at, join(b4, b5), 32);
  v128.store(r.dWeight + at, join(w6, w7), 48);
  v128.store(r.dBias + at, join(b6, b7), 48);
  const g0 = v128.load(r.weight + at);
  const g1 = v128.load(r.weight + at, 16);
  const g2 = v128.load(r.weight + at, 32);
  const g3 = v128.load(r.weight + at, 48);
  x = r.x + at;
  dy = r.dy + at;
  let dx = r.dx + at;
  for (let i = 0; i < rows; i++, x += stride, dy += stride, dx += stride) {
    const x0 = v128.load(x);
    const d0 = v128.load(dy);
    const y0 = gradientOf(low(d0), low(x0), low(m0), s0, low(g0), b0, w0, count);
    const y1 = gradientOf(high(d0), high(x0), high(m0), s1, high(g0), b1, w1, count);
    v128.store(dx, join(y0, y1));
    const x1 = v128.load(x, 16);
    const d1 = v128.load(dy, 16);
    const y2 = gradientOf(low(d1), low(x1), low(m1), s2, low(g1), b2, w2, count);
    const y3 = gradientOf(high(d1), high(x1), high(m1), s3, high(g1), b3, w3, count);
    v128.store(dx, join(y2, y3), 16);
    const x2 = v128.load(x, 32);
    const d2 = v128.load(dy, 32);
    const y4 = gradientOf(low(d2), low(x2), low(m2), s4, low(g2), b4, w4, count);
    const y5 = gradientOf(high(d2), high(x2), high(m2), s5, high(g2), b5, w5, count);
    v128.store(dx, join(y4, y5), 32);
    const x3 = v128.load(x, 48);
    const d3 = v128.load(dy, 48);
    const y6 = gradientOf(low(d3), low(x3), low(m3), s6, low(g3), b6, w6, count);
    const y7 = gradientOf(high(d3), high(x3), high(m3), s7, high(g3), b7, w7, count);
    v128.store(dx, join(y6, y7), 48);
  }
}
