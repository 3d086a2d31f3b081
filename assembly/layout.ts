import { offsetOf } from './elementwise';
import { StridedCopyRecord } from './generated/records';
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

/** Copies a block between any two strided places: transpose, slice, concat and broadcast are all this. */
export function stridedCopy(r: StridedCopyRecord, thread: i32, threads: i32): void {
  const x = r.x;
  const y = r.y;
  const size = r.size;
  const rank = r.rank;
  const outer = r.outer;
  const dims = r.dims;
  const stridesX = r.stridesX;
  const stridesY = r.stridesY;
  const last = (<usize>rank << 2) - 4;
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
