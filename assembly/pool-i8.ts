import { AvgPoolI8Record } from './generated/records';
import { requantize } from './matmul/finish-i8';
import { divisorOf, endTap, firstTap } from './pool';
import { loadBytes, storeBytes } from './quantized';
import { shareEnd, shareStart } from './threads';

/** The mean of each window of bytes, in integers; see src/ops/pool.ts for the formula. Threads share the rows of windows. */
export function avgPoolI8(r: AvgPoolI8Record, thread: i32, threads: i32): void {
  const all = r.images * r.rows;
  const end = shareEnd(all, 1, thread, threads);
  const channels = <usize>r.channels;
  const width = r.width;
  const shift = r.shift;
  const half = i64x2.splat((<i64>1) << (shift - 1));
  const zero = i32x4.splat(r.zeroPoint);
  for (let line = shareStart(all, 1, thread, threads); line < end; line++) {
    const image = line / r.rows;
    const top = (line - image * r.rows) * r.strideDown - r.paddingDown;
    const i0 = firstTap(top, 1);
    const down = endTap(top, 1, r.kernelHeight, r.height) - i0;
    const rows = r.x + <usize>((image * r.height + top + i0) * width) * channels;
    let y = r.y + <usize>(line * r.columns) * channels;
    for (let column = 0, left = -r.paddingAcross; column < r.columns; column++, left += r.strideAcross, y += channels) {
      const j0 = firstTap(left, 1);
      const across = endTap(left, 1, r.kernelWidth, width) - j0;
      const inside = max(0, down) * max(0, across);
      const divisor = <u32>divisorOf(
        r.divisor, r.padded, top, left, r.kernelHeight, r.kernelWidth, r.height + r.paddingDown, width + r.paddingAcross, inside,
      );
      // multiplier / divisor to the nearest, halves up.
      const rest = <u32>r.multiplier % divisor;
      const multiplier = i32x4.splat(<i32>(<u32>r.multiplier / divisor + u32(rest >= divisor - rest)));
      const taken = i32x4.splat(-inside * r.inputZero);
      const x = rows + <usize>(left + j0) * channels;
      for (let c = 0; c < r.channels; c += 4) {
        const n = r.channels - c;
        let sum = taken;
        for (let i = 0, row = x + c; i < down; i++, row += channels * <usize>width)
          for (let j = 0, at = row; j < across; j++, at += channels)
            sum = i32x4.add(sum, i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(loadBytes(at, n))));
        const q = i32x4.add(requantize(false, sum, multiplier, half, shift), zero);
        storeBytes(y + c, n, i32x4.max_s(i32x4.min_s(q, i32x4.splat(255)), i32x4.splat(0)));
      }
    }
  }
}
