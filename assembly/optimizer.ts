import { AdamRecord, SgdRecord } from './generated/records';
import { spare, TURN, toSpare } from './spare';
import { shareEnd, shareStart } from './threads';
import { copyFloats } from './vector';

/** min(1, maxNorm / (norm + 1e-6)), NaN if the norm is; 1 where gradients are not clipped (norm is 0). */
export function clipFactor(norm: usize, maxNorm: f32): f32 {
  if (!norm) return 1;
  const factor = maxNorm / (load<f32>(norm) + 1e-6);
  return factor >= 1 ? 1 : factor;
}

/** All bits where there is weight decay: 0 times an infinite parameter is NaN, and has to be left out. */
export function decayMask(decay: f32): v128 {
  return i32x4.splat(decay == 0 ? 0 : -1);
}

/** The gradient, clipped, and with it what weight decay adds. */
@inline
export function gradient(g: v128, w: v128, clip: v128, added: v128, decays: v128): v128 {
  return f32x4.add(f32x4.mul(g, clip), v128.and(f32x4.mul(added, w), decays));
}

/** One pass over parameters, gradients and momentum. */
export function sgd(r: SgdRecord, thread: i32, threads: i32): void {
  const from = shareStart(r.count, 16, thread, threads);
  const count = shareEnd(r.count, 16, thread, threads) - from;
  const first = <usize>from << 2;
  const p = r.p + first;
  const g = r.g + first;
  const buffer = r.buffer ? r.buffer + first : 0;
  const left = count & (TURN - 1);
  sgdTurns(r, p, g, buffer, count - left);
  if (left == 0) return;
  const at = <usize>(count - left) << 2;
  sgdTurns(r, toSpare(0, p + at, left), toSpare(1, g + at, left), buffer ? toSpare(2, buffer + at, left) : 0, TURN);
  copyFloats(p + at, spare(0), left);
  if (buffer) copyFloats(buffer + at, spare(2), left);
}

const PLAIN = 0;
const MOMENTUM = 1;
const NESTEROV = 2;

/** `n` parameters, a multiple of TURN. */
function sgdTurns(r: SgdRecord, p: usize, g: usize, buffer: usize, n: i32): void {
  if (!buffer) sgdLoop(PLAIN, r, p, g, 0, n);
  else if (r.nesterov) sgdLoop(NESTEROV, r, p, g, buffer, n);
  else sgdLoop(MOMENTUM, r, p, g, buffer, n);
}

@inline
function sgdLoop(kind: i32, r: SgdRecord, p: usize, g: usize, buffer: usize, n: i32): void {
  const rate = f32x4.splat(load<f32>(r.hyper, 4));
  const clip = f32x4.splat(clipFactor(r.norm, r.maxNorm));
  const momentum = f32x4.splat(r.momentum);
  const share = f32x4.splat(1 - load<f32>(r.hyper, 8));
  const decay = r.weightDecay;
  const added = f32x4.splat(decay);
  const decays = decayMask(decay);
  for (const end = p + (<usize>n << 2); p < end; p += TURN * 4, g += TURN * 4, buffer += TURN * 4) {
    const w0 = v128.load(p);
    const w1 = v128.load(p, 16);
    let step0 = gradient(v128.load(g), w0, clip, added, decays);
    let step1 = gradient(v128.load(g, 16), w1, clip, added, decays);
    if (kind != PLAIN) {
      const m0 = f32x4.add(f32x4.mul(momentum, v128.load(buffer)), f32x4.mul(share, step0));
      const m1 = f32x4.add(f32x4.mul(momentum, v128.load(buffer, 16)), f32x4.mul(share, step1));
      v128.store(buffer, m0);
      v128.store(buffer, m1, 16);
      step0 = kind == NESTEROV ? f32x4.add(step0, f32x4.mul(momentum, m0)) : m0;
      step1 = kind == NESTEROV ? f32x4.add(step1, f32x4.mul(momentum, m1)) : m1;
    }
    v128.store(p, f32x4.sub(w0, f32x4.mul(rate, step0)));
    v128.store(p, f32x4.sub(w1, f32x4.mul(rate, step1)), 16);
  }
}

/** Adam and AdamW in one pass. */
export function adam(r: AdamRecord, thread: i32, threads: i32): void {
  const from = shareStart(r.count, 16, thread, threads);
  const count = shareEnd(r.count, 16, thread, threads) - from;
  const first = <usize>from << 2;
  const p = r.p + first;
  const g = r.g + first;
  const m = r.m + first;
  const v = r.v + first;
  const left = count & (TURN - 1);
  adamTurns(r, p, g, m, v, count - left);
  if (left == 0) return;
  const at = <usize>(count - left) << 2;
  adamTurns(r, toSpare(0, p + at, left), toSpare(1, g + at, left), toSpare(2, m + at, left), toSpare(3, v + at, left), TURN);
  copyFloats(p + at, spare(0), left);
  copyFloats(m + at, spare(2), left);
  copyFloats(v + at, spare(3), left);
}

/** `n` parameters, a multiple of TURN. */
function adamTurns(r: AdamRecord, p: usize, g: usize, m: usize, v: usize, n: i32): void {
  const hyper = r.hyper;
  const clip = f32x4.splat(clipFactor(r.norm, r.maxNorm));
  const beta1 = f32x4.splat(r.beta1);
  const rest1 = f32x4.splat(r.rest1);
  const beta2 = f32x4.splat(r.beta2);
  const rest2 = f32x4.splat(r.rest2);
  const eps = f32x4.splat(r.eps);
  const weightDecay = r.weightDecay;
  const decoupled = r.decoupled;
  const stepSize = f32x4.splat(load<f32>(hyper, 4));
  const correction = f32x4.splat(load<f32>(hyper, 8));
  const added = f32x4.splat(decoupled ? 0 : weightDecay);
  const decays = decayMask(decoupled ? 0 : weightDecay);
  const kept = f32x4.splat(decoupled ? 1 - load<f32>(hyper) * weightDecay : 1);
  const end = p + (<usize>n << 2);
  for (; p < end; p += TURN * 4, g += TURN * 4, m += TURN * 4, v += TURN * 4) {
    const w0 = v128.load(p);
    const w1 = v128.load(p, 16);
    const g0 = gradient(v128.load(g), w0, clip, added, decays);
    const g1 = gradient(v128.load(g, 16), w1, clip, added, decays);
    const first0 = f32x4.add(f32x4.mul(beta1, v128.load(m)), f32x4.mul(rest1, g0));
    const first1 = f32x4.add(f32x4.mul(beta1, v128.load(m, 16)), f32x4.mul(rest1, g1));
    const second0 = f32x4.add(f32x4.mul(beta2, v128.load(v)), f32x4.mul(f32x4.mul(rest2, g0), g0));
    const second1 = f32x4.add(f32x4.mul(beta2, v128.load(v, 16)), f32x4.mul(f32x4.mul(rest2, g1), g1));
    const scale0 = f32x4.add(f32x4.mul(f32x4.sqrt(second0), correction), eps);
    const scale1 = f32x4.add(f32x4.mul(f32x4.sqrt(second1), correction), eps);
    v128.store(m, first0);
    v128.store(m, first1, 16);
    v128.store(v, second0);
    v128.store(v, second1, 16);
    v128.store(p, f32x4.sub(f32x4.mul(w0, kept), f32x4.div(f32x4.mul(stepSize, first0), scale0)));
    v128.store(p, f32x4.sub(f32x4.mul(w1, kept), f32x4.div(f32x4.mul(stepSize, first1), scale1)), 16);
  }
}
