import { Fold, FoldRecord } from './generated/records';
import { exp, expDown, log, size } from './math';
import { maxAcross, maxAlong } from './reduce';
import { rowMax, sumExp } from './softmax';
import { spare } from './spare';
import { shareEnd, shareStart } from './threads';
import { loadPart, maxLanes, storePart } from './vector';

/**
 * Products, norms and sums of exponentials, in f64. Whatever is folded lies side by side: neighbouring elements of one run, which come
 * together at its end, or elements of as many runs. In spare memory lie up to 16 f64, what has become of each.
 */

/** What changes nothing: it fills lanes without an element. */
@inline
function nothing(kind: i32): f32 {
  return kind == Fold.PROD ? 1 : kind == Fold.LOGSUMEXP ? -Infinity : 0;
}

/** Whether terms are taken relative to the largest, or it is all there is. */
@inline
function relative(kind: i32): bool {
  return kind >= Fold.LARGEST_SIZE;
}

@inline
export function high(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 0, 1));
}

/** t^p for t from 0 to 1; NaN stays. */
@inline
export function power(t: v128, p: f64): v128 {
  let a = f32x4.splat(<f32>(p * log(f32x4.extract_lane(t, 0))));
  a = f32x4.replace_lane(a, 1, <f32>(p * log(f32x4.extract_lane(t, 1))));
  a = f32x4.replace_lane(a, 2, <f32>(p * log(f32x4.extract_lane(t, 2))));
  a = f32x4.replace_lane(a, 3, <f32>(p * log(f32x4.extract_lane(t, 3))));
  return v128.andnot(exp(a), f32x4.eq(t, f32x4.splat(0)));
}

/** The largest absolute value of each lane. */
function largestSizes(x: usize, steps: i32, stride: usize, n: i32): v128 {
  let most = f32x4.splat(0);
  for (let c = 0; c < steps; c++, x += stride) most = f32x4.max(most, size(loadPart(x, n, 0)));
  return most;
}

/** What a float adds, or multiplies by. */
@inline
function term(kind: i32, v: v128, most: v128, p: f64): v128 {
  if (kind == Fold.SUM_OF_SIZES) return size(v);
  if (kind == Fold.P_NORM) return power(f32x4.div(size(v), most), p);
  if (kind == Fold.LOGSUMEXP) return expDown(f32x4.sub(v, most));
  return v;
}

@inline
function with64(kind: i32, folded: v128, two: v128): v128 {
  if (kind == Fold.PROD) return f64x2.mul(folded, two);
  return f64x2.add(folded, kind == Fold.EUCLIDEAN ? f64x2.mul(two, two) : two);
}

/** Up to four floats at each of `steps` places, `stride` bytes apart, into the first four sums or products. */
function few(kind: i32, x: usize, steps: i32, stride: usize, n: i32, most: v128, p: f64): void {
  const folded = spare(0);
  let a = v128.load(folded);
  let b = v128.load(folded, 16);
  for (let c = 0; c < steps; c++, x += stride) {
    const v = term(kind, loadPart(x, n, nothing(kind)), most, p);
    a = with64(kind, a, f64x2.promote_low_f32x4(v));
    b = with64(kind, b, high(v));
  }
  v128.store(folded, a);
  v128.store(folded, b, 16);
}

/** The same of 16 floats, a line of the cache; `most`: the largest of each, for exponentials. */
@inline
function sixteen(kind: i32, x: usize, steps: i32, stride: usize, most: usize): void {
  const folded = spare(0);
  let a0 = v128.load(folded);
  let a1 = v128.load(folded, 16);
  let a2 = v128.load(folded, 32);
  let a3 = v128.load(folded, 48);
  let a4 = v128.load(folded, 64);
  let a5 = v128.load(folded, 80);
  let a6 = v128.load(folded, 96);
  let a7 = v128.load(folded, 112);
  for (let c = 0; c < steps; c++, x += stride) {
    let v0 = v128.load(x);
    let v1 = v128.load(x, 16);
    let v2 = v128.load(x, 32);
    let v3 = v128.load(x, 48);
    if (kind == Fold.SUM_OF_SIZES) {
      v0 = size(v0);
      v1 = size(v1);
      v2 = size(v2);
      v3 = size(v3);
    } else if (kind == Fold.LOGSUMEXP) {
      v0 = expDown(f32x4.sub(v0, v128.load(most)));
      v1 = expDown(f32x4.sub(v1, v128.load(most, 16)));
      v2 = expDown(f32x4.sub(v2, v128.load(most, 32)));
      v3 = expDown(f32x4.sub(v3, v128.load(most, 48)));
    }
    a0 = with64(kind, a0, f64x2.promote_low_f32x4(v0));
    a1 = with64(kind, a1, high(v0));
    a2 = with64(kind, a2, f64x2.promote_low_f32x4(v1));
    a3 = with64(kind, a3, high(v1));
    a4 = with64(kind, a4, f64x2.promote_low_f32x4(v2));
    a5 = with64(kind, a5, high(v2));
    a6 = with64(kind, a6, f64x2.promote_low_f32x4(v3));
    a7 = with64(kind, a7, high(v3));
  }
  v128.store(folded, a0);
  v128.store(folded, a1, 16);
  v128.store(folded, a2, 32);
  v128.store(folded, a3, 48);
  v128.store(folded, a4, 64);
  v128.store(folded, a5, 80);
  v128.store(folded, a6, 96);
  v128.store(folded, a7, 112);
}

