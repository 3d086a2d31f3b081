import { AvgPoolBackwardRecord, AvgPoolRecord, Dtype, MaxPoolBackwardRecord, MaxPoolRecord } from './generated/records';
import { shareEnd, shareStart } from './threads';
import { loadPart, storePart } from './vector';

/** The first tap that lies inside, of taps that begin at `start`, `apart` from each other. */
@inline
export function firstTap(start: i32, apart: i32): i32 {
  return start < 0 ? (apart - 1 - start) / apart : 0;
}

/** The tap behind the last that lies inside. */
@inline
export function endTap(start: i32, apart: i32, taps: i32, size: i32): i32 {
  return min(taps, start < size ? (size - start + apart - 1) / apart : 0);
}

/** The largest of each window, channels last; threads share the rows of windows. The padding is lower than anything. */
export function maxPool(r: MaxPoolRecord, thread: i32, threads: i32): void {
  const all = r.images * r.rows;
  // Rows of bytes from two threads may meet in a word, but no two threads write one byte.
  const end = shareEnd(all, 1, thread, threads);
  const size: usize = r.type == Dtype.U8 ? 1 : 4;
  const channels = <usize>r.channels * size;
  const width = r.width;
  const nextColumn = channels * <usize>r.dilationAcross;
  const nextRow = channels * <usize>(width * r.dilationDown);
  for (let line = shareStart(all, 1, thread, threads); line < end; line++) {
    const image = line / r.rows;
    const top = (line - image * r.rows) * r.strideDown - r.paddingDown;
    const i0 = firstTap(top, r.dilationDown);
    const down = endTap(top, r.dilationDown, r.kernelHeight, r.height) - i0;
    const rows = r.x + <usize>((image * r.height + top + i0 * r.dilationDown) * width) * channels;
    let y = r.y + <usize>(line * r.columns) * channels;
    for (let c = 0, left = -r.paddingAcross; c < r.columns; c++, left += r.strideAcross, y += channels) {
      const j0 = firstTap(left, r.dilationAcross);
      const across = endTap(left, r.dilationAcross, r.kernelWidth, width) - j0;
      const x = rows + <usize>(left + j0 * r.dilationAcross) * channels;
      if (size == 4) maxFloats(x, nextRow, nextColumn, down, across, r.channels, y);
      else maxBytes(x, nextRow, nextColumn, down, across, r.channels, y);
    }
  }
}

function maxFloats(x: usize, nextRow: usize, nextColumn: usize, down: i32, across: i32, channels: i32, y: usize): void {
  let c: i32 = 0;
  for (; c + 8 <= channels; c += 8, x += 32, y += 32) {
    let s0 = f32x4.splat(-Infinity);
    let s1 = s0;
    for (let i = 0, row = x; i < down; i++, row += nextRow)
      for (let j = 0, at = row; j < across; j++, at += nextColumn) {
        s0 = f32x4.max(s0, v128.load(at));
        s1 = f32x4.max(s1, v128.load(at, 16));
      }
    v128.store(y, s0);
    v128.store(y, s1, 16);
  }
  for (; c < channels; c += 4, x += 16, y += 16) {
    let s = f32x4.splat(-Infinity);
    for (let i = 0, row = x; i < down; i++, row += nextRow)
      for (let j = 0, at = row; j < across; j++, at += nextColumn) s = f32x4.max(s, loadPart(at, channels - c, 0));
    storePart(y, channels - c, s);
  }
}

function maxBytes(x: usize, nextRow: usize, nextColumn: usize, down: i32, across: i32, channels: i32, y: usize): void {
  let c: i32 = 0;
  for (; c + 16 <= channels; c += 16, x += 16, y += 16) {
    let s = i8x16.splat(0);
    for (let i = 0, row = x; i < down; i++, row += nextRow)
      for (let j = 0, at = row; j < across; j++, at += nextColumn) s = i8x16.max_u(s, v128.load(at));
    v128.store(y, s);
  }
  for (; c < channels; c++, x++, y++) {
    let s: u8 = 0;
    for (let i = 0, row = x; i < down; i++, row += nextRow)
      for (let j = 0, at = row; j < across; j++, at += nextColumn) s = max(s, load<u8>(at));
    store<u8>(y, s);
  }
}

