import { GatherRecord, ScatterAddRecord } from './generated/records';
import { shareEnd, shareStart } from './threads';

/** y[o, c, :] = x[o, index[c], :] or, with an index for each element, y[o, c, i] = x[o, index[o, c, i], i]. */
export function gather(r: GatherRecord, thread: i32, threads: i32): void {
  const x = r.x;
  const indices = r.indices;
  const y = r.y;
  const size = r.size;
  const inner = r.inner;
  const count = r.count;
  const width = <usize>r.width;
  const outside = r.outside;
  const each = r.each;
  const all = r.outer * count;
  const run = <usize>inner * width;
  const end = shareEnd(all, 1, thread, threads);
  for (let row = shareStart(all, 1, thread, threads); row < end; row++) {
    const from = x + <usize>(row / count) * <usize>size * run;
    const to = y + <usize>row * run;
    if (each) {
      const own = indices + ((<usize>row * <usize>inner) << 2);
      for (let i: usize = 0; i < <usize>inner; i++) {
        const at = load<i32>(own + (i << 2));
        const inside = at >= 0 && at < size;
        const source = from + <usize>at * run + i * width;
        if (width == 4) store<u32>(to + (i << 2), inside ? load<u32>(source) : outside);
        else store<u8>(to + i, inside ? load<u8>(source) : <u8>outside);
      }
      continue;
    }
    const at = load<i32>(indices + (<usize>(row % count) << 2));
    if (at >= 0 && at < size) memory.copy(to, from + <usize>at * run, run);
    else if (width == 4) for (let i: usize = 0; i < run; i += 4) store<u32>(to + i, outside);
    else memory.fill(to, <u8>outside, run);
  }
}

@inline
function addFloat(to: usize, from: usize): void {
  store<f32>(to, load<f32>(to) + load<f32>(from));
}

/** to[i] += from[i]: vectors, then what is left. */
@inline
function addFloats(to: usize, from: usize, bytes: usize): void {
  let e: usize = 0;
  for (; e + 16 <= bytes; e += 16) v128.store(to + e, f32x4.add(v128.load(to + e), v128.load(from + e)));
  for (; e < bytes; e += 4) addFloat(to + e, from + e);
}

/**
 * y[o, index[c], :] += source[o, c, :] in order of c, or, with an index for each element, y[o, index[o, c, i], i] +=
 * source[o, c, i]. Threads share the columns of `inner` or, where they are few, the outer rows: no two add to one element.
 */
export function scatterAdd(r: ScatterAddRecord, thread: i32, threads: i32): void {
  const source = r.source;
  const indices = r.indices;
  const y = r.y;
  const size = r.size;
  const inner = r.inner;
  const count = r.count;
  const skipped = r.skipped;
  const each = r.each;
  const byRow = inner < 4 * threads;
  const firstRow = byRow ? shareStart(r.outer, 1, thread, threads) : 0;
  const endRow = byRow ? shareEnd(r.outer, 1, thread, threads) : r.outer;
  // A cache line each, where there are so many, and a vector else.
  const unit = inner >= 16 * threads ? 16 : 4;
  const first: usize = byRow ? 0 : <usize>shareStart(inner, unit, thread, threads) << 2;
  const bytes = (byRow ? <usize>inner << 2 : <usize>shareEnd(inner, unit, thread, threads) << 2) - first;
  const run = <usize>inner << 2;
  for (let o = firstRow; o < endRow; o++) {
    const table = y + <usize>o * <usize>size * run + first;
    let from = source + <usize>o * <usize>count * run + first;
    for (let c = 0; c < count; c++, from += run) {
      if (each) {
        const own = indices + (from - source);
        for (let e: usize = 0; e < bytes; e += 4) {
          const at = load<i32>(own + e);
          if (at >= 0 && at < size && at != skipped) addFloat(table + <usize>at * run + e, from + e);
        }
        continue;
      }
      const at = load<i32>(indices + (<usize>c << 2));
      if (at >= 0 && at < size && at != skipped) addFloats(table + <usize>at * run, from, bytes);
    }
  }
}