function foldSixteen(kind: i32, x: usize, steps: i32, stride: usize, most: usize): void {
  if (kind == Fold.PROD) sixteen(Fold.PROD, x, steps, stride, most);
  else if (kind == Fold.SUM_OF_SIZES) sixteen(Fold.SUM_OF_SIZES, x, steps, stride, most);
  else if (kind == Fold.EUCLIDEAN) sixteen(Fold.EUCLIDEAN, x, steps, stride, most);
  else sixteen(Fold.LOGSUMEXP, x, steps, stride, most);
}

/** e^x in f64, to the digits of an f32. */
function exp64(x: f64): f64 {
  const n = min<f64>(1023, nearest(x * 1.4426950408889634));
  const rest = f32x4.splat(<f32>(x - n * 0.6931471805599453));
  return <f64>f32x4.extract_lane(exp(rest), 0) * reinterpret<f64>((<u64>(1023 + <i64>n)) << 52);
}

/** What a run comes to; `most`: the largest that its terms are relative to. */
function result(kind: i32, folded: f64, most: f32, p: f64): f32 {
  if (kind == Fold.EUCLIDEAN) return <f32>sqrt<f64>(folded);
  if (!relative(kind)) return <f32>folded;
  // Where the largest is infinite or NaN so is the result, whatever the terms have come to.
  if (kind == Fold.LARGEST_SIZE || most - most != 0) return most;
  if (kind == Fold.LOGSUMEXP) return <f32>(<f64>most + log(<f32>folded));
  return most == 0 ? 0 : <f32>(<f64>most * exp64(log(<f32>folded) / p));
}

function begin(kind: i32): void {
  const start = f64x2.splat(kind == Fold.PROD ? 1 : 0);
  for (let at: usize = 0; at < 128; at += 16) v128.store(spare(0) + at, start);
}

/** All 16 together. */
function together(product: bool): f64 {
  let all = load<f64>(spare(0));
  for (let at: usize = 8; at < 128; at += 8) {
    const one = load<f64>(spare(0) + at);
    all = product ? all * one : all + one;
  }
  return all;
}

/** log(sum of exp(x)): rows of softmax have it. */
function logOfSum(x: usize, n: i32): f32 {
  const most = rowMax(x, n);
  return most - most == 0 ? <f32>(<f64>most + log(sumExp(x, n, most))) : maxAlong(x, n, false);
}

/** One run of n neighbouring floats. */
function along(kind: i32, x: usize, n: i32, p: f64): f32 {
  if (kind == Fold.LOGSUMEXP) return logOfSum(x, n);
  let most: f32 = 0;
  if (relative(kind)) {
    const left = n & 3;
    const rest = x + (<usize>(n - left) << 2);
    most = maxLanes(f32x4.max(largestSizes(x, n >> 2, 16, 4), largestSizes(rest, i32(left > 0), 16, left)));
    if (kind == Fold.LARGEST_SIZE) return most;
  }
  begin(kind);
  if (kind != Fold.P_NORM) {
    foldSixteen(kind, x, n >> 4, 64, x);
    x += <usize>(n >> 4) << 6;
    n &= 15;
  }
  const all = f32x4.splat(most);
  few(kind, x, n >> 2, 16, 4, all, p);
  if (n & 3) few(kind, x + (<usize>(n >> 2) << 4), 1, 16, n & 3, all, p);
  return result(kind, together(kind == Fold.PROD), most, p);
}

/** The columns [from, to) of `count` rows. Where terms are relative to the largest, y holds that first. */
function across(kind: i32, x: usize, y: usize, count: i32, inner: i32, from: i32, to: i32, p: f64): void {
  const stride = <usize>inner << 2;
  const sizes = relative(kind) && kind != Fold.LOGSUMEXP;
  if (kind == Fold.LOGSUMEXP) maxAcross(x, y, count, inner, from, to, false);
  for (let j = from; j < to; ) {
    const line = to - j >= 16 && !sizes;
    const n = line ? 16 : min(4, to - j);
    const at = x + (<usize>j << 2);
    const target = y + (<usize>j << 2);
    j += n;
    if (sizes) storePart(target, n, largestSizes(at, count, stride, n));
    if (kind == Fold.LARGEST_SIZE) continue;
    begin(kind);
    if (line) foldSixteen(kind, at, count, stride, target);
    else few(kind, at, count, stride, n, relative(kind) ? loadPart(target, n, 0) : f32x4.splat(0), p);
    for (let i = 0; i < n; i++) {
      const lane = <usize>i << 2;
      const most: f32 = relative(kind) ? load<f32>(target + lane) : 0;
      store<f32>(target + lane, result(kind, load<f64>(spare(0) + (lane << 1)), most, p));
    }
  }
}

/** (outer, count, inner) -> (outer, inner) */
export function fold(r: FoldRecord, thread: i32, threads: i32): void {
  const kind = r.kind;
  const outer = r.outer;
  const count = r.count;
  const inner = r.inner;
  const p = <f64>r.p;
  if (inner == 1) {
    const end = shareEnd(outer, 16, thread, threads);
    for (let o = shareStart(outer, 16, thread, threads); o < end; o++)
      store<f32>(r.y + (<usize>o << 2), along(kind, r.x + ((<usize>o * <usize>count) << 2), count, p));
    return;
  }
  const from = shareStart(inner, 16, thread, threads);
  const to = shareEnd(inner, 16, thread, threads);
  for (let o: usize = 0; o < <usize>outer; o++) {
    const row = (o * <usize>inner) << 2;
    across(kind, r.x + row * <usize>count, r.y + row, count, inner, from, to, p);
  }
}
