import { shareEnd, shareStart } from './threads';
import { loadPart, storePart } from './vector';

/** min(1, maxNorm / (norm + 1e-6)), NaN if the norm is; 1 where gradients are not clipped (norm is 0). */
function clipFactor(norm: usize, maxNorm: f32): f32 {
  if (!norm) return 1;
  const factor = maxNorm / (load<f32>(norm) + 1e-6);
  return factor >= 1 ? 1 : factor;
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
  const decay = f32x4.splat(load<f32>(a, 32));
  const nesterov = load<i32>(a, 36);
  const end = shareEnd(n, 16, thread, threads);
  for (let i = shareStart(n, 16, thread, threads); i < end; i += 4) {
    const at = <usize>i << 2;
    const left = end - i;
    const w = loadPart(p + at, left, 0);
    const gradient = f32x4.add(f32x4.mul(loadPart(g + at, left, 0), clip), f32x4.mul(decay, w));
    let step = gradient;
    if (buffer) {
      const m = f32x4.add(f32x4.mul(momentum, loadPart(buffer + at, left, 0)), gradient);
      storePart(buffer + at, left, m);
      step = nesterov ? f32x4.add(gradient, f32x4.mul(momentum, m)) : m;
    }
    storePart(p + at, left, f32x4.sub(w, f32x4.mul(rate, step)));
  }
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
  const kept = f32x4.splat(decoupled ? 1 - load<f32>(hyper) * weightDecay : 1);
  const end = shareEnd(n, 16, thread, threads);
  for (let i = shareStart(n, 16, thread, threads); i < end; i += 4) {
    const at = <usize>i << 2;
    const left = end - i;
    const w = loadPart(p + at, left, 0);
    const gradient = f32x4.add(f32x4.mul(loadPart(g + at, left, 0), clip), f32x4.mul(added, w));
    const m1 = f32x4.add(f32x4.mul(beta1, loadPart(m + at, left, 0)), f32x4.mul(rest1, gradient));
    const v1 = f32x4.add(f32x4.mul(beta2, loadPart(v + at, left, 0)), f32x4.mul(rest2, f32x4.mul(gradient, gradient)));
    storePart(m + at, left, m1);
    storePart(v + at, left, v1);
    const scaled = f32x4.add(f32x4.mul(f32x4.sqrt(v1), correction), eps);
    storePart(p + at, left, f32x4.sub(f32x4.mul(w, kept), f32x4.div(f32x4.mul(stepSize, m1), scaled)));
  }
}
