import { loadPart, storePart, sumLanes } from './vector';

/**
 * Long sums: f32 within blocks, pair by pair and side by side, and f64 over the blocks. No term passes through more than about
 * 40 roundings, however many there are, and it costs what a plain loop costs.
 *
 *     along    one run of n floats          blocks of 1024, in 16 chains
 *     across   the columns of many rows     four rows at a time, 64 in a group, 1024 in a block
 */
const BLOCK: i32 = 1024;
const GROUP: i32 = 64;

/** Sum of n neighbouring floats. */
export function sumAlong(x: usize, n: i32): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < n; i += BLOCK) sum += <f64>sumLanes(blockAlong(x + (<usize>i << 2), min(BLOCK, n - i)));
  return sum;
}

@inline
function promoteHigh(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 0, 1));
}

@inline
function fourBeside(x: usize, apart: usize): v128 {
  const x2 = x + 2 * apart;
  return f32x4.add(f32x4.add(v128.load(x), v128.load(x + apart)), f32x4.add(v128.load(x2), v128.load(x2 + apart)));
}

@inline
function blockAlong(x: usize, n: i32): v128 {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let i: i32 = 0;
  // Short runs have few roundings anyhow.
  for (const end = n > 256 ? n & -64 : 0; i < end; i += 64, x += 256) {
    s0 = f32x4.add(s0, fourBeside(x, 16));
    s1 = f32x4.add(s1, fourBeside(x + 64, 16));
    s2 = f32x4.add(s2, fourBeside(x + 128, 16));
    s3 = f32x4.add(s3, fourBeside(x + 192, 16));
  }
  for (; i + 16 <= n; i += 16, x += 64) {
    s0 = f32x4.add(s0, v128.load(x));
    s1 = f32x4.add(s1, v128.load(x, 16));
    s2 = f32x4.add(s2, v128.load(x, 32));
    s3 = f32x4.add(s3, v128.load(x, 48));
  }
  for (; i < n; i += 4, x += 16) s1 = f32x4.add(s1, loadPart(x, n - i, 0));
  return f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
}

/** y[from..to) = sums of `count` rows of `inner` floats, divided. Each column is summed in the same order wherever it lies. */
export function sumAcross(x: usize, y: usize, count: i32, inner: i32, from: i32, to: i32, divisor: f64): void {
  const stride = <usize>inner << 2;
  let j = from;
  for (; j + 16 <= to; j += 16) sixteenColumns(x + (<usize>j << 2), y + (<usize>j << 2), count, stride, divisor);
  for (; j + 4 <= to; j += 4) fewColumns(x + (<usize>j << 2), y + (<usize>j << 2), 4, count, stride, divisor);
  if (j == to) return;
  // The last four columns, some of them once more, are quicker than reading one to three float by float.
  const n = to - from >= 4 ? 4 : to - j;
  const last = <usize>(to - n) << 2;
  fewColumns(x + last, y + last, n, count, stride, divisor);
}

/** A cache line of columns. Blocks are summed in y itself, so that their sums are stored side by side. */
function sixteenColumns(x: usize, y: usize, count: i32, stride: usize, divisor: f64): void {
  if (count <= BLOCK) {
    blockAcross(x, y, count, stride);
    if (divisor != 1) divide(y, <f32>divisor);
    return;
  }
  let d0 = f64x2.splat(0);
  let d1 = d0;
  let d2 = d0;
  let d3 = d0;
  let d4 = d0;
  let d5 = d0;
  let d6 = d0;
  let d7 = d0;
  for (let c = 0; c < count; c += BLOCK) {
    blockAcross(x + <usize>c * stride, y, min(BLOCK, count - c), stride);
    const s0 = v128.load(y);
    const s1 = v128.load(y, 16);
    const s2 = v128.load(y, 32);
    const s3 = v128.load(y, 48);
    d0 = f64x2.add(d0, f64x2.promote_low_f32x4(s0));
    d1 = f64x2.add(d1, promoteHigh(s0));
    d2 = f64x2.add(d2, f64x2.promote_low_f32x4(s1));
    d3 = f64x2.add(d3, promoteHigh(s1));
    d4 = f64x2.add(d4, f64x2.promote_low_f32x4(s2));
    d5 = f64x2.add(d5, promoteHigh(s2));
    d6 = f64x2.add(d6, f64x2.promote_low_f32x4(s3));
    d7 = f64x2.add(d7, promoteHigh(s3));
  }
  v128.store(y, divided(d0, d1, divisor));
  v128.store(y, divided(d2, d3, divisor), 16);
  v128.store(y, divided(d4, d5, divisor), 32);
  v128.store(y, divided(d6, d7, divisor), 48);
}

