import { spare, TURN, toSpare } from './spare';
import { shareEnd, shareStart } from './threads';
import { copyFloats } from './vector';

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

/** The gradient, clipped, and with it what weight decay adds. */
@inline
function gradient(g: v128, w: v128, clip: v128, added: v128, decays: v128): v128 {
  return f32x4.add(f32x4.mul(g, clip), v128.and(f32x4.mul(added, w), decays));
}

/**
 * One pass over parameters, gradients and momentum. Record: p, g, buffer (0: none), hyper, norm (0: none), count,
 * maxNorm f32, momentum f32, weight decay f32, nesterov
 */
export function sgd(a: usize, thread: i32, threads: i32): void {
  const n = load<i32>(a, 20);
  const from = shareStart(n, 16, thread, threads);
  const count = shareEnd(n, 16, thread, threads) - from;
  const first = <usize>from << 2;
  const p = <usize>load<u32>(a) + first;
  const g = <usize>load<u32>(a, 4) + first;
  const buffer = load<u32>(a, 8) ? <usize>load<u32>(a, 8) + first : 0;
  const left = count & (TURN - 1);
  sgdTurns(a, p, g, buffer, count - left);
  if (left == 0) return;
  const at = <usize>(count - left) << 2;
  sgdTurns(a, toSpare(0, p + at, left), toSpare(1, g + at, left), buffer ? toSpare(2, buffer + at, left) : 0, TURN);
  copyFloats(p + at, spare(0), left);
  if (buffer) copyFloats(buffer + at, spare(2), left);
}

const PLAIN = 0;
const MOMENTUM = 1;
const NESTEROV = 2;

/** `n` parameters, a multiple of TURN. */
function sgdTurns(r: usize, p: usize, g: usize, buffer: usize, n: i32): void {
  if (!buffer) sgdLoop(PLAIN, r, p, g, 0, n);
  else if (load<i32>(r, 36)) sgdLoop(NESTEROV, r, p, g, buffer, n);
  else sgdLoop(MOMENTUM, r, p, g, buffer, n);
}

@inline
function sgdLoop(kind: i32, r: usize, p: usize, g: usize, buffer: usize, n: i32): void {
  const rate = f32x4.splat(load<f32>(<usize>load<u32>(r, 12), 4));
  const clip = f32x4.splat(clipFactor(load<u32>(r, 16), load<f32>(r, 24)));
  const momentum = f32x4.splat(load<f32>(r, 28));
  const decay = load<f32>(r, 32);
  const added = f32x4.splat(decay);
  const decays = decayMask(decay);
  for (const end = p + (<usize>n << 2); p < end; p += TURN * 4, g += TURN * 4, buffer += TURN * 4) {
    const w0 = v128.load(p);
    const w1 = v128.load(p, 16);
    let step0 = gradient(v128.load(g), w0, clip, added, decays);
    let step1 = gradient(v128.load(g, 16), w1, clip, added, decays);
    if (kind != PLAIN) {
      const m0 = f32x4.add(f32x4.mul(momentum, v128.load(buffer)), step0);
      const m1 = f32x4.add(f32x4.mul(momentum, v128.load(buffer, 16)), step1);
      v128.store(buffer, m0);
      v128.store(buffer, m1, 16);
      step0 = kind == NESTEROV ? f32x4.add(step0, f32x4.mul(momentum, m0)) : m0;
      step1 = kind == NESTEROV ? f32x4.add(step1, f32x4.mul(momentum, m1)) : m1;
    }
    v128.store(p, f32x4.sub(w0, f32x4.mul(rate, step0)));
    v128.store(p, f32x4.sub(w1, f32x4.mul(rate, step1)), 16);
  }
}

/**
 * Adam and AdamW in one pass. Record: p, g, m, v, hyper, norm (0: none), count, maxNorm f32, beta1 f32,
 * 1 - beta1 f32, beta2 f32, 1 - beta2 f32, eps f32, weight decay f32, decoupled
 */
export function adam(a: usize, thread: i32, threads: i32): void {
  const n = load<i32>(a, 24);
  const from = shareStart(n, 16, thread, threads);
  const count = shareEnd(n, 16, thread, threads) - from;
  const first = <usize>from << 2;
  const p = <usize>load<u32>(a) + first;
  const g = <usize>load<u32>(a, 4) + first;
  const m = <usize>load<u32>(a, 8) + first;
  const v = <usize>load<u32>(a, 12) + first;
  const left = count & (TURN - 1);
  adamTurns(a, p, g, m, v, count - left);
  if (left == 0) return;
  const at = <usize>(count - left) << 2;
  adamTurns(a, toSpare(0, p + at, left), toSpare(1, g + at, left), toSpare(2, m + at, left), toSpare(3, v + at, left), TURN);
  copyFloats(p + at, spare(0), left);
  copyFloats(m + at, spare(2), left);
  copyFloats(v + at, spare(3), left);
}

/** `n` parameters, a multiple of TURN. */
function adamTurns(r: usize, p: usize, g: usize, m: usize, v: usize, n: i32): void {
  const hyper = <usize>load<u32>(r, 16);
  const clip = f32x4.splat(clipFactor(load<u32>(r, 20), load<f32>(r, 28)));
  const beta1 = f32x4.splat(load<f32>(r, 32));
  const rest1 = f32x4.splat(load<f32>(r, 36));
  const beta2 = f32x4.splat(load<f32>(r, 40));
  const rest2 = f32x4.splat(load<f32>(r, 44));
  const eps = f32x4.splat(load<f32>(r, 48));
  const weightDecay = load<f32>(r, 52);
  const decoupled = load<i32>(r, 56);
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
