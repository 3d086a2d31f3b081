import { offsetOf } from './walk';
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

/** Rows that are copied at once where neighbours in the source become rows of the target: as many as a cache line holds. */
const ROWS = 16;

/** Four neighbours each at x, x + stepX, ... become four runs at y, y + rowY, ... */
@inline
function turn(x: usize, stepX: usize, y: usize, rowY: usize): void {
  const a = v128.load(x);
  const b = v128.load(x + stepX);
  const c = v128.load(x + 2 * stepX);
  const d = v128.load(x + 3 * stepX);
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const ab2 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd2 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(y, v128.shuffle<i64>(ab, cd, 0, 2));
  v128.store(y + rowY, v128.shuffle<i64>(ab, cd, 1, 3));
  v128.store(y + 2 * rowY, v128.shuffle<i64>(ab2, cd2, 0, 2));
  v128.store(y + 3 * rowY, v128.shuffle<i64>(ab2, cd2, 1, 3));
}

/** `rows` runs of n words: their elements lie side by side in x, the runs at y, y + rowY, ... */
function turnRows(x: usize, stepX: usize, y: usize, rowY: usize, rows: i32, n: i32): void {
  const whole = n & -4;
  for (let i = 0; i < whole; i += 4)
    for (let r = 0; r < rows; r += 4)
      turn(x + <usize>i * stepX + (<usize>r << 2), stepX, y + <usize>r * rowY + (<usize>i << 2), rowY);
  for (let r = 0; r < rows; r++)
    copyRun(x + <usize>whole * stepX + (<usize>r << 2), stepX, y + <usize>r * rowY + (<usize>whole << 2), 4, n - whole, 4);
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
  const turned = size == 4 && stepY == 4 && n >= 4 && rank > 1 && load<i32>(stridesX + last - 4) == 1;
  const lines = turned ? load<i32>(dims + last - 4) : 1;
  const rowY = turned ? <usize>load<i32>(stridesY + last - 4) << 2 : 0;
  for (let o = shareStart(outer, 1, thread, threads); o < end; o++) {
    const ox = <usize>(offsetOf(o, dims, stridesX, rank - 1) * size);
    const oy = <usize>(offsetOf(o, dims, stridesY, rank - 1) * size);
    const rows = min(ROWS, min(end - o, lines - (o % lines))) & -4;
    if (rows == 0) copyRun(x + ox, stepX, y + oy, stepY, n, size);
    else {
      turnRows(x + ox, stepX, y + oy, rowY, rows, n);
      o += rows - 1;
    }
  }
}
