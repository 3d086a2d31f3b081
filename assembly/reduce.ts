import { ArgmaxRecord, Dtype, GlobalNormRecord, MaxBackwardRecord, ReduceRecord, Reduction } from './generated/records';
import { sumAlong, sumAcross } from './sums';
import { shareEnd, shareStart } from './threads';
import { loadPart, maxLanes, storePart } from './vector';

/** The bits that are turned over in each float. */
@inline
function signsOf(least: bool): v128 {
  return i32x4.splat(least ? <i32>0x80000000 : 0);
}

/**
 * Largest of n neighbouring floats, in four vectors side by side and then across; NaN if any is. The smallest is the largest of
 * negated floats, negated.
 */
export function maxAlong(x: usize, n: i32, least: bool): f32 {
  const signs = signsOf(least);
  let s0 = f32x4.splat(-Infinity);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let i: i32 = 0;
  for (; i + 16 <= n; i += 16) {
    const at = x + (<usize>i << 2);
    s0 = f32x4.max(s0, v128.xor(v128.load(at), signs));
    s1 = f32x4.max(s1, v128.xor(v128.load(at, 16), signs));
    s2 = f32x4.max(s2, v128.xor(v128.load(at, 32), signs));
    s3 = f32x4.max(s3, v128.xor(v128.load(at, 48), signs));
  }
  const rest = reinterpret<f32>(0xff800000 ^ i32x4.extract_lane(signs, 0));
  for (; i < n; i += 4) s0 = f32x4.max(s0, v128.xor(loadPart(x + (<usize>i << 2), n - i, rest), signs));
  const most = maxLanes(f32x4.max(f32x4.max(s0, s1), f32x4.max(s2, s3)));
  return reinterpret<f32>(reinterpret<i32>(most) ^ i32x4.extract_lane(signs, 0));
}

/** Largest of `count` rows of `inner` floats for the columns [from, to): a cache line of them at a time, then what is left. */
export function maxAcross(x: usize, y: usize, count: i32, inner: i32, from: i32, to: i32, least: bool): void {
  const signs = signsOf(least);
  const stride = <usize>inner << 2;
  const start = f32x4.splat(-Infinity);
  let j = from;
  for (; j + 16 <= to; j += 16) {
    let at = x + (<usize>j << 2);
    let s0 = start;
    let s1 = start;
    let s2 = start;
    let s3 = start;
    for (let c = 0; c < count; c++, at += stride) {
      s0 = f32x4.max(s0, v128.xor(v128.load(at), signs));
      s1 = f32x4.max(s1, v128.xor(v128.load(at, 16), signs));
      s2 = f32x4.max(s2, v128.xor(v128.load(at, 32), signs));
      s3 = f32x4.max(s3, v128.xor(v128.load(at, 48), signs));
    }
    const target = y + (<usize>j << 2);
    v128.store(target, v128.xor(s0, signs));
    v128.store(target, v128.xor(s1, signs), 16);
    v128.store(target, v128.xor(s2, signs), 32);
    v128.store(target, v128.xor(s3, signs), 48);
  }
  for (; j < to; j += 4) {
    const n = to - j;
    let at = x + (<usize>j << 2);
    let s = start;
    for (let c = 0; c < count; c++, at += stride) s = f32x4.max(s, v128.xor(loadPart(at, n, 0), signs));
    storePart(y + (<usize>j << 2), n, v128.xor(s, signs));
  }
}

@inline
function over(sum: f64, divisor: f64): f32 {
  return divisor == 1 ? <f32>sum : <f32>(sum / divisor);
}

/** (outer, count, inner) -> (outer, inner) */
export function reduce(r: ReduceRecord, thread: i32, threads: i32): void {
  const sums = r.kind == Reduction.SUM;
  const least = r.kind == Reduction.MIN;
  const x = r.x;
  const y = r.y;
  const outer = r.outer;
  const count = r.count;
  const inner = r.inner;
  const divisor = <f64>r.divisor;
  if (inner == 1) {
    const end = shareEnd(outer, 16, thread, threads);
    for (let o = shareStart(outer, 16, thread, threads); o < end; o++) {
      const run = x + ((<usize>o * <usize>count) << 2);
      store<f32>(y + (<usize>o << 2), sums ? over(sumAlong(run, count), divisor) : maxAlong(run, count, least));
    }
    return;
  }
  const from = shareStart(inner, 16, thread, threads);
  const to = shareEnd(inner, 16, thread, threads);
  for (let o = 0; o < outer; o++) {
    const rows = x + ((<usize>o * <usize>count * <usize>inner) << 2);
    const target = y + ((<usize>o * <usize>inner) << 2);
    if (sums) sumAcross(rows, target, count, inner, from, to, divisor);
    else maxAcross(rows, target, count, inner, from, to, least);
  }
}

