import { Comparison, CompareRecord, Dtype, WhereRecord } from './generated/records';
import { shareEnd, shareStart } from './threads';
import { offsetOf } from './walk';

/** A lane of all ones where it is so. Bytes come widened to i32. */
@inline
function answers(kind: i32, floats: bool, a: v128, b: v128): v128 {
  if (kind == Comparison.EQ) return floats ? f32x4.eq(a, b) : i32x4.eq(a, b);
  if (kind == Comparison.NE) return floats ? f32x4.ne(a, b) : i32x4.ne(a, b);
  if (kind == Comparison.LT) return floats ? f32x4.lt(a, b) : i32x4.lt_s(a, b);
  if (kind == Comparison.LE) return floats ? f32x4.le(a, b) : i32x4.le_s(a, b);
  const zero = i32x4.splat(0);
  if (kind == Comparison.AND) return v128.and(i32x4.ne(a, zero), i32x4.ne(b, zero));
  return i32x4.ne(v128.or(a, b), zero);
}

/** Four elements from `at`, `step` (0 or 1) apart. */
@inline
function four(bytes: bool, at: usize, step: i32): v128 {
  if (!bytes) return step ? v128.load(at) : v128.load32_splat(at);
  if (!step) return i32x4.splat(<i32>load<u8>(at));
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at)));
}

@inline
function one(bytes: bool, at: usize): v128 {
  return bytes ? i32x4.splat(<i32>load<u8>(at)) : v128.load32_splat(at);
}

/** One run of answers; a step of 0 repeats one element. */
@inline
function run(kind: i32, bytes: bool, floats: bool, a: usize, stepA: i32, b: usize, stepB: i32, y: usize, n: i32): void {
  const size: usize = bytes ? 1 : 4;
  const nextA = <usize>stepA * size;
  const nextB = <usize>stepB * size;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const is = answers(kind, floats, four(bytes, a, stepA), four(bytes, b, stepB));
    const ones = v128.and(is, i32x4.splat(1));
    const words = i16x8.narrow_i32x4_u(ones, ones);
    v128.store_lane<u32>(y + i, i8x16.narrow_i16x8_u(words, words), 0);
    a += nextA << 2;
    b += nextB << 2;
  }
  for (; i < n; i++) {
    store<u8>(y + i, <u8>(i32x4.extract_lane(answers(kind, floats, one(bytes, a), one(bytes, b)), 0) & 1));
    a += nextA;
    b += nextB;
  }
}

/** Floats have a loop for each question; what else there is, is asked four by four. */
function compareRun(kind: i32, type: i32, a: usize, stepA: i32, b: usize, stepB: i32, y: usize, n: i32): void {
  if (type != Dtype.F32) return run(kind, type == Dtype.U8, false, a, stepA, b, stepB, y, n);
  switch (kind) {
    case Comparison.EQ: run(Comparison.EQ, false, true, a, stepA, b, stepB, y, n); break;
    case Comparison.NE: run(Comparison.NE, false, true, a, stepA, b, stepB, y, n); break;
    case Comparison.LT: run(Comparison.LT, false, true, a, stepA, b, stepB, y, n); break;
    case Comparison.LE: run(Comparison.LE, false, true, a, stepA, b, stepB, y, n); break;
  }
}

/** y = whether a and b compare so, with broadcasting. Threads share all elements, in runs of the last dimension. */
export function compare(r: CompareRecord, thread: i32, threads: i32): void {
  const rank = r.rank;
  const dims = r.dims;
  const last = (<usize>rank << 2) - 4;
  const n = load<i32>(dims + last);
  const stepA = load<i32>(r.stridesA + last);
  const stepB = load<i32>(r.stridesB + last);
  const shift: usize = r.type == Dtype.U8 ? 0 : 2;
  const total = r.outer * n;
  const to = shareEnd(total, 64, thread, threads);
  for (let i = shareStart(total, 64, thread, threads); i < to; ) {
    const o = i / n;
    const column = i - o * n;
    const length = min(n - column, to - i);
    const oa = offsetOf(o, dims, r.stridesA, rank - 1) + column * stepA;
    const ob = offsetOf(o, dims, r.stridesB, rank - 1) + column * stepB;
    compareRun(r.kind, r.type, r.a + (<usize>oa << shift), stepA, r.b + (<usize>ob << shift), stepB, r.y + i, length);
    i += length;
  }
}

/** y = c ? a : b in words of four bytes, with broadcasting. */
export function where(r: WhereRecord, thread: i32, threads: i32): void {
  const rank = r.rank;
  const dims = r.dims;
  const last = (<usize>rank << 2) - 4;
  const n = load<i32>(dims + last);
  const stepC = load<i32>(r.stridesC + last);
  const stepA = load<i32>(r.stridesA + last);
  const stepB = load<i32>(r.stridesB + last);
  const total = r.outer * n;
  const to = shareEnd(total, 64, thread, threads);
  for (let i = shareStart(total, 64, thread, threads); i < to; ) {
    const o = i / n;
    const column = i - o * n;
    const length = min(n - column, to - i);
    let c = r.c + <usize>(offsetOf(o, dims, r.stridesC, rank - 1) + column * stepC);
    let a = r.a + (<usize>(offsetOf(o, dims, r.stridesA, rank - 1) + column * stepA) << 2);
    let b = r.b + (<usize>(offsetOf(o, dims, r.stridesB, rank - 1) + column * stepB) << 2);
    let y = r.y + (<usize>i << 2);
    i += length;
    let k = 0;
    for (; k + 4 <= length; k += 4) {
      const zero = i32x4.eq(four(true, c, stepC), i32x4.splat(0));
      v128.store(y, v128.bitselect(four(false, b, stepB), four(false, a, stepA), zero));
      c += <usize>(stepC << 2);
      a += <usize>(stepA << 4);
      b += <usize>(stepB << 4);
      y += 16;
    }
    for (; k < length; k++) {
      store<u32>(y, load<u32>(load<u8>(c) ? a : b));
      c += <usize>stepC;
      a += <usize>(stepA << 2);
      b += <usize>(stepB << 2);
      y += 4;
    }
  }
}
