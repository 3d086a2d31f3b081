import { ConvI8Record, MatmulI8Record } from '../generated/records';
import { shareEnd, shareStart } from '../threads';
import { finish } from './finish-i8';

/** Channels that are computed together, which is also how wide panels of weights are. */
const BLOCK = 16;
/** Windows that are, so that their sums are requantized together. */
const TOGETHER = 4;
/** Of a window: what is added to where its taps are, and where that is written down. */
const WINDOW: usize = 8;

/**
 * Every channel by itself, u8 x i8 -> u8, exact in int32: channels in the lanes, taps two by two, as packI8 left the weights with two
 * i16 to a word. Where the taps of a window are read is written down first: how far behind its first one, the same for all windows
 * that lie inside; of one over an edge each by itself, what is outside a pixel of zero points.
 */
export function depthwiseI8(r: ConvI8Record, thread: i32, threads: i32): void {
  const channels = r.channels;
  const taps = r.k;
  const pairs = (taps + 1) >> 1;
  const m = r.m;
  const columns = r.columns;
  const perImage = r.rows * columns;
  const sums = r.scratch + <usize>thread * <usize>r.scratchPerThread;
  const windows = sums + TOGETHER * BLOCK * 4;
  const inside = windows + <usize>TOGETHER * WINDOW;
  const apart = <usize>pairs << 3;
  const outside = inside + apart * <usize>(TOGETHER + 1);
  for (let c = 0; c < channels; c++) store<u8>(outside + c, <u8>r.padding);
  const reachDown = (r.tapsDown - 1) * r.stepDown;
  const reachAcross = (r.tapsAcross - 1) * r.stepAcross;
  findTaps(r, 0, 0, 0, 0x7fffffff, 0x7fffffff, outside, inside);
  const end = shareEnd(m, TOGETHER, thread, threads);
  for (let i = shareStart(m, TOGETHER, thread, threads); i < end; i += TOGETHER) {
    const count = min(TOGETHER, end - i);
    let image = i / perImage;
    let row = (i - image * perImage) / columns;
    let column = i - image * perImage - row * columns;
    for (let w = 0; w < count; w++) {
      const down = row * r.strideDown + r.originDown;
      const left = column * r.strideAcross + r.originAcross;
      const pixels = r.x + <usize>(image * r.height * r.width) * <usize>channels;
      const window = windows + <usize>w * WINDOW;
      if (down >= 0 && left >= 0 && down + reachDown < r.height && left + reachAcross < r.width) {
        store<u32>(window, <u32>(pixels + <usize>(down * r.width + left) * <usize>channels));
        store<u32>(window, <u32>inside, 4);
      } else {
        const own = inside + apart * <usize>(w + 1);
        findTaps(r, pixels, down, left, r.height, r.width, outside, own);
        store<u32>(window, 0);
        store<u32>(window, <u32>own, 4);
      }
      if (++column == columns) {
        column = 0;
        if (++row == r.rows) {
          row = 0;
          image++;
        }
      }
    }
    for (let c = 0; c < channels; c += BLOCK) {
      const width = min(BLOCK, channels - c);
      const panel = r.packed + (<usize>(c * pairs) << 2);
      const bias = r.bias + (<usize>c << 2);
      for (let w = 0; w < count; w++) {
        const first = <usize>load<u32>(windows + <usize>w * WINDOW) + <usize>c;
        const from = <usize>load<u32>(windows + <usize>w * WINDOW, 4);
        const to = sums + <usize>(w * BLOCK * 4);
        if (width == BLOCK) sixteen(from, pairs, first, panel, bias, to);
        else few(from, taps, first, width, panel, bias, to);
      }
      const y = r.y + <usize>i * <usize>channels + <usize>c;
      finish(changetype<MatmulI8Record>(r), sums, BLOCK, r.multiplier + (<usize>c << 2), y, <usize>channels, count, width);
    }
  }
}

/** Writes down where taps are read, from (down, left) on; there is one more if they are odd, which has no weight. */
function findTaps(
  r: ConvI8Record, pixels: usize, down: i32, left: i32, height: i32, width: i32, outside: usize, to: usize,
): void {
  const first = to;
  for (let i = r.tapsDown; i > 0; i--, down += r.stepDown)
    for (let j = r.tapsAcross, pixel = left; j > 0; j--, pixel += r.stepAcross, to += 4) {
      const within = down >= 0 && down < height && pixel >= 0 && pixel < width;
      const at = pixels + <usize>(down * r.width + pixel) * <usize>r.channels;
      store<u32>(to, <u32>(within ? at : outside));
    }
  if (r.k & 1) store<u32>(to, load<u32>(first));
}

/** Sums of sixteen channels. */
function sixteen(sources: usize, pairs: i32, first: usize, w: usize, bias: usize, to: usize): void {
  let s0 = v128.load(bias);
  let s1 = v128.load(bias, 16);
  let s2 = v128.load(bias, 32);
  let s3 = v128.load(bias, 48);
  for (; pairs > 0; pairs--, sources += 8, w += 64) {
    const a = v128.load(first + <usize>load<u32>(sources));
    const b = v128.load(first + <usize>load<u32>(sources, 4));
    const low = v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const high = v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(low), v128.load(w)));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(low), v128.load(w, 16)));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(high), v128.load(w, 32)));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(high), v128.load(w, 48)));
  }
  v128.store(to, s0);
  v128.store(to, s1, 16);
  v128.store(to, s2, 32);
  v128.store(to, s3, 48);
}

/** Sums of `count` channels, eight of them together where there are so many. */
function few(sources: usize, taps: i32, first: usize, count: i32, w: usize, bias: usize, to: usize): void {
  let done = 0;
  if (count >= 8) {
    let s0 = v128.load(bias);
    let s1 = v128.load(bias, 16);
    for (let t = 0, from = sources, by = w; t < taps; t += 2, from += 8, by += 64) {
      const a = v128.load64_zero(first + <usize>load<u32>(from));
      const b = v128.load64_zero(first + <usize>load<u32>(from, 4));
      const ab = v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(ab), v128.load(by)));
      s1 = i32x4.add(s1, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(ab), v128.load(by, 16)));
    }
    v128.store(to, s0);
    v128.store(to, s1, 16);
    done = 8;
  }
  for (; done < count; done++) {
    let sum = load<i32>(bias + (<usize>done << 2));
    for (let t = 0; t < taps; t++) {
      const x = <i32>load<u8>(first + <usize>load<u32>(sources + (<usize>t << 2)) + done);
      sum += x * <i32>load<i16>(w + (<usize>((t >> 1) * BLOCK + done) << 2) + (<usize>(t & 1) << 1));
    }
    store<i32>(to + (<usize>done << 2), sum);
  }
}
