import {
  CrossEntropyBackwardRecord, CrossEntropyRecord, MeanOverBackwardRecord, MeanOverRecord, TargetWeightsRecord,
} from './generated/records';
import { exp, log } from './math';
import { rowMax, sumExp } from './softmax';
import { sumAlong } from './sums';
import { shareEnd, shareStart } from './threads';
import { loadPart, storePart, sumLanes, zeroFloats } from './vector';

@inline
function isIgnored(ignores: i32, ignored: i32, target: i32): bool {
  return ignores != 0 && target == ignored;
}

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

/**
 * log(sum exp(x - m)) + (1 - s)(m - x[t]) + s(m - mean), with m the row's largest, s the smoothing: nothing large cancels. Of
 * logarithms of chances -x[t]. 0 for the ignored target.
 */
export function crossEntropy(r: CrossEntropyRecord, thread: i32, threads: i32): void {
  const n = r.n;
  const s = r.smoothing;
  const end = shareEnd(r.rows, 16, thread, threads);
  for (let i = shareStart(r.rows, 16, thread, threads); i < end; i++) {
    const x = r.x + ((<usize>i * <usize>n) << 2);
    const t = load<i32>(r.targets + (<usize>i << 2));
    let y: f32 = NaN;
    if (isIgnored(r.ignores, r.ignored, t)) {
      y = 0;
    } else if (t < 0 || t >= n) {
      // No class.
    } else if (r.logChances) {
      y = -load<f32>(x + (<usize>t << 2));
    } else {
      const most = rowMax(x, n);
      y = <f32>log(sumExp(x, n, most));
      y += (1 - s) * (most - load<f32>(x + (<usize>t << 2)));
      if (s > 0) y += s * meanBelow(x, n, most);
    }
    store<f32>(r.y + (<usize>i << 2), y);
  }
}

/** dy (softmax(x) - target), smoothed; of logarithms of chances -dy at the target. 0 for the ignored one. */
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
    if (isIgnored(r.ignores, r.ignored, t)) {
      zeroFloats(dx, n);
      continue;
    }
    if (known && r.logChances) {
      zeroFloats(dx, n);
      store<f32>(dx + (<usize>t << 2), -dy);
      continue;
    }
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

/** How much each target counts: 0 for the ignored one, else the weight of its class, or 1. */
export function targetWeights(r: TargetWeightsRecord, thread: i32, threads: i32): void {
  const end = shareEnd(r.count, 16, thread, threads);
  for (let i = shareStart(r.count, 16, thread, threads); i < end; i++) {
    const t = load<i32>(r.targets + (<usize>i << 2));
    let weight: f32 = 1;
    if (r.weights) weight = t >= 0 && t < r.classes ? load<f32>(r.weights + (<usize>t << 2)) : NaN;
    store<f32>(r.y + (<usize>i << 2), isIgnored(r.ignores, r.ignored, t) ? 0 : weight);
  }
}

/** The sum of x divided by that of w, and that of w: where all weights are 1 the same bits as a mean. */
export function meanOver(r: MeanOverRecord, thread: i32, threads: i32): void {
  if (thread != 0) return;
  const total = sumAlong(r.w, r.weights);
  store<f32>(r.total, <f32>total);
  store<f32>(r.y, <f32>(sumAlong(r.x, r.count) / total));
}

/** dy / total everywhere; 0 where that is 0. */
export function meanOverBackward(r: MeanOverBackwardRecord, thread: i32, threads: i32): void {
  const total = load<f32>(r.total);
  const share = f32x4.splat(total == 0 ? 0 : load<f32>(r.dy) / total);
  const end = shareEnd(r.count, 16, thread, threads);
  for (let i = shareStart(r.count, 16, thread, threads); i < end; i += 4) storePart(r.dx + (<usize>i << 2), end - i, share);
}
