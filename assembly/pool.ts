import { Dtype, MaxPoolBackwardRecord, MaxPoolRecord } from './generated/records';
import { shareEnd, shareStart } from './threads';

/** The first tap that lies inside, of taps that begin at `start`, `apart` from each other. */
@inline
function firstTap(start: i32, apart: i32): i32 {
  return start < 0 ? (apart - 1 - start) / apart : 0;
}

/** The tap behind the last that lies inside. */
@inline
function endTap(start: i32, apart: i32, taps: i32, size: i32): i32 {
  return min(taps, start < size ? (size - start + apart - 1) / apart : 0);
}

/** The largest of each window; threads share the rows of windows. The padding is lower than anything. */
export function maxPool(r: MaxPoolRecord, thread: i32, threads: i32): void {
  const all = r.planes * r.rows;
  // Rows of bytes from two threads may meet in a word, but no two threads write one byte.
  const from = shareStart(all, 1, thread, threads);
  const end = shareEnd(all, 1, thread, threads);
  if (r.type == Dtype.U8) for (let i = from; i < end; i++) maxRow<u8>(r, i, 0);
  else for (let i = from; i < end; i++) maxRow<f32>(r, i, -Infinity);
}

@inline
function maxRow<T>(r: MaxPoolRecord, row: i32, lowest: T): void {
  const columns = r.columns;
  const width = r.width;
  const taps = r.kernelWidth;
  const down = r.dilationDown;
  const across = r.dilationAcross;
  const plane = r.x + <usize>(row / r.rows) * <usize>r.height * <usize>width * sizeof<T>();
  const top = (row % r.rows) * r.strideDown - r.paddingDown;
  const firstRow = top + firstTap(top, down) * down;
  const endRow = top + endTap(top, down, r.kernelHeight, r.height) * down;
  let y = r.y + <usize>row * <usize>columns * sizeof<T>();
  let left = -r.paddingAcross;
  for (let c = 0; c < columns; c++) {
    const firstColumn = left + firstTap(left, across) * across;
    const endColumn = left + endTap(left, across, taps, width) * across;
    let best = lowest;
    for (let i = firstRow; i < endRow; i += down) {
      const line = plane + <usize>i * <usize>width * sizeof<T>();
      for (let j = firstColumn; j < endColumn; j += across) {
        const v = load<T>(line + <usize>j * sizeof<T>());
        // Not max(): that of two zeros is the first, and NaN stays.
        if (v > best || v != v) best = v;
      }
    }
    store<T>(y, best);
    y += sizeof<T>();
    left += r.strideAcross;
  }
}

/** dx is what the windows give their winners, the first largest or the last NaN; threads share the planes. */
export function maxPoolBackward(r: MaxPoolBackwardRecord, thread: i32, threads: i32): void {
  const rows = r.rows;
  const columns = r.columns;
  const height = r.height;
  const width = r.width;
  const down = r.dilationDown;
  const across = r.dilationAcross;
  const bytes = (<usize>height * <usize>width) << 2;
  const end = shareEnd(r.planes, 1, thread, threads);
  for (let p = shareStart(r.planes, 1, thread, threads); p < end; p++) {
    const x = r.x + <usize>p * bytes;
    const dx = r.dx + <usize>p * bytes;
    let dy = r.dy + ((<usize>p * <usize>rows * <usize>columns) << 2);
    memory.fill(dx, 0, bytes);
    for (let row = 0; row < rows; row++) {
      const top = row * r.strideDown - r.paddingDown;
      const firstRow = top + firstTap(top, down) * down;
      const endRow = top + endTap(top, down, r.kernelHeight, height) * down;
      for (let column = 0; column < columns; column++) {
        const left = column * r.strideAcross - r.paddingAcross;
        const firstColumn = left + firstTap(left, across) * across;
        const endColumn = left + endTap(left, across, r.kernelWidth, width) * across;
        let winner = -1;
        let best: f32 = 0;
        for (let i = firstRow; i < endRow; i += down)
          for (let j = firstColumn; j < endColumn; j += across) {
            const at = i * width + j;
            const v = load<f32>(x + (<usize>at << 2));
            if (winner < 0 || v > best || v != v) {
              winner = at;
              best = v;
            }
          }
        if (winner >= 0) {
          const to = dx + (<usize>winner << 2);
          store<f32>(to, load<f32>(to) + load<f32>(dy));
        }
        dy += 4;
      }
    }
  }
}
