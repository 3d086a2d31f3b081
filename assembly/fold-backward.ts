import { high, power } from './fold';
import { Fold, FoldBackwardRecord } from './generated/records';
import { exp, size } from './math';
import { spare } from './spare';
import { shareEnd, shareStart } from './threads';
import { loadPart, storePart, sumLanes } from './vector';

/**
 * Gradients of what fold.ts folds, four lanes at a time. Those of a product and of the largest size look over a run first:
 *
 *     spare(0)  four f64: the products of what is not 0       spare(1)  four f32: how many are 0, or as large as the largest; dy
 *     spare(2)  four f64: what terms divide                   spare(3)  four f32: what a term that is 0 gets
 */

@inline
function signOf(x: v128): v128 {
  const one = f32x4.splat(1);
  const zero = f32x4.splat(0);
  return f32x4.sub(v128.and(f32x4.gt(x, zero), one), v128.and(f32x4.lt(x, zero), one));
}

function nothingFound(): void {
  const one = f64x2.splat(1);
  v128.store(spare(0), one);
  v128.store(spare(0), one, 16);
  v128.store(spare(1), f32x4.splat(0));
}

/** For the largest size: how many have it, in four f32. For a product: how many are 0, and what the others come to, in four f64. */
function survey(kind: i32, x: usize, steps: i32, stride: usize, n: i32, y: v128): void {
  const one = f32x4.splat(1);
  const zero = f32x4.splat(0);
  let found = v128.load(spare(1));
  let a = v128.load(spare(0));
  let b = v128.load(spare(0), 16);
  for (let c = 0; c < steps; c++, x += stride) {
    // NaN is nothing's equal.
    const v = loadPart(x, n, kind == Fold.PROD ? 1 : NaN);
    const equal = f32x4.eq(kind == Fold.PROD ? v : size(v), y);
    found = f32x4.add(found, v128.and(one, equal));
    const factor = v128.bitselect(one, v, f32x4.eq(v, zero));
    a = f64x2.mul(a, f64x2.promote_low_f32x4(factor));
    b = f64x2.mul(b, high(factor));
  }
  v128.store(spare(1), found);
  v128.store(spare(0), a);
  v128.store(spare(0), b, 16);
}

/** dx of up to four lanes, by what survey() and share() left. */
function spreadBack(kind: i32, dy: v128, x: usize, y: v128, dx: usize, steps: i32, stride: usize, n: i32, p: f64): void {
  const zero = f32x4.splat(0);
  const shares = v128.andnot(f32x4.div(dy, y), f32x4.eq(y, zero));
  const tied = f32x4.div(dy, v128.load(spare(1)));
  const others = spare(2);
  for (let c = 0; c < steps; c++, x += stride, dx += stride) {
    const v = loadPart(x, n, 1);
    let d: v128;
    if (kind == Fold.EUCLIDEAN) d = f32x4.mul(v, shares);
    else if (kind == Fold.SUM_OF_SIZES) d = f32x4.mul(signOf(v), dy);
    else if (kind == Fold.LARGEST_SIZE) d = v128.and(f32x4.mul(signOf(v), tied), f32x4.eq(size(v), y));
    else if (kind == Fold.LOGSUMEXP) d = f32x4.mul(exp(f32x4.sub(v, y)), dy);
    else if (kind == Fold.P_NORM) {
      const grown = power(f32x4.div(size(v), y), p - 1);
      const signed = v128.or(grown, v128.and(v, f32x4.splat(-0.0)));
      d = v128.andnot(f32x4.mul(signed, dy), f32x4.eq(v, zero));
    } else {
      const low = f64x2.div(v128.load(others), f64x2.promote_low_f32x4(v));
      const up = f64x2.div(v128.load(others, 16), high(v));
      const quotient = v128.shuffle<f32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(up), 0, 1, 4, 5);
      d = v128.bitselect(v128.load(spare(3)), quotient, f32x4.eq(v, zero));
    }
    storePart(dx, n, d);
  }
}

/** Of a product: what every term that is not 0 is to divide in spare(2), what one that is 0 gets in spare(3). */
function share(dy: v128): void {
  const given = spare(1) + 16;
  v128.store(given, dy);
  for (let i: usize = 0; i < 4; i++) {
    const zeros = load<f32>(spare(1) + (i << 2));
    const product = load<f64>(spare(0) + (i << 3)) * <f64>load<f32>(given + (i << 2));
    store<f64>(spare(2) + (i << 3), zeros == 0 ? product : 0);
    store<f32>(spare(3) + (i << 2), zeros == 1 ? <f32>product : 0);
  }
}

@inline
function surveyed(kind: i32): bool {
  return kind == Fold.PROD || kind == Fold.LARGEST_SIZE;
}

/** dx of one run of n neighbouring floats. */
function backAlong(kind: i32, dy: f32, x: usize, y: f32, dx: usize, n: i32, p: f64): void {
  const dys = f32x4.splat(dy);
  const ys = f32x4.splat(y);
  const steps = n >> 2;
  const done = <usize>steps << 4;
  if (surveyed(kind)) {
    nothingFound();
    const sought = kind == Fold.PROD ? f32x4.splat(0) : ys;
    survey(kind, x, steps, 16, 4, sought);
    if (n & 3) survey(kind, x + done, 1, 16, n & 3, sought);
    const found = v128.load(spare(1));
    v128.store(spare(1), f32x4.splat(sumLanes(found)));
    const pairs = f64x2.mul(v128.load(spare(0)), v128.load(spare(0), 16));
    const product = f64x2.splat(f64x2.extract_lane(pairs, 0) * f64x2.extract_lane(pairs, 1));
    v128.store(spare(0), product);
    v128.store(spare(0), product, 16);
    share(dys);
  }
  spreadBack(kind, dys, x, ys, dx, steps, 16, 4, p);
  if (n & 3) spreadBack(kind, dys, x + done, ys, dx + done, 1, 16, n & 3, p);
}

/** Gradients: dx of dy and y (outer, inner) and x (outer, count, inner). */
export function foldBackward(r: FoldBackwardRecord, thread: i32, threads: i32): void {
  const kind = r.kind;
  const outer = r.outer;
  const count = r.count;
  const inner = r.inner;
  const p = <f64>r.p;
  const xs = r.x;
  const dxs = r.dx;
  if (inner == 1) {
    const end = shareEnd(outer, 16, thread, threads);
    for (let o = shareStart(outer, 16, thread, threads); o < end; o++) {
      const output = <usize>o << 2;
      const at = output * <usize>count;
      backAlong(kind, load<f32>(r.dy + output), xs + at, load<f32>(r.y + output), dxs + at, count, p);
    }
    return;
  }
  const stride = <usize>inner << 2;
  const to = shareEnd(inner, 16, thread, threads);
  for (let o = 0; o < outer; o++)
    for (let j = shareStart(inner, 16, thread, threads); j < to; j += 4) {
      const n = min(4, to - j);
      const output = (<usize>o * <usize>inner + <usize>j) << 2;
      const at = (<usize>o * <usize>count * <usize>inner + <usize>j) << 2;
      const dy = loadPart(r.dy + output, n, 0);
      const y = loadPart(r.y + output, n, 1);
      if (surveyed(kind)) {
        nothingFound();
        survey(kind, xs + at, count, stride, n, kind == Fold.PROD ? f32x4.splat(0) : y);
        share(dy);
      }
      spreadBack(kind, dy, xs + at, y, dxs + at, count, stride, n, p);
    }
}