/** Channels that a thread has at a time: a line of the cache of each pixel. */
const UNIT = 16;

/**
 * Adds what each window gets to its winner: the first largest, or the last NaN. Threads share images and parts of the channels, so
 * that each pixel's channel is one thread's.
 */
export function maxPoolBackward(r: MaxPoolBackwardRecord, thread: i32, threads: i32): void {
  const parts = (r.channels + UNIT - 1) / UNIT;
  const end = shareEnd(r.images * parts, 1, thread, threads);
  const channels = <usize>r.channels << 2;
  for (let unit = shareStart(r.images * parts, 1, thread, threads); unit < end; unit++) {
    const image = unit / parts;
    const from = (unit - image * parts) * UNIT;
    const to = min(r.channels, from + UNIT);
    const pixels = <usize>(image * r.height * r.width) * channels;
    zeroChannels(r.dx + pixels, r.height * r.width, channels, from, to);
    let dy = r.dy + <usize>(image * r.rows * r.columns) * channels;
    for (let row = 0, top = -r.paddingDown; row < r.rows; row++, top += r.strideDown) {
      const i0 = firstTap(top, r.dilationDown);
      const i1 = endTap(top, r.dilationDown, r.kernelHeight, r.height);
      for (let column = 0, left = -r.paddingAcross; column < r.columns; column++, left += r.strideAcross, dy += channels) {
        const j0 = firstTap(left, r.dilationAcross);
        const j1 = endTap(left, r.dilationAcross, r.kernelWidth, r.width);
        const first = pixels + <usize>((top + i0 * r.dilationDown) * r.width + left + j0 * r.dilationAcross) * channels;
        for (let c = from; c < to; c += 4) {
          const n = to - c;
          const at = <usize>c << 2;
          if (i0 < i1 && j0 < j1) toWinner(r, first + at, i1 - i0, j1 - j0, channels, n, loadPart(dy + at, n, 0));
        }
      }
    }
  }
}

@inline
function toWinner(r: MaxPoolBackwardRecord, first: usize, down: i32, across: i32, channels: usize, n: i32, dy: v128): void {
  const nextColumn = channels * <usize>r.dilationAcross;
  const nextRow = channels * <usize>(r.width * r.dilationDown);
  let best = loadPart(r.x + first, n, 0);
  let winner = i32x4.splat(0);
  let tap: i32 = 0;
  for (let i = 0, row = first; i < down; i++, row += nextRow)
    for (let j = 0, at = row; j < across; j++, at += nextColumn, tap++) {
      const v = loadPart(r.x + at, n, 0);
      const wins = v128.or(f32x4.gt(v, best), f32x4.ne(v, v));
      best = v128.bitselect(v, best, wins);
      winner = v128.bitselect(i32x4.splat(tap), winner, wins);
    }
  tap = 0;
  for (let i = 0, row = first; i < down; i++, row += nextRow)
    for (let j = 0, at = row; j < across; j++, at += nextColumn, tap++) {
      const to = r.dx + at;
      // What gets nothing stays as it is, also where dy is not finite.
      storePart(to, n, f32x4.add(loadPart(to, n, 0), v128.and(dy, i32x4.eq(winner, i32x4.splat(tap)))));
    }
}

function zeroChannels(at: usize, pixels: i32, channels: usize, from: i32, to: i32): void {
  for (let p = 0; p < pixels; p++, at += channels)
    for (let c = from; c < to; c += 4) storePart(at + (<usize>c << 2), to - c, f32x4.splat(0));
}

/** What the sum of a window is divided by. */
@inline
export function divisorOf(
  given: i32, padded: i32, top: i32, left: i32, kernelHeight: i32, kernelWidth: i32, bottom: i32, right: i32, inside: i32,
): i32 {
  if (given) return given;
  return padded ? (min(top + kernelHeight, bottom) - top) * (min(left + kernelWidth, right) - left) : inside;
}

