import { offsetOf } from './elementwise';
import { shareEnd, shareStart } from './threads';

@inline
function copyRun(x: usize, stepX: usize, y: usize, stepY: usize, n: i32, size: i32): void {
  if (stepX == <usize>size && stepY == <usize>size) {
    memory.copy(y, x, <usize>n * <usize>size);
    return;
  }
  if (size == 4)
    for (let i = 0; i < n; i++, x += stepX, y += stepY) store<u32>(y, load<u32>(x));
  else for (let i = 0; i < n; i++, x += stepX, y += stepY) store<u8>(y, load<u8>(x));
}

/**
 * Copies a block between any two strided places: transpose, slice, concat and broadcast are all this.
 * Record: x, y, element size, rank, outer count, dims[rank], strides x[rank], strides y[rank]
 * (x and y point at the first element; strides are in elements)
 */
export function stridedCopy(a: usize, thread: i32, threads: i32): void {
  const x = <usize>load<u32>(a);
  const y = <usize>load<u32>(a, 4);
  const size = load<i32>(a, 8);
  const rank = load<i32>(a, 12);
  const outer = load<i32>(a, 16);
  const dims = a + 20;
  const width = <usize>rank << 2;
  const stridesX = dims + width;
  const stridesY = stridesX + width;
  const last = width - 4;
  const n = load<i32>(dims + last);
  const stepX = <usize>(load<i32>(stridesX + last) * size);
  const stepY = <usize>(load<i32>(stridesY + last) * size);
  const end = shareEnd(outer, 1, thread, threads);
  for (let o = shareStart(outer, 1, thread, threads); o < end; o++) {
    const ox = <usize>(offsetOf(o, dims, stridesX, rank - 1) * size);
    const oy = <usize>(offsetOf(o, dims, stridesY, rank - 1) * size);
    copyRun(x + ox, stepX, y + oy, stepY, n, size);
  }
}

/** y[o, c, :] = x[o, index[c], :], NaN outside. Record: x, indices, y, outer, size, inner, count */
export function gather(a: usize, thread: i32, threads: i32): void {
  const x = <usize>load<u32>(a);
  const indices = <usize>load<u32>(a, 4);
  const y = <usize>load<u32>(a, 8);
  const outer = load<i32>(a, 12);
  const size = load<i32>(a, 16);
  const inner = load<i32>(a, 20);
  const count = load<i32>(a, 24);
  const end = shareEnd(outer * count, 1, thread, threads);
  for (let r = shareStart(outer * count, 1, thread, threads); r < end; r++) {
    const at = load<i32>(indices + (<usize>(r % count) << 2));
    const to = y + ((<usize>r * <usize>inner) << 2);
    if (at >= 0 && at < size) memory.copy(to, x + ((<usize>((r / count) * size + at) * <usize>inner) << 2), <usize>inner << 2);
    else for (let i = 0; i < inner; i++) store<f32>(to + (<usize>i << 2), NaN);
  }
}

/**
 * dx[o, index[c], :] += dy[o, c, :] in order of c; dx is zeroed first. Threads share the columns of `inner`
 * or, where that is one, the outer rows: no two add to one element. Record: dy, indices, dx, outer, size, inner, count
 */
export function gatherBackward(a: usize, thread: i32, threads: i32): void {
  const dy = <usize>load<u32>(a);
  const indices = <usize>load<u32>(a, 4);
  const dx = <usize>load<u32>(a, 8);
  const outer = load<i32>(a, 12);
  const size = load<i32>(a, 16);
  const inner = load<i32>(a, 20);
  const count = load<i32>(a, 24);
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
