import { constant, ONE } from './constants';
import { CrossEntropyBackwardRecord, CrossEntropyRecord, Loss, LossBackwardRecord, LossRecord } from './generated/records';
import { exp, log, log1p, sigmoid } from './math';
import { rowMax, sumExp } from './softmax';
import { shareEnd, shareStart } from './threads';
import { loadPart, storePart, sumLanes } from './vector';

/** Mean of how far n floats are below `shift`: blocks of 256 in f32, these in f64, as long sums are (sums.ts). */
function meanBelow(x: usize, n: i32, shift: f32): f32 {
  const s = f32x4.splat(shift);
  let all: f64 = 0;
  for (let i = 0; i < n; ) {
    let sum = f32x4.splat(0);
    for (const end = min(n, i + 256); i < end; i += 4)
      sum = f32x4.add(sum, f32x4.sub(s, loadPart(x + (<usize>i << 2), n - i, shift)));
    all += <f64>sumLanes(sum);
  }
  return <f32>(all / <f64>n);
}

/** log(sum exp(x - m)) + (1 - s)(m - x[t]) + s(m - mean), with m the row's largest, s the smoothing: nothing large cancels. */
export function crossEntropy(r: CrossEntropyRecord, thread: i32, threads: i32): void {
  const n = r.n;
  const s = r.smoothing;
  const end = shareEnd(r.rows, 16, thread, threads);
  for (let i = shareStart(r.rows, 16, thread, threads); i < end; i++) {
    const x = r.x + ((<usize>i * <usize>n) << 2);
    const t = load<i32>(r.targets + (<usize>i << 2));
    let y: f32 = NaN;
    if (t >= 0 && t < n) {
      const most = rowMax(x, n);
      y = <f32>log(sumExp(x, n, most));
      y += (1 - s) * (most - load<f32>(x + (<usize>t << 2)));
      if (s > 0) y += s * meanBelow(x, n, most);
    }
    store<f32>(r.y + (<usize>i << 2), y);
  }
}

/** dy (softmax(x) - target), smoothed. */
export function crossEntropyBackward(r: CrossEntropyBackwardRecord, thread: i32, threads: i32): void {
  const n = r.n;
  const s = r.smoothing;
  const spread = f32x4.splat(s / <f32>n);
  const end = shareEnd(r.rows, 1, thread, threads);
  for (let row = shareStart(r.rows, 1, thread, threads); row < end; row++) {
    const at = (<usize>row * <usize>n) << 2;
    const dy = load<f32>(r.dy + (<usize>row << 2));
    const x = r.x + at;
    const t = load<i32>(r.targets + (<usize>row << 2));
    const dx = r.dx + at;
    const known = t >= 0 && t < n;
    const most: f32 = known ? rowMax(x, n) : NaN;
    const total = f32x4.splat(known ? sumExp(x, n, most) : NaN);
    const shift = f32x4.splat(most);
    const scale = f32x4.splat(dy);
    let i: i32 = 0;
    for (; i + 8 <= n; i += 8) {
      const e = <usize>i << 2;
      const p0 = f32x4.div(exp(f32x4.sub(v128.load(x + e), shift)), total);
      const p1 = f32x4.div(exp(f32x4.sub(v128.load(x + e, 16), shift)), total);
      v128.store(dx + e, f32x4.mul(scale, f32x4.sub(p0, spread)));
      v128.store(dx + e, f32x4.mul(scale, f32x4.sub(p1, spread)), 16);
    }
    for (; i < n; i += 4) {
      const e = <usize>i << 2;
      const p = f32x4.div(exp(f32x4.sub(loadPart(x + e, n - i, 0), shift)), total);
      storePart(dx + e, n - i, f32x4.mul(scale, f32x4.sub(p, spread)));
    }
    if (!known) continue;
    const hit = dx + (<usize>t << 2);
    const p = f32x4.extract_lane(exp(f32x4.splat(load<f32>(x + (<usize>t << 2)) - most)), 0) / f32x4.extract_lane(total, 0);
    store<f32>(hit, dy * (p - (1 - s + s / <f32>n)));
  }
}