/** The sum of each window, divided; threads share the rows of windows. */
export function avgPool(r: AvgPoolRecord, thread: i32, threads: i32): void {
  const all = r.images * r.rows;
  const end = shareEnd(all, 1, thread, threads);
  const channels = <usize>r.channels << 2;
  const width = r.width;
  for (let line = shareStart(all, 1, thread, threads); line < end; line++) {
    const image = line / r.rows;
    const top = (line - image * r.rows) * r.strideDown - r.paddingDown;
    const i0 = firstTap(top, 1);
    const i1 = endTap(top, 1, r.kernelHeight, r.height);
    const rows = r.x + <usize>((image * r.height + top + i0) * width) * channels;
    let y = r.y + <usize>(line * r.columns) * channels;
    for (let column = 0, left = -r.paddingAcross; column < r.columns; column++, left += r.strideAcross, y += channels) {
      const j0 = firstTap(left, 1);
      const j1 = endTap(left, 1, r.kernelWidth, width);
      const inside = max(0, i1 - i0) * max(0, j1 - j0);
      const divisor = f32x4.splat(
        <f32>divisorOf(
          r.divisor, r.padded, top, left, r.kernelHeight, r.kernelWidth, r.height + r.paddingDown, width + r.paddingAcross, inside,
        ),
      );
      let x = rows + <usize>(left + j0) * channels;
      for (let c: i32 = 0; c < r.channels; c += 4, x += 16) {
        const n = r.channels - c;
        let sum = f32x4.splat(0);
        for (let i = i0, row = x; i < i1; i++, row += channels * <usize>width)
          for (let j = j0, at = row; j < j1; j++, at += channels) sum = f32x4.add(sum, loadPart(at, n, 0));
        storePart(y + (<usize>c << 2), n, f32x4.div(sum, divisor));
      }
    }
  }
}

/** What each window gets, divided, added to each of its taps; shared as maxPoolBackward. */
export function avgPoolBackward(r: AvgPoolBackwardRecord, thread: i32, threads: i32): void {
  const parts = (r.channels + UNIT - 1) / UNIT;
  const end = shareEnd(r.images * parts, 1, thread, threads);
  const channels = <usize>r.channels << 2;
  for (let unit = shareStart(r.images * parts, 1, thread, threads); unit < end; unit++) {
    const image = unit / parts;
    const from = (unit - image * parts) * UNIT;
    const to = min(r.channels, from + UNIT);
    const pixels = r.dx + <usize>(image * r.height * r.width) * channels;
    zeroChannels(pixels, r.height * r.width, channels, from, to);
    let dy = r.dy + <usize>(image * r.rows * r.columns) * channels;
    for (let row = 0, top = -r.paddingDown; row < r.rows; row++, top += r.strideDown) {
      const i0 = firstTap(top, 1);
      const i1 = endTap(top, 1, r.kernelHeight, r.height);
      for (let column = 0, left = -r.paddingAcross; column < r.columns; column++, left += r.strideAcross, dy += channels) {
        const j0 = firstTap(left, 1);
        const j1 = endTap(left, 1, r.kernelWidth, r.width);
        const inside = max(0, i1 - i0) * max(0, j1 - j0);
        const divisor = f32x4.splat(
          <f32>divisorOf(
            r.divisor, r.padded, top, left, r.kernelHeight, r.kernelWidth, r.height + r.paddingDown, r.width + r.paddingAcross, inside,
          ),
        );
        for (let c = from; c < to; c += 4) {
          const n = to - c;
          const share = f32x4.div(loadPart(dy + (<usize>c << 2), n, 0), divisor);
          for (let i = i0; i < i1; i++)
            for (let j = j0; j < j1; j++) {
              const at = pixels + <usize>((top + i) * r.width + left + j) * channels + (<usize>c << 2);
              storePart(at, n, f32x4.add(loadPart(at, n, 0), share));
            }
        }
      }
    }
  }
}