/** Sixteen floats, divided where they are. */
function divide(y: usize, divisor: f32): void {
  const by = f32x4.splat(divisor);
  for (const end = y + 64; y < end; y += 32) {
    v128.store(y, f32x4.div(v128.load(y), by));
    v128.store(y, f32x4.div(v128.load(y, 16), by), 16);
  }
}

/** Four f64 as f32, divided. */
@inline
function divided(low: v128, high: v128, divisor: f64): v128 {
  const by = f64x2.splat(divisor);
  const a = f32x4.demote_f64x2_zero(f64x2.div(low, by));
  return v128.shuffle<f32>(a, f32x4.demote_f64x2_zero(f64x2.div(high, by)), 0, 1, 4, 5);
}

/** y[0..16) = sums of up to BLOCK rows. */
function blockAcross(x: usize, y: usize, count: i32, stride: usize): void {
  const zero = f32x4.splat(0);
  let t0 = zero;
  let t1 = zero;
  let t2 = zero;
  let t3 = zero;
  for (let c = 0; c < count; ) {
    let s0 = zero;
    let s1 = zero;
    let s2 = zero;
    let s3 = zero;
    const end = min(count, c + GROUP);
    for (; c + 4 <= end; c += 4, x += 4 * stride) {
      const b = x + stride;
      const d = b + stride;
      const e = d + stride;
      s0 = f32x4.add(s0, f32x4.add(f32x4.add(v128.load(x), v128.load(b)), f32x4.add(v128.load(d), v128.load(e))));
      s1 = f32x4.add(
        s1, f32x4.add(f32x4.add(v128.load(x, 16), v128.load(b, 16)), f32x4.add(v128.load(d, 16), v128.load(e, 16))),
      );
      s2 = f32x4.add(
        s2, f32x4.add(f32x4.add(v128.load(x, 32), v128.load(b, 32)), f32x4.add(v128.load(d, 32), v128.load(e, 32))),
      );
      s3 = f32x4.add(
        s3, f32x4.add(f32x4.add(v128.load(x, 48), v128.load(b, 48)), f32x4.add(v128.load(d, 48), v128.load(e, 48))),
      );
    }
    for (; c < end; c++, x += stride) {
      s0 = f32x4.add(s0, v128.load(x));
      s1 = f32x4.add(s1, v128.load(x, 16));
      s2 = f32x4.add(s2, v128.load(x, 32));
      s3 = f32x4.add(s3, v128.load(x, 48));
    }
    t0 = f32x4.add(t0, s0);
    t1 = f32x4.add(t1, s1);
    t2 = f32x4.add(t2, s2);
    t3 = f32x4.add(t3, s3);
  }
  v128.store(y, t0);
  v128.store(y, t1, 16);
  v128.store(y, t2, 32);
  v128.store(y, t3, 48);
}

/** One to four columns, in the order of sixteenColumns(). */
function fewColumns(x: usize, y: usize, n: i32, count: i32, stride: usize, divisor: f64): void {
  let low = f64x2.splat(0);
  let high = low;
  for (let c = 0; c < count; c += BLOCK) {
    const s = n == 4 ? fewAcross(true, x, n, min(BLOCK, count - c), stride) : fewAcross(false, x, n, min(BLOCK, count - c), stride);
    x += <usize>BLOCK * stride;
    low = f64x2.add(low, f64x2.promote_low_f32x4(s));
    high = f64x2.add(high, promoteHigh(s));
  }
  storePart(y, n, divided(low, high, divisor));
}

@inline
function fewAcross(four: bool, x: usize, n: i32, count: i32, stride: usize): v128 {
  let total = f32x4.splat(0);
  for (let c = 0; c < count; ) {
    let s = f32x4.splat(0);
    const end = min(count, c + GROUP);
    for (; c + 4 <= end; c += 4, x += 4 * stride) {
      const x2 = x + 2 * stride;
      s = f32x4.add(
        s,
        four
          ? fourBeside(x, stride)
          : f32x4.add(
              f32x4.add(loadPart(x, n, 0), loadPart(x + stride, n, 0)),
              f32x4.add(loadPart(x2, n, 0), loadPart(x2 + stride, n, 0)),
            ),
      );
    }
    for (; c < end; c++, x += stride) s = f32x4.add(s, four ? v128.load(x) : loadPart(x, n, 0));
    total = f32x4.add(total, s);
  }
  return total;
}
