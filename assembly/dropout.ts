import { DropoutRecord } from './generated/records';
import { shareEnd, shareStart } from './threads';
import { loadPart, storePart } from './vector';

@inline
function rotate(x: v128, by: i32): v128 {
  return v128.or(i32x4.shl(x, by), i32x4.shr_u(x, 32 - by));
}

@inline
function round(y: v128, by: i32, x: v128): v128 {
  return v128.xor(rotate(y, by), x);
}

/**
 * Threefry-2x32-20 on eight counters at once, sixteen elements: counter c gives words (x, y), element 2c takes x and
 * element 2c + 1 takes y. See src/core/random.ts. Of the counters 0 to 7, one vector has 0, 1, 4, 5 and the other 2, 3, 6, 7, so
 * that what they give lies side by side: V8 makes one wide vector of both.
 */
export function dropout(r: DropoutRecord, thread: i32, threads: i32): void {
  const source = r.x;
  const seed = r.seed;
  const target = r.y;
  const n = r.count;
  const threshold = i32x4.splat(r.threshold);
  const scale = f32x4.splat(r.scale);
  const k0 = load<i32>(seed);
  const k1 = r.salt;
  const key0 = i32x4.splat(k0);
  const key1 = i32x4.splat(k1);
  const key2 = i32x4.splat(0x1bd11bda ^ k0 ^ k1);
  const step = i32x4.add(i32x4.splat(load<i32>(seed, 4)), key1);
  const end = shareEnd(n, 16, thread, threads);
  for (let i = shareStart(n, 16, thread, threads); i < end; i += 16) {
    const first = i32x4.splat(i >> 1);
    let x0 = i32x4.add(i32x4.add(first, i32x4(0, 1, 4, 5)), key0);
    let x1 = i32x4.add(i32x4.add(first, i32x4(2, 3, 6, 7)), key0);
    let y0 = step;
    let y1 = step;
    // Four rounds and a pair of keys, five times: (1, 2), (2, 0), (0, 1), (1, 2), (2, 0).
    let keyA = key1;
    let keyB = key2;
    let keyC = key0;
    for (let group = 1; ; group += 2) {
      x0 = i32x4.add(x0, y0);
      x1 = i32x4.add(x1, y1);
      y0 = round(y0, 13, x0);
      y1 = round(y1, 13, x1);
      x0 = i32x4.add(x0, y0);
      x1 = i32x4.add(x1, y1);
      y0 = round(y0, 15, x0);
      y1 = round(y1, 15, x1);
      x0 = i32x4.add(x0, y0);
      x1 = i32x4.add(x1, y1);
      y0 = round(y0, 26, x0);
      y1 = round(y1, 26, x1);
      x0 = i32x4.add(x0, y0);
      x1 = i32x4.add(x1, y1);
      y0 = round(y0, 6, x0);
      y1 = round(y1, 6, x1);
      x0 = i32x4.add(x0, keyA);
      x1 = i32x4.add(x1, keyA);
      y0 = i32x4.add(i32x4.add(y0, keyB), i32x4.splat(group));
      y1 = i32x4.add(i32x4.add(y1, keyB), i32x4.splat(group));
      if (group == 5) break;
      x0 = i32x4.add(x0, y0);
      x1 = i32x4.add(x1, y1);
      y0 = round(y0, 17, x0);
      y1 = round(y1, 17, x1);
      x0 = i32x4.add(x0, y0);
      x1 = i32x4.add(x1, y1);
      y0 = round(y0, 29, x0);
      y1 = round(y1, 29, x1);
      x0 = i32x4.add(x0, y0);
      x1 = i32x4.add(x1, y1);
      y0 = round(y0, 16, x0);
      y1 = round(y1, 16, x1);
      x0 = i32x4.add(x0, y0);
      x1 = i32x4.add(x1, y1);
      y0 = round(y0, 24, x0);
      y1 = round(y1, 24, x1);
      x0 = i32x4.add(x0, keyB);
      x1 = i32x4.add(x1, keyB);
      y0 = i32x4.add(i32x4.add(y0, keyC), i32x4.splat(group + 1));
      y1 = i32x4.add(i32x4.add(y1, keyC), i32x4.splat(group + 1));
      const last = keyC;
      keyC = keyB;
      keyB = keyA;
      keyA = last;
    }
    const w0 = v128.shuffle<i32>(x0, y0, 0, 4, 1, 5);
    const w1 = v128.shuffle<i32>(x1, y1, 0, 4, 1, 5);
    const w2 = v128.shuffle<i32>(x0, y0, 2, 6, 3, 7);
    const w3 = v128.shuffle<i32>(x1, y1, 2, 6, 3, 7);
    const from = source + (<usize>i << 2);
    const to = target + (<usize>i << 2);
    const left = end - i;
    if (left >= 16) {
      const d0 = dropped(v128.load(from), w0, threshold, scale);
      const d1 = dropped(v128.load(from, 16), w1, threshold, scale);
      const d2 = dropped(v128.load(from, 32), w2, threshold, scale);
      const d3 = dropped(v128.load(from, 48), w3, threshold, scale);
      v128.store(to, d0);
      v128.store(to, d1, 16);
      v128.store(to, d2, 32);
      v128.store(to, d3, 48);
      continue;
    }
    drop(from, to, left, w0, threshold, scale);
    if (left > 4) drop(from + 16, to + 16, left - 4, w1, threshold, scale);
    if (left > 8) drop(from + 32, to + 32, left - 8, w2, threshold, scale);
    if (left > 12) drop(from + 48, to + 48, left - 12, w3, threshold, scale);
  }
}

@inline
function dropped(v: v128, words: v128, threshold: v128, scale: v128): v128 {
  return v128.and(f32x4.mul(v, scale), i32x4.ge_u(words, threshold));
}

@inline
function drop(from: usize, to: usize, count: i32, words: v128, threshold: v128, scale: v128): void {
  storePart(to, count, dropped(loadPart(from, count, 0), words, threshold, scale));
}
