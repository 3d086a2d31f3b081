/** Losses of one element at a time, and their derivatives. */
import { constant, ONE } from './constants';
import { Loss, LossBackwardRecord, LossRecord } from './generated/records';
import { exp, log1p, logWide, sigmoid } from './math';
import { shareEnd, shareStart } from './threads';
import { loadPart, storePart } from './vector';

/** (1 - t) max(x, 0) + t max(-x, 0) + log(1 + e^-|x|): nothing cancels, and a share of 0 makes no NaN of an infinity. */
@inline
function logistic(x: v128, t: v128): v128 {
  const zero = f32x4.splat(0);
  const wrong = v128.bitselect(f32x4.sub(constant(ONE), t), t, f32x4.gt(x, zero));
  const size = f32x4.abs(x);
  const linear = v128.andnot(f32x4.mul(wrong, size), f32x4.eq(wrong, zero));
  return f32x4.add(linear, log1p(exp(f32x4.neg(size))));
}

/** log x, also of 0 and infinity; NaN below 0. */
function logOf(x: f64): f32 {
  if (x <= 0) return x == 0 ? -Infinity : NaN;
  return x == Infinity ? Infinity : <f32>logWide(x);
}

/** log(start + sign x) of each: the sum in f64, so that 1 - x keeps a small x. */
function logs(x: v128, start: f64, sign: f64): v128 {
  let y = f32x4.splat(logOf(start + sign * <f64>f32x4.extract_lane(x, 0)));
  y = f32x4.replace_lane(y, 1, logOf(start + sign * <f64>f32x4.extract_lane(x, 1)));
  y = f32x4.replace_lane(y, 2, logOf(start + sign * <f64>f32x4.extract_lane(x, 2)));
  return f32x4.replace_lane(y, 3, logOf(start + sign * <f64>f32x4.extract_lane(x, 3)));
}

/** A share of something; none of it is 0, of an infinity too. */
@inline
function share(part: v128, whole: v128): v128 {
  const none = v128.and(f32x4.eq(part, f32x4.splat(0)), f32x4.eq(whole, whole));
  return v128.andnot(f32x4.mul(part, whole), none);
}

/** The chance that sigmoid(x) gives to what the target is not. */
@inline
function wrongOf(x: v128, t: v128): v128 {
  const not = f32x4.sub(constant(ONE), t);
  return f32x4.add(f32x4.mul(not, sigmoid(x)), f32x4.mul(t, sigmoid(f32x4.neg(x))));
}

/** x to the power of gamma, for x from 0 to 1. */
@inline
function power(x: v128, gamma: v128): v128 {
  return exp(f32x4.mul(gamma, logs(x, 0, 1)));
}

/** The other losses share one function, and are as quick as its calls. */
function otherLoss(kind: i32, x: v128, t: v128, delta: v128): v128 {
  const zero = f32x4.splat(0);
  switch (kind) {
    case Loss.L1: return f32x4.abs(f32x4.sub(x, t));
    case Loss.BCE: {
      const least = f32x4.splat(-100);
      const yes = f32x4.mul(t, f32x4.max(logs(x, 0, 1), least));
      const no = f32x4.mul(f32x4.sub(constant(ONE), t), f32x4.max(logs(x, 1, -1), least));
      return f32x4.neg(f32x4.add(yes, no));
    }
    case Loss.KL_DIV: return share(t, f32x4.sub(logs(t, 0, 1), x));
    case Loss.KL_DIV_LOG: return share(exp(t), f32x4.sub(t, x));
    case Loss.POISSON_NLL: return f32x4.sub(exp(x), f32x4.mul(t, x));
    case Loss.POISSON_NLL_RATE: {
      const eps = <f64>f32x4.extract_lane(delta, 0);
      return f32x4.sub(x, f32x4.mul(t, logs(x, eps, 1)));
    }
    case Loss.HINGE_EMBEDDING: {
      const near = v128.andnot(x, f32x4.eq(t, f32x4.splat(-1)));
      const far = f32x4.max(f32x4.sub(delta, x), zero);
      return f32x4.add(near, v128.andnot(far, f32x4.eq(t, constant(ONE))));
    }
    case Loss.SOFT_MARGIN: {
      const z = f32x4.neg(f32x4.mul(t, x));
      return f32x4.add(f32x4.max(z, zero), log1p(exp(f32x4.neg(f32x4.abs(z)))));
    }
    default: return f32x4.mul(power(wrongOf(x, t), delta), logistic(x, t));
  }
}

