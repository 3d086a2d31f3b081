import { GatherBackwardRecord, GatherRecord } from './generated/records';
import { shareEnd, shareStart } from './threads';

/** y[o, c, :] = x[o, index[c], :], NaN outside. */
export function gather(r: GatherRecord, thread: i32, threads: i32): void {
  const x = r.x;
  const indices = r.indices;
  const y = r.y;
  const size = r.size;
  const inner = r.inner;
  const count = r.count;
  const all = r.outer * count;
  const end = shareEnd(all, 1, thread, threads);
  for (let i = shareStart(all, 1, thread, threads); i < end; i++) {
    const at = load<i32>(indices + (<usize>(i % count) << 2));
    const to = y + ((<usize>i * <usize>inner) << 2);
    if (at >= 0 && at < size) memory.copy(to, x + ((<usize>((i / count) * size + at) * <usize>inner) << 2), <usize>inner << 2);
    else for (let j = 0; j < inner; j++) store<f32>(to + (<usize>j << 2), NaN);
  }
}

/**
 * dx[o, index[c], :] += dy[o, c, :] in order of c; dx is zeroed first. Threads share the columns of `inner`
 * or, where that is one, the outer rows: no two add to one element.
 */
export function gatherBackward(r: GatherBackwardRecord, thread: i32, threads: i32): void {
  const dy = r.dy;
  const indices = r.indices;
  const dx = r.dx;
  const outer = r.outer;
  const size = r.size;
  const inner = r.inner;
  const count = r.count;
  const byRow = inner < threads;
  const firstRow = byRow ? shareStart(outer, 1, thread, threads) : 0;
  const endRow = byRow ? shareEnd(outer, 1, thread, threads) : outer;
  const from = byRow ? 0 : shareStart(inner, 1, thread, threads);
  const to = byRow ? inner : shareEnd(inner, 1, thread, threads);
  for (let o = firstRow; o < endRow; o++) {
    for (let s = 0; s < size; s++) {
      const row = dx + ((<usize>(o * size + s) * <usize>inner) << 2);
      memory.fill(row + (<usize>from << 2), 0, <usize>(to - from) << 2);
    }
    for (let c = 0; c < count; c++) {
      const at = load<i32>(indices + (<usize>c << 2));
      if (at < 0 || at >= size) continue;
      const source = dy + ((<usize>(o * count + c) * <usize>inner) << 2);
      const target = dx + ((<usize>(o * size + at) * <usize>inner) << 2);
      for (let i = from; i < to; i++) {
        const e = <usize>i << 2;
        store<f32>(target + e, load<f32>(target + e) + load<f32>(source + e));
      }
    }
  }
}
