import { UpdateRecord } from './generated/records';
import { clipFactor, decayMask, gradient } from './optimizer';
import { shareEnd, shareStart } from './threads';
import { loadPart, storePart } from './vector';

// The kinds of records.ts.
const RMSPROP = 0;
const ADAGRAD = 1;
const ADADELTA = 2;
const NADAM = 3;
const LION = 4;
const AMSGRAD = 5;
const LAMB = 6;
const LAMB_STEP = 7;
const AVERAGE = 8;
const CLIP = 9;

/** -1, 0 or 1; NaN stays. */
@inline
function sign(x: v128): v128 {
  const one = f32x4.splat(1);
  const zero = f32x4.splat(0);
  const signs = f32x4.sub(v128.and(one, f32x4.gt(x, zero)), v128.and(one, f32x4.lt(x, zero)));
  return v128.or(signs, f32x4.ne(x, x));
}

/** kept * moment + rest * term, stored. */
@inline
function moment(at: usize, count: i32, kept: v128, rest: v128, term: v128): v128 {
  const m = f32x4.add(f32x4.mul(kept, loadPart(at, count, 0)), f32x4.mul(rest, term));
  storePart(at, count, m);
  return m;
}

/** kept * square + (rest * term) * term, stored: the square alone overflows sooner. */
@inline
function square(at: usize, count: i32, kept: v128, rest: v128, term: v128): v128 {
  const v = f32x4.add(f32x4.mul(kept, loadPart(at, count, 0)), f32x4.mul(f32x4.mul(rest, term), term));
  storePart(at, count, v);
  return v;
}

/** What a parameter's two norms make of a step of LAMB: its trust ratio. */
function trust(a: usize, b: usize): f32 {
  const weights = load<f32>(a);
  const direction = load<f32>(b);
  return weights == 0 || direction == 0 ? 1 : weights / direction;
}

/** Optimizers that are used less than SGD and Adam, one pass each; src/ops/update.ts has their formulas. */
export function update(r: UpdateRecord, thread: i32, threads: i32): void {
  const kind = r.kind;
  const hyper = r.hyper;
  const rate = load<f32>(hyper);
  const end = shareEnd(r.count, 16, thread, threads);
  if (kind == AVERAGE && rate == 0) return;
  const factor = kind == LAMB_STEP ? rate * trust(r.a, r.b) : rate;
  const scale = f32x4.splat(kind == RMSPROP || kind == ADADELTA || kind == LION || kind >= LAMB_STEP ? factor : load<f32>(hyper, 4));
  const correction = f32x4.splat(load<f32>(hyper, 8));
  const ahead = f32x4.splat(load<f32>(hyper, 12));
  const clip = f32x4.splat(clipFactor(r.norm, r.maxNorm));
  const weightDecay = r.weightDecay;
  const decoupled = r.decoupled;
  const decay = f32x4.splat(weightDecay);
  const decays = decayMask(weightDecay);
  const coupled = decayMask(decoupled ? 0 : weightDecay);
  const kept = f32x4.splat(decoupled ? 1 - rate * weightDecay : 1);
  const beta1 = f32x4.splat(r.beta1);
  const rest1 = f32x4.splat(r.rest1);
  const beta2 = f32x4.splat(r.beta2);
  const rest2 = f32x4.splat(r.rest2);
  const eps = f32x4.splat(r.eps);
  for (let i = shareStart(r.count, 16, thread, threads); i < end; i += 4) {
    const at = <usize>i << 2;
    const left = end - i;
    const p = r.p + at;
    const a = r.a + at;
    const b = r.b + at;
    const c = r.c + at;
    const w = loadPart(p, left, 0);
    const g = gradient(loadPart(r.g + at, left, 0), w, clip, decay, coupled);
    let step = g;
    switch (kind) {
      case RMSPROP: {
        let v = square(a, left, beta2, rest2, g);
        if (r.b) {
          const m = moment(b, left, beta2, rest2, g);
          v = f32x4.max(f32x4.sub(v, f32x4.mul(m, m)), f32x4.splat(0));
        }
        step = f32x4.div(g, f32x4.add(f32x4.sqrt(v), eps));
        if (r.c) step = moment(c, left, beta1, f32x4.splat(1), step);
        break;
      }
      case ADAGRAD: {
        const v = f32x4.add(loadPart(a, left, 0), f32x4.mul(g, g));
        storePart(a, left, v);
        step = f32x4.div(g, f32x4.add(f32x4.sqrt(v), eps));
        break;
      }
      case ADADELTA: {
        const v = square(a, left, beta2, rest2, g);
        const last = f32x4.sqrt(f32x4.add(loadPart(b, left, 0), eps));
        step = f32x4.mul(f32x4.div(last, f32x4.sqrt(f32x4.add(v, eps))), g);
        square(b, left, beta2, rest2, step);
        break;
      }
      case LION: {
        step = sign(f32x4.add(f32x4.mul(beta1, loadPart(a, left, 0)), f32x4.mul(rest1, g)));
        moment(a, left, beta2, rest2, g);
        break;
      }
      case NADAM:
      case AMSGRAD:
      case LAMB: {
        const m = moment(a, left, beta1, rest1, g);
        let v = square(b, left, beta2, rest2, g);
        let up = f32x4.mul(scale, m);
        if (kind == NADAM) up = f32x4.add(f32x4.mul(scale, g), f32x4.mul(ahead, m));
        if (kind == AMSGRAD) {
          v = f32x4.max(loadPart(c, left, 0), v);
          storePart(c, left, v);
        }
        step = f32x4.div(up, f32x4.add(f32x4.mul(f32x4.sqrt(v), correction), eps));
        if (kind == LAMB) {
          storePart(c, left, f32x4.add(step, v128.and(f32x4.mul(decay, w), decays)));
          continue;
        }
        storePart(p, left, f32x4.sub(f32x4.mul(w, kept), step));
        continue;
      }
      case AVERAGE: {
        // As torch.lerp: exact at both ends.
        const way = f32x4.sub(g, w);
        const near = f32x4.add(w, f32x4.mul(scale, way));
        const far = f32x4.sub(g, f32x4.mul(way, f32x4.splat(1 - rate)));
        storePart(p, left, rate == 1 ? g : rate < 0.5 ? near : far);
        continue;
      }
      case CLIP: {
        const most = f32x4.splat(r.maxNorm);
        storePart(p, left, f32x4.max(f32x4.neg(most), f32x4.min(most, w)));
        continue;
      }
      default: {
      }
    }
    storePart(p, left, f32x4.sub(f32x4.mul(w, kept), f32x4.mul(scale, step)));
  }
}
