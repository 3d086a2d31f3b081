import { Dtype, SortRecord } from './generated/records';
import { shareEnd, shareStart } from './threads';

/** Up to so many are kept in order as a row is read; more are sorted by their digits. */
const FEW: i32 = 32;
const DIGITS: i32 = 256;
/** Counts of four digits. */
const COUNTS: usize = <usize>DIGITS * 16;

/** Unsigned integers in the order of the numbers: NaN above all, -0 equal to 0; turned over for a descending order. */
@inline
function keyAt(at: usize, whole: bool, flip: u32): u32 {
  if (whole) return load<u32>(at) ^ 0x80000000 ^ flip;
  const x = load<f32>(at);
  const bits = reinterpret<u32>(x + 0);
  const ordered = bits ^ (<u32>(<i32>bits >> 31) | 0x80000000);
  return (x != x ? 0xffffffff : ordered) ^ flip;
}

/** The first k, by insertion. The keys of what is kept lie where the values come at the end. */
function few(x: usize, values: usize, indices: usize, n: i32, k: i32, whole: bool, flip: u32): void {
  let kept: i32 = 0;
  let last: u32 = 0;
  for (let i = 0; i < n; i++) {
    const key = keyAt(x + (<usize>i << 2), whole, flip);
    if (kept == k && key >= last) continue;
    if (kept < k) kept++;
    let at = <usize>(kept - 1) << 2;
    for (; at > 0 && load<u32>(values + at - 4) > key; at -= 4) {
      store<u32>(values + at, load<u32>(values + at - 4));
      store<i32>(indices + at, load<i32>(indices + at - 4));
    }
    store<u32>(values + at, key);
    store<i32>(indices + at, i);
    last = load<u32>(values + (<usize>(kept - 1) << 2));
  }
  for (let j = 0; j < k; j++) {
    const at = <usize>j << 2;
    store<u32>(values + at, load<u32>(x + (<usize>load<i32>(indices + at) << 2)));
  }
}

/** Pairs (key, place) sorted by the key's four digits, the lowest first, each time keeping the order of equals; where they are then. */
function byDigits(x: usize, n: i32, whole: bool, flip: u32, from: usize, counts: usize): usize {
  let to = from + (<usize>n << 3);
  memory.fill(counts, 0, COUNTS);
  for (let i = 0; i < n; i++) {
    const key = keyAt(x + (<usize>i << 2), whole, flip);
    store<u64>(from + (<usize>i << 3), (<u64>key << 32) | <u64>i);
    for (let d: u32 = 0; d < 4; d++) {
      const at = counts + (<usize>(d * DIGITS + ((key >> (d * 8)) & 255)) << 2);
      store<i32>(at, load<i32>(at) + 1);
    }
  }
  for (let d: u32 = 0; d < 4; d++) {
    const shift = <u64>(32 + d * 8);
    const places = counts + (<usize>(d * DIGITS) << 2);
    // Where all have one digit nothing moves.
    if (load<i32>(places + (<usize>((load<u64>(from) >> shift) & 255) << 2)) == n) continue;
    let place: i32 = 0;
    for (let at = places; at < places + (<usize>DIGITS << 2); at += 4) {
      const here = load<i32>(at);
      store<i32>(at, place);
      place += here;
    }
    for (let i = 0; i < n; i++) {
      const pair = load<u64>(from + (<usize>i << 3));
      const at = places + (<usize>((pair >> shift) & 255) << 2);
      const next = load<i32>(at);
      store<u64>(to + (<usize>next << 3), pair);
      store<i32>(at, next + 1);
    }
    const other = from;
    from = to;
    to = other;
  }
  return from;
}

/** The first k of each row in order, and where they were. */
export function sort(r: SortRecord, thread: i32, threads: i32): void {
  const n = r.n;
  const k = r.k;
  const whole = r.type == Dtype.I32;
  const flip: u32 = r.descending ? 0xffffffff : 0;
  const counts = r.scratch + <usize>thread * <usize>r.scratchPerThread;
  const end = shareEnd(r.rows, 1, thread, threads);
  for (let row = shareStart(r.rows, 1, thread, threads); row < end; row++) {
    const x = r.x + ((<usize>row * <usize>n) << 2);
    const values = r.values + ((<usize>row * <usize>k) << 2);
    const indices = r.indices + ((<usize>row * <usize>k) << 2);
    if (k <= FEW) {
      if (k > 0) few(x, values, indices, n, k, whole, flip);
      continue;
    }
    const pairs = byDigits(x, n, whole, flip, r.pairs + ((<usize>row * <usize>n) << 4), counts);
    for (let j = 0; j < k; j++) {
      const at = <usize>j << 2;
      const place = load<i32>(pairs + (<usize>j << 3));
      store<i32>(indices + at, place);
      store<u32>(values + at, load<u32>(x + (<usize>place << 2)));
    }
  }
}