/** dy shared evenly among the elements that equal the largest; NaN for all where that is NaN. */
export function maxBackward(r: MaxBackwardRecord, thread: i32, threads: i32): void {
  const dy = r.dy;
  const x = r.x;
  const y = r.y;
  const dx = r.dx;
  const count = r.count;
  const inner = r.inner;
  const all = r.outer * inner;
  const end = shareEnd(all, 1, thread, threads);
  const stride = <usize>inner << 2;
  for (let i = shareStart(all, 1, thread, threads); i < end; i++) {
    const first = <usize>((i / inner) * count * inner + (i % inner)) << 2;
    const most = load<f32>(y + (<usize>i << 2));
    let ties: i32 = 0;
    for (let c = 0, at = first; c < count; c++, at += stride) if (load<f32>(x + at) == most) ties++;
    const share = load<f32>(dy + (<usize>i << 2)) / <f32>ties;
    const rest: f32 = most != most ? NaN : 0;
    for (let c = 0, at = first; c < count; c++, at += stride)
      store<f32>(dx + at, load<f32>(x + at) == most ? share : rest);
  }
}

function rowArgmax<T>(x: usize, n: i32, least: bool): i32 {
  let best: i32 = 0;
  let most = load<T>(x);
  for (let i = 1; i < n; i++) {
    const now = load<T>(x + <usize>i * sizeof<T>());
    if (least ? now < most : now > most) {
      most = now;
      best = i;
    }
  }
  return best;
}

/** Of floats: first what is the largest, then where it is. */
function floatArgmax(x: usize, n: i32, least: bool): i32 {
  const most = maxAlong(x, n, least);
  const all = f32x4.splat(most);
  let i: i32 = 0;
  for (; i + 4 <= n; i += 4) {
    const v = v128.load(x + (<usize>i << 2));
    const found = i32x4.bitmask(most == most ? f32x4.eq(v, all) : f32x4.ne(v, v));
    if (found) return i + ctz(found);
  }
  for (; i < n - 1; i++) {
    const v = load<f32>(x + (<usize>i << 2));
    if (most == most ? v == most : v != v) break;
  }
  return i;
}

/** First position of the largest or smallest of each row, of the first NaN if there is one. */
export function argmax(r: ArgmaxRecord, thread: i32, threads: i32): void {
  const type = r.type;
  const x = r.x;
  const y = r.y;
  const n = r.n;
  const least = r.least != 0;
  const end = shareEnd(r.rows, 16, thread, threads);
  for (let i = shareStart(r.rows, 16, thread, threads); i < end; i++) {
    const at = <usize>i * <usize>n;
    store<i32>(
      y + (<usize>i << 2),
      type == Dtype.U8 ? rowArgmax<u8>(x + at, n, least)
      : type == Dtype.I32 ? rowArgmax<i32>(x + (at << 2), n, least)
      : floatArgmax(x + (at << 2), n, least),
    );
  }
}

/** sqrt(sum of squares), summed in f64 so that it can't overflow early. */
export function globalNorm(r: GlobalNormRecord, thread: i32, threads: i32): void {
  if (thread != 0) return;
  const x = r.x;
  const n = r.count;
  let s0 = f64x2.splat(0);
  let s1 = f64x2.splat(0);
  for (let i = 0; i < n; i += 4) {
    const v = loadPart(x + (<usize>i << 2), n - i, 0);
    const low = f64x2.promote_low_f32x4(v);
    const high = f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 0, 1));
    s0 = f64x2.add(s0, f64x2.mul(low, low));
    s1 = f64x2.add(s1, f64x2.mul(high, high));
  }
  const s = f64x2.add(s0, s1);
  store<f32>(r.y, <f32>sqrt(f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1)));
}