@inline
function lossOf(kind: i32, x: v128, t: v128, delta: v128): v128 {
  const d = f32x4.sub(x, t);
  if (kind == Loss.MSE) return f32x4.mul(d, d);
  if (kind == Loss.BCE_WITH_LOGITS) {
    // (1 - t) max(x, 0) + t max(-x, 0): nothing cancels, and a share of 0 makes no NaN of an infinity.
    const zero = f32x4.splat(0);
    const wrong = v128.bitselect(f32x4.sub(constant(ONE), t), t, f32x4.gt(x, zero));
    const size = f32x4.abs(x);
    const linear = v128.andnot(f32x4.mul(wrong, size), f32x4.eq(wrong, zero));
    return f32x4.add(linear, log1p(exp(f32x4.neg(size))));
  }
  const size = f32x4.abs(d);
  const square = f32x4.mul(f32x4.mul(size, size), f32x4.splat(0.5));
  const straight = f32x4.mul(delta, f32x4.sub(size, f32x4.mul(delta, f32x4.splat(0.5))));
  return v128.bitselect(square, straight, f32x4.le(size, delta));
}

@inline
function slopeOf(kind: i32, x: v128, t: v128, delta: v128): v128 {
  const d = f32x4.sub(x, t);
  if (kind == Loss.MSE) return f32x4.add(d, d);
  if (kind == Loss.BCE_WITH_LOGITS) return f32x4.sub(sigmoid(x), t);
  return f32x4.max(f32x4.min(d, delta), f32x4.neg(delta));
}

/** Two adjacent vectors a turn, here and below: V8 makes wide ones of them. */
@inline
function lossLoop(kind: i32, r: LossRecord, thread: i32, threads: i32): void {
  const x = r.x;
  const t = r.t;
  const y = r.y;
  const n = r.count;
  const delta = f32x4.splat(r.delta);
  const end = shareEnd(n, 16, thread, threads);
  let i = shareStart(n, 16, thread, threads);
  for (; i + 8 <= end; i += 8) {
    const e = <usize>i << 2;
    const y0 = lossOf(kind, v128.load(x + e), v128.load(t + e), delta);
    const y1 = lossOf(kind, v128.load(x + e, 16), v128.load(t + e, 16), delta);
    v128.store(y + e, y0);
    v128.store(y + e, y1, 16);
  }
  for (; i < end; i += 4) {
    const e = <usize>i << 2;
    storePart(y + e, end - i, lossOf(kind, loadPart(x + e, end - i, 0), loadPart(t + e, end - i, 0), delta));
  }
}

@inline
function slopeLoop(kind: i32, r: LossBackwardRecord, thread: i32, threads: i32): void {
  const dy = r.dy;
  const x = r.x;
  const t = r.t;
  const dx = r.dx;
  const n = r.count;
  const delta = f32x4.splat(r.delta);
  const end = shareEnd(n, 16, thread, threads);
  let i = shareStart(n, 16, thread, threads);
  for (; i + 8 <= end; i += 8) {
    const e = <usize>i << 2;
    const s0 = slopeOf(kind, v128.load(x + e), v128.load(t + e), delta);
    const s1 = slopeOf(kind, v128.load(x + e, 16), v128.load(t + e, 16), delta);
    v128.store(dx + e, f32x4.mul(v128.load(dy + e), s0));
    v128.store(dx + e, f32x4.mul(v128.load(dy + e, 16), s1), 16);
  }
  for (; i < end; i += 4) {
    const e = <usize>i << 2;
    const s = slopeOf(kind, loadPart(x + e, end - i, 0), loadPart(t + e, end - i, 0), delta);
    storePart(dx + e, end - i, f32x4.mul(loadPart(dy + e, end - i, 0), s));
  }
}

/** A loss of each element. */
export function loss(r: LossRecord, thread: i32, threads: i32): void {
  switch (r.kind) {
    case Loss.MSE: lossLoop(Loss.MSE, r, thread, threads); break;
    case Loss.BCE_WITH_LOGITS: lossLoop(Loss.BCE_WITH_LOGITS, r, thread, threads); break;
    case Loss.HUBER: lossLoop(Loss.HUBER, r, thread, threads); break;
  }
}

/** dy times the loss's derivative by x. */
export function lossBackward(r: LossBackwardRecord, thread: i32, threads: i32): void {
  switch (r.kind) {
    case Loss.MSE: slopeLoop(Loss.MSE, r, thread, threads); break;
    case Loss.BCE_WITH_LOGITS: slopeLoop(Loss.BCE_WITH_LOGITS, r, thread, threads); break;
    case Loss.HUBER: slopeLoop(Loss.HUBER, r, thread, threads); break;
  }
}
