import { shareEnd, shareStart } from './threads';
import { loadPart, storePart } from './vector';

/** min(1, maxNorm / (norm + 1e-6)), NaN if the norm is; 1 where gradients are not clipped (norm is 0). */
function clipFactor(norm: usize, maxNorm: f32): f32 {
  if (!norm) return 1;
  const factor = maxNorm / (load<f32>(norm) + 1e-6);
  return factor >= 1 ? 1 : factor;
}

/** All bits where there is weight decay: 0 times an infinite parameter is NaN, and has to be left out. */
function decayMask(decay: f32): v128 {
  return i32x4.splat(decay == 0 ? 0 : -1);
}

/**
 * One pass over parameters, gradients and momentum. Record: p, g, buffer (0: none), hyper, norm (0: none), count,
 * maxNorm f32, momentum f32, weight decay f32, nesterov
 */
export function sgd(a: usize, thread: i32, threads: i32): void {
  const p = <usize>load<u32>(a);
  const g = <usize>load<u32>(a, 4);
  const buffer = <usize>load<u32>(a, 8);
  const rate = f32x4.splat(load<f32>(<usize>load<u32>(a, 12), 4));
  const n = load<i32>(a, 20);
  const clip = f32x4.splat(clipFactor(load<u32>(a, 16), load<f32>(a, 24)));
  const momentum = f32x4.splat(load<f32>(a, 28));
  const decay = load<f32>(a, 32);
  const added = f32x4.splat(decay);
  const decays = decayMask(decay);
  const nesterov = load<i32>(a, 36);
  const from = shareStart(n, 16, thread, threads);
  const to = shareEnd(n, 16, thread, threads);
  if (!buffer) sgdOver(PLAIN, p, g, 0, from, to, clip, added, decays, rate, momentum);
  else if (nesterov) sgdOver(NESTEROV, p, g, buffer, from, to, clip, added, decays, rate, momentum);
  else sgdOver(MOMENTUM, p, g, buffer, from, to, clip, added, decays, rate, momentum);
}

const PLAIN = 0;
const MOMENTUM = 1;
const NESTEROV = 2;

@inline
function sgdOver(
  kind: i32, p: usize, g: usize, buffer: usize, from: i32, to: i32, clip: v128, added: v128, decays: v128, rate: v128,
  momentum: v128,
): void {
  let at = <usize>from << 2;
  const end = <usize>to << 2;
  for (; at + 16 <= end; at += 16) sgdStep(kind, p + at, g + at, buffer + at, 4, clip, added, decays, rate, momentum);
  if (at < end) sgdStep(kind, p + at, g + at, buffer + at, <i32>(end - at) >> 2, clip, added, decays, rate, momentum);
}

/** Up to four parameters. */
@inline
function sgdStep(
  kind: i32, p: usize, g: usize, buffer: usize, count: i32, clip: v128, added: v128, decays: v128, rate: v128,
  momentum: v128,
): void {
  const w = loadPart(p, count, 0);
  let step = f32x4.add(f32x4.mul(loadPart(g, count, 0), clip), v128.and(f32x4.mul(added, w), decays));
  if (kind != PLAIN) {
    const m = f32x4.add(f32x4.mul(momentum, loadPart(buffer, count, 0)), step);
    storePart(buffer, count, m);
    step = kind == NESTEROV ? f32x4.add(step, f32x4.mul(momentum, m)) : m;
  }
  storePart(p, count, f32x4.sub(w, f32x4.mul(rate, step)));
}

/**
 * Adam and AdamW in one pass. Record: p, g, m, v, hyper, norm (0: none), count, maxNorm f32, beta1 f32,
 * 1 - beta1 f32, beta2 f32, 1 - beta2 f32, eps f32, weight decay f32, decoupled
 */
export function adam(a: usize, thread: i32, threads: i32): void {
  const p = <usize>load<u32>(a);
  const g = <usize>load<u32>(a, 4);
  const m = <usize>load<u32>(a, 8);
  const v = <usize>load<u32>(a, 12);
  const hyper = <usize>load<u32>(a, 16);
  const n = load<i32>(a, 24);
  const clip = f32x4.splat(clipFactor(load<u32>(a, 20), load<f32>(a, 28)));
  const beta1 = f32x4.splat(load<f32>(a, 32));
  const rest1 = f32x4.splat(load<f32>(a, 36));
  const beta2 = f32x4.splat(load<f32>(a, 40));
  const rest2 = f32x4.splat(load<f32>(a, 44));
  const eps = f32x4.splat(load<f32>(a, 48));
  const weightDecay = load<f32>(a, 52);
  const decoupled = load<i32>(a, 56);
  const stepSize = f32x4.splat(load<f32>(hyper, 4));
  const correction = f32x4.splat(load<f32>(hyper, 8));
  const added = f32x4.splat(decoupled ? 0 : weightDecay);
  const decays = decayMask(decoupled ? 0 : weightDecay);
  const kept = f32x4.splat(decoupled ? 1 - load<f32>(hyper) * weightDecay : 1);
  const end = <usize>shareEnd(n, 16, thread, threads) << 2;
  let at = <usize>shareStart(n, 16, thread, threads) << 2;
  for (; at + 16 <= end; at += 16)
    adamStep(p + at, g + at, m + at, v + at, 4, clip, added, decays, beta1, rest1, beta2, rest2, correction, eps, kept, stepSize);
  const left = <i32>(end - at) >> 2;
  if (left > 0)
    adamStep(p + at, g + at, m + at, v + at, left, clip, added, decays, beta1, rest1, beta2, rest2, correction, eps, kept, stepSize);
}

/** Up to four parameters. */
@inline
function adamStep(
  p: usize, g: usize, m: usize, v: usize, count: i32, clip: v128, added: v128, decays: v128, beta1: v128,
  rest1: v128, beta2: v128, rest2: v128, correction: v128, eps: v128, kept: v128, stepSize: v128,
): void {
  const w = loadPart(p, count, 0);
  const gradient = f32x4.add(f32x4.mul(loadPart(g, count, 0), clip), v128.and(f32x4.mul(added, w), decays));
  const m1 = f32x4.add(f32x4.mul(beta1, loadPart(m, count, 0)), f32x4.mul(rest1, gradient));
  const v1 = f32x4.add(f32x4.mul(beta2, loadPart(v, count, 0)), f32x4.mul(f32x4.mul(rest2, gradient), gradient));
  storePart(m, count, m1);
  storePart(v, count, v1);
  const scaled = f32x4.add(f32x4.mul(f32x4.sqrt(v1), correction), eps);
  storePart(p, count, f32x4.sub(f32x4.mul(w, kept), f32x4.div(f32x4.mul(stepSize, m1), scaled)));
}
