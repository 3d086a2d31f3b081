import { Dtype, ExtremeRecord, Reduction } from './generated/records';
import { spare } from './spare';
import { shareEnd, shareStart } from './threads';

/**
 * Largest and smallest of whole numbers, 16 bytes at a time. The smallest is the largest of numbers whose bits are turned over, turned
 * back. What is left over at an end goes through once more with what stands before it, which changes nothing.
 */
@inline
function most<T>(a: v128, b: v128): v128 {
  return sizeof<T>() == 1 ? i8x16.max_u(a, b) : i32x4.max_s(a, b);
}

/** Of `count` numbers, `stride` bytes apart. */
function ofFew<T>(x: usize, count: i32, stride: usize, turned: T): T {
  let best = load<T>(x) ^ turned;
  for (let c = 1; c < count; c++) {
    x += stride;
    best = max<T>(best, load<T>(x) ^ turned);
  }
  return best ^ turned;
}

/** Of the numbers in `bytes` neighbouring bytes. */
function along<T>(x: usize, bytes: usize, turned: T, turn: v128): T {
  if (bytes < 16) return ofFew<T>(x, <i32>(bytes / sizeof<T>()), sizeof<T>(), turned);
  let best = v128.xor(v128.load(x + bytes - 16), turn);
  for (const end = x + bytes - 15; x < end; x += 16) best = most<T>(best, v128.xor(v128.load(x), turn));
  v128.store(spare(0), v128.xor(best, turn));
  return ofFew<T>(spare(0), 16 / sizeof<T>(), sizeof<T>(), turned);
}

/** Of the columns in `bytes` neighbouring bytes of `count` rows. */
function across<T>(x: usize, y: usize, bytes: usize, count: i32, stride: usize, turned: T, turn: v128): void {
  if (bytes < 16) {
    for (let j: usize = 0; j < bytes; j += sizeof<T>()) store<T>(y + j, ofFew<T>(x + j, count, stride, turned));
    return;
  }
  let j: usize = 0;
  for (; j + 64 <= bytes; j += 64) {
    let at = x + j;
    let b0 = v128.xor(v128.load(at), turn);
    let b1 = v128.xor(v128.load(at, 16), turn);
    let b2 = v128.xor(v128.load(at, 32), turn);
    let b3 = v128.xor(v128.load(at, 48), turn);
    for (let c = 1; c < count; c++) {
      at += stride;
      b0 = most<T>(b0, v128.xor(v128.load(at), turn));
      b1 = most<T>(b1, v128.xor(v128.load(at, 16), turn));
      b2 = most<T>(b2, v128.xor(v128.load(at, 32), turn));
      b3 = most<T>(b3, v128.xor(v128.load(at, 48), turn));
    }
    v128.store(y + j, v128.xor(b0, turn));
    v128.store(y + j, v128.xor(b1, turn), 16);
    v128.store(y + j, v128.xor(b2, turn), 32);
    v128.store(y + j, v128.xor(b3, turn), 48);
  }
  for (; j < bytes; j += 16) {
    const first = min(j, bytes - 16);
    let at = x + first;
    let best = v128.xor(v128.load(at), turn);
    for (let c = 1; c < count; c++) {
      at += stride;
      best = most<T>(best, v128.xor(v128.load(at), turn));
    }
    v128.store(y + first, v128.xor(best, turn));
  }
}

function extremes<T>(r: ExtremeRecord, thread: i32, threads: i32): void {
  const least = r.kind == Reduction.MIN;
  const turned = <T>(least ? -1 : 0);
  const turn = i32x4.splat(least ? -1 : 0);
  const outer = r.outer;
  const count = r.count;
  const inner = r.inner;
  if (inner == 1) {
    const run = <usize>count * sizeof<T>();
    const end = shareEnd(outer, 16, thread, threads);
    for (let o = shareStart(outer, 16, thread, threads); o < end; o++)
      store<T>(r.y + <usize>o * sizeof<T>(), along<T>(r.x + <usize>o * run, run, turned, turn));
    return;
  }
  const stride = <usize>inner * sizeof<T>();
  const start = <usize>shareStart(inner, 16, thread, threads) * sizeof<T>();
  const bytes = <usize>shareEnd(inner, 16, thread, threads) * sizeof<T>() - start;
  for (let o: usize = 0; o < <usize>outer; o++)
    across<T>(r.x + o * <usize>count * stride + start, r.y + o * stride + start, bytes, count, stride, turned, turn);
}

/** (outer, count, inner) -> (outer, inner) of i32 or u8 */
export function extreme(r: ExtremeRecord, thread: i32, threads: i32): void {
  if (r.type == Dtype.U8) extremes<u8>(r, thread, threads);
  else extremes<i32>(r, thread, threads);
}