function otherSlope(kind: i32, x: v128, t: v128, delta: v128): v128 {
  const zero = f32x4.splat(0);
  const one = constant(ONE);
  switch (kind) {
    case Loss.L1: {
      const d = f32x4.sub(x, t);
      const sign = v128.or(v128.and(f32x4.gt(d, zero), one), v128.and(f32x4.lt(d, zero), f32x4.neg(one)));
      return v128.bitselect(sign, d, f32x4.eq(d, d));
    }
    case Loss.BCE:
      return f32x4.div(f32x4.sub(x, t), f32x4.max(f32x4.mul(x, f32x4.sub(one, x)), f32x4.splat(1e-12)));
    case Loss.KL_DIV: return f32x4.neg(t);
    case Loss.KL_DIV_LOG: return f32x4.neg(exp(t));
    case Loss.POISSON_NLL: return f32x4.sub(exp(x), t);
    case Loss.POISSON_NLL_RATE: return f32x4.sub(one, f32x4.div(t, f32x4.add(x, delta)));
    case Loss.HINGE_EMBEDDING: {
      const near = v128.andnot(one, f32x4.eq(t, f32x4.splat(-1)));
      const far = v128.andnot(v128.and(f32x4.le(x, delta), one), f32x4.eq(t, one));
      return f32x4.sub(near, far);
    }
    case Loss.SOFT_MARGIN: {
      const z = f32x4.neg(t);
      return f32x4.mul(z, sigmoid(f32x4.mul(z, x)));
    }
    default: {
      const q = wrongOf(x, t);
      const p = sigmoid(x);
      const both = f32x4.mul(p, sigmoid(f32x4.neg(x)));
      const away = f32x4.sub(one, f32x4.add(t, t));
      const steep = f32x4.mul(f32x4.mul(delta, logistic(x, t)), f32x4.mul(both, away));
      const steeper = v128.andnot(f32x4.div(steep, q), f32x4.eq(q, zero));
      return f32x4.mul(power(q, delta), f32x4.add(f32x4.sub(p, t), steeper));
    }
  }
}

/** The losses that most trainings have: each gets loops of its own. */
@inline
function lossOf(kind: i32, x: v128, t: v128, delta: v128): v128 {
  const d = f32x4.sub(x, t);
  if (kind == Loss.MSE) return f32x4.mul(d, d);
  if (kind == Loss.BCE_WITH_LOGITS) return logistic(x, t);
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

function otherLoop(r: LossRecord, thread: i32, threads: i32): void {
  const kind = r.kind;
  const delta = f32x4.splat(r.delta);
  const end = shareEnd(r.count, 16, thread, threads);
  for (let i = shareStart(r.count, 16, thread, threads); i < end; i += 4) {
    const e = <usize>i << 2;
    storePart(r.y + e, end - i, otherLoss(kind, loadPart(r.x + e, end - i, 0), loadPart(r.t + e, end - i, 0), delta));
  }
}

function otherSlopes(r: LossBackwardRecord, thread: i32, threads: i32): void {
  const kind = r.kind;
  const delta = f32x4.splat(r.delta);
  const end = shareEnd(r.count, 16, thread, threads);
  for (let i = shareStart(r.count, 16, thread, threads); i < end; i += 4) {
    const e = <usize>i << 2;
    const s = otherSlope(kind, loadPart(r.x + e, end - i, 0), loadPart(r.t + e, end - i, 0), delta);
    storePart(r.dx + e, end - i, f32x4.mul(loadPart(r.dy + e, end - i, 0), s));
  }
}

/** A loss of each element. */
export function loss(r: LossRecord, thread: i32, threads: i32): void {
  switch (r.kind) {
    case Loss.MSE: lossLoop(Loss.MSE, r, thread, threads); break;
    case Loss.BCE_WITH_LOGITS: lossLoop(Loss.BCE_WITH_LOGITS, r, thread, threads); break;
    case Loss.HUBER: lossLoop(Loss.HUBER, r, thread, threads); break;
    default: otherLoop(r, thread, threads);
  }
}

/** dy times the loss's derivative by x. */
export function lossBackward(r: LossBackwardRecord, thread: i32, threads: i32): void {
  switch (r.kind) {
    case Loss.MSE: slopeLoop(Loss.MSE, r, thread, threads); break;
    case Loss.BCE_WITH_LOGITS: slopeLoop(Loss.BCE_WITH_LOGITS, r, thread, threads); break;
    case Loss.HUBER: slopeLoop(Loss.HUBER, r, thread, threads); break;
    default: otherSlopes(r, thread, threads);
  }
}
