import { Fold, FoldRecord } from './generated/records';
import { exp, expDown, log, size } from './math';
import { spare } from './spare';
import { shareEnd, shareStart } from './threads';
import { loadPart, maxLanes } from './vector';

/**
 * Products, norms and sums of exponentials. Whatever is folded lies in four lanes: the neighbouring elements of one run, whose lanes
 * come together at its end, or four runs side by side. Sums and products are f64, in memory between loops:
 *
 *     spare(0)  four f64: what became of each lane         spare(1)  four f32: the largest of each lane
 */

/** What lanes without an element hold: it changes nothing. */
@inline
function nothing(kind: i32): f32 {
  return kind == Fold.PROD ? 1 : kind == Fold.LOGSUMEXP ? -Infinity : 0;
}

@inline
export function high(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 0, 1));
}

/** Whether terms are taken relative to the largest. */
@inline
function relative(kind: i32): bool {
  return kind >= Fold.LARGEST_SIZE;
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

/** Folds `steps` times up to four floats, `stride` bytes apart, into the largest of each lane. */
function largest(kind: i32, x: usize, steps: i32, stride: usize, n: i32): void {
  let most = v128.load(spare(1));
  for (let c = 0; c < steps; c++, x += stride) {
    const v = loadPart(x, n, nothing(kind));
    most = f32x4.max(most, kind == Fold.LOGSUMEXP ? v : size(v));
  }
  v128.store(spare(1), most);
}

/** The same into the sums or products. */
@inline
function fold64(kind: i32, x: usize, steps: i32, stride: usize, n: i32, most: v128, p: f64): void {
  let a = v128.load(spare(0));
  let b = v128.load(spare(0), 16);
  for (let c = 0; c < steps; c++, x += stride) {
    let v = loadPart(x, n, nothing(kind));
    if (kind == Fold.SUM_OF_SIZES) v = size(v);
    else if (kind == Fold.P_NORM) v = power(f32x4.div(size(v), most), p);
    else if (kind == Fold.LOGSUMEXP) v = expDown(f32x4.sub(v, most));
    const low = f64x2.promote_low_f32x4(v);
    const up = high(v);
    if (kind == Fold.PROD) {
      a = f64x2.mul(a, low);
      b = f64x2.mul(b, up);
    } else if (kind == Fold.EUCLIDEAN) {
      a = f64x2.add(a, f64x2.mul(low, low));
      b = f64x2.add(b, f64x2.mul(up, up));
    } else {
      a = f64x2.add(a, low);
      b = f64x2.add(b, up);
    }
  }
  v128.store(spare(0), a);
  v128.store(spare(0), b, 16);
}

function accumulate(kind: i32, x: usize, steps: i32, stride: usize, n: i32, most: v128, p: f64): void {
  if (kind == Fold.PROD) fold64(Fold.PROD, x, steps, stride, n, most, p);
  else if (kind == Fold.SUM_OF_SIZES) fold64(Fold.SUM_OF_SIZES, x, steps, stride, n, most, p);
  else if (kind == Fold.EUCLIDEAN) fold64(Fold.EUCLIDEAN, x, steps, stride, n, most, p);
  else if (kind == Fold.P_NORM) fold64(Fold.P_NORM, x, steps, stride, n, most, p);
  else if (kind == Fold.LOGSUMEXP) fold64(Fold.LOGSUMEXP, x, steps, stride, n, most, p);
}

/** e^x in f64, to the digits of an f32. */
function exp64(x: f64): f64 {
  const n = min<f64>(1023, nearest(x * 1.4426950408889634));
  const rest = f32x4.splat(<f32>(x - n * 0.6931471805599453));
  return <f64>f32x4.extract_lane(exp(rest), 0) * reinterpret<f64>((<u64>(1023 + <i64>n)) << 52);
}

/** What a run comes to. */
function result(kind: i32, folded: f64, most: f32, p: f64): f32 {
  if (kind == Fold.EUCLIDEAN) return <f32>sqrt<f64>(folded);
  if (!relative(kind)) return <f32>folded;
  // The largest is 0, infinite or NaN: so is the result, whatever the terms have come to.
  if (kind == Fold.LARGEST_SIZE || most - most != 0) return most;
  if (kind == Fold.LOGSUMEXP) return <f32>(<f64>most + log(<f32>folded));
  return most == 0 ? 0 : <f32>(<f64>most * exp64(log(<f32>folded) / p));
}

@inline
export function begin(kind: i32): void {
  const start = f64x2.splat(kind == Fold.PROD ? 1 : 0);
  v128.store(spare(0), start);
  v128.store(spare(0), start, 16);
  v128.store(spare(1), f32x4.splat(kind == Fold.LOGSUMEXP ? -Infinity : 0));
}

/** One run of n neighbouring floats. */
function along(kind: i32, x: usize, n: i32, p: f64): f32 {
  begin(kind);
  const steps = n >> 2;
  const rest = x + (<usize>steps << 4);
  if (relative(kind)) {
    largest(kind, x, steps, 16, 4);
    if (n & 3) largest(kind, rest, 1, 16, n & 3);
  }
  const most = maxLanes(v128.load(spare(1)));
  const all = f32x4.splat(most);
  accumulate(kind, x, steps, 16, 4, all, p);
  if (n & 3) accumulate(kind, rest, 1, 16, n & 3, all, p);
  const a = v128.load(spare(0));
  const b = v128.load(spare(0), 16);
  const v = kind == Fold.PROD ? f64x2.mul(a, b) : f64x2.add(a, b);
  const first = f64x2.extract_lane(v, 0);
  const second = f64x2.extract_lane(v, 1);
  return result(kind, kind == Fold.PROD ? first * second : first + second, most, p);
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
  const stride = <usize>inner << 2;
  const to = shareEnd(inner, 16, thread, threads);
  for (let o = 0; o < outer; o++)
    for (let j = shareStart(inner, 16, thread, threads); j < to; j += 4) {
      const n = min(4, to - j);
      const x = r.x + ((<usize>o * <usize>count * <usize>inner + <usize>j) << 2);
      const y = r.y + ((<usize>o * <usize>inner + <usize>j) << 2);
      begin(kind);
      if (relative(kind)) largest(kind, x, count, stride, n);
      accumulate(kind, x, count, stride, n, v128.load(spare(1)), p);
      for (let i = 0; i < n; i++) {
        const lane = <usize>i;
        store<f32>(y + (lane << 2), result(kind, load<f64>(spare(0) + (lane << 3)), load<f32>(spare(1) + (lane << 2)), p));
      }
    }
}
