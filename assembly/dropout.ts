import { shareEnd, shareStart } from './threads';
import { loadPart, storePart } from './vector';

@inline
function rotate(x: v128, by: i32): v128 {
  return v128.or(i32x4.shl(x, by), i32x4.shr_u(x, 32 - by));
}

/**
 * Threefry-2x32-20 on four counters at once, eight elements: counter c gives words (x, y), element 2c takes x and
 * element 2c + 1 takes y. See src/core/random.ts.
 * Record: x, seed (two i32), y, count, salt, threshold u32, scale f32
 */
export function dropout(a: usize, thread: i32, threads: i32): void {
  const source = <usize>load<u32>(a);
  const seed = <usize>load<u32>(a, 4);
  const target = <usize>load<u32>(a, 8);
  const n = load<i32>(a, 12);
  const threshold = i32x4.splat(load<i32>(a, 20));
  const scale = f32x4.splat(load<f32>(a, 24));
  const k0 = load<i32>(seed);
  const k1 = load<i32>(a, 16);
  let key0 = i32x4.splat(k0);
  let key1 = i32x4.splat(k1);
  let key2 = i32x4.splat(0x1bd11bda ^ k0 ^ k1);
  const step = i32x4.add(i32x4.splat(load<i32>(seed, 4)), key1);
  const end = shareEnd(n, 16, thread, threads);
  for (let i = shareStart(n, 16, thread, threads); i < end; i += 8) {
    let x = i32x4.add(i32x4.add(i32x4.splat(i >> 1), i32x4(0, 1, 2, 3)), key0);
    let y = step;
    for (let group = 0; group < 5; group++) {
      const odd = group & 1;
      x = i32x4.add(x, y);
      y = v128.xor(rotate(y, odd ? 17 : 13), x);
      x = i32x4.add(x, y);
      y = v128.xor(rotate(y, odd ? 29 : 15), x);
      x = i32x4.add(x, y);
      y = v128.xor(rotate(y, odd ? 16 : 26), x);
      x = i32x4.add(x, y);
      y = v128.xor(rotate(y, odd ? 24 : 6), x);
      // Keys take turns: (1, 2), (2, 0), (0, 1), (1, 2), (2, 0).
      x = i32x4.add(x, key1);
      y = i32x4.add(i32x4.add(y, key2), i32x4.splat(group + 1));
      const first = key0;
      key0 = key1;
      key1 = key2;
      key2 = first;
    }
    // Five turns of three keys leave them moved by two: one more turn brings them back.
    const first = key0;
    key0 = key1;
    key1 = key2;
    key2 = first;
    drop(source, target, i, end, v128.shuffle<i32>(x, y, 0, 4, 1, 5), threshold, scale);
    if (i + 4 < end) drop(source, target, i + 4, end, v128.shuffle<i32>(x, y, 2, 6, 3, 7), threshold, scale);
  }
}

@inline
function drop(source: usize, target: usize, i: i32, end: i32, words: v128, threshold: v128, scale: v128): void {
  const at = <usize>i << 2;
  const kept = f32x4.mul(loadPart(source + at, end - i, 0), scale);
  storePart(target + at, end - i, v128.and(kept, i32x4.ge_u(words, threshold)));
}
