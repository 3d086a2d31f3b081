import { dotBytes } from '../isa';

/**
 * One row of an int8 product, sums[0 .. to - from) = bias + x W^T for the rows [from, to) of W (n, k) where they lie: a weight is
 * read once, as one byte, and widened on the way. `bytes`: by the relaxed dot, else by dot_i16x8.
 */
export function rowI8(x: usize, w: usize, k: i32, bias: usize, sums: usize, from: i32, to: i32, bytes: bool): void {
  const next = <usize>k;
  let row = w + <usize>from * next;
  let start = bias + (<usize>from << 2);
  let j = from;
  for (; j + 4 <= to; j += 4, row += 4 * next, start += 16, sums += 16) {
    const total = bytes ? fourRows(true, x, row, next, k) : fourRows(false, x, row, next, k);
    v128.store(sums, i32x4.add(v128.load(start), total));
  }
  // The last ones by themselves, each four times over.
  for (; j < to; j++, row += next, start += 4, sums += 4) {
    const total = bytes ? fourRows(true, x, row, 0, k) : fourRows(false, x, row, 0, k);
    store<i32>(sums, load<i32>(start) + i32x4.extract_lane(total, 0));
  }
}

/** x times four rows that lie `next` bytes apart. */
@inline
function fourRows(bytes: bool, x: usize, w: usize, next: usize, k: i32): v128 {
  const w1 = w + next;
  const w2 = w1 + next;
  const w3 = w2 + next;
  const whole = <usize>(k & ~7);
  let s0 = i32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let at: usize = 0;
  if (bytes) {
    for (; at + 16 <= whole; at += 16) {
      const v = v128.load(x + at);
      s0 = dotBytes(v128.load(w + at), v, s0);
      s1 = dotBytes(v128.load(w1 + at), v, s1);
      s2 = dotBytes(v128.load(w2 + at), v, s2);
      s3 = dotBytes(v128.load(w3 + at), v, s3);
    }
  }
  for (; at < whole; at += 8) {
    const v = v128.load8x8_u(x + at);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v, v128.load8x8_s(w + at)));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v, v128.load8x8_s(w1 + at)));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v, v128.load8x8_s(w2 + at)));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v, v128.load8x8_s(w3 + at)));
  }
  const total = sumOfEach(s0, s1, s2, s3);
  return at < <usize>k ? i32x4.add(total, lastOfK(x, w, next, at, k)) : total;
}

/** The sum across each of four vectors. */
@inline
function sumOfEach(s0: v128, s1: v128, s2: v128, s3: v128): v128 {
  const a = i32x4.add(v128.shuffle<i32>(s0, s1, 0, 4, 1, 5), v128.shuffle<i32>(s0, s1, 2, 6, 3, 7));
  const b = i32x4.add(v128.shuffle<i32>(s2, s3, 0, 4, 1, 5), v128.shuffle<i32>(s2, s3, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i64>(a, b, 0, 2), v128.shuffle<i64>(a, b, 1, 3));
}

/** The last one to seven terms of four sums. */
function lastOfK(x: usize, w: usize, next: usize, at: usize, k: i32): v128 {
  let sums = i32x4.splat(0);
  for (; at < <usize>k; at++) {
    let words = i32x4.splat(<i32>load<i8>(w + at));
    words = i32x4.replace_lane(words, 1, <i32>load<i8>(w + next + at));
    words = i32x4.replace_lane(words, 2, <i32>load<i8>(w + next * 2 + at));
    words = i32x4.replace_lane(words, 3, <i32>load<i8>(w + next * 3 + at));
    sums = i32x4.add(sums, i32x4.mul(words, i32x4.splat(<i32>load<u8>(x + at))));
  }
  return sums;
}
