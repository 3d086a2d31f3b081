import { ConvI8Record, MatmulI8Record } from '../generated/records';
import { shareEnd, shareStart } from '../threads';
import { finish } from './finish-i8';

/** Channels that are computed together, which is also how wide panels of weights are. */
const BLOCK = 16;
/** Windows that are, so that their sums are requantized together. */
const TOGETHER = 4;

/**
 * Every channel by itself, u8 x i8 -> u8, exact in int32: channels in the lanes, taps two by two, as packI8 left the weights with two
 * i16 to a word. Where each tap of a window is read is written down first; what lies outside is a pixel of zero points.
 */
export function depthwiseI8(r: ConvI8Record, thread: i32, threads: i32): void {
  const channels = r.channels;
  const taps = r.k;
  const pairs = (taps + 1) >> 1;
  const m = r.m;
  const sums = r.scratch + <usize>thread * <usize>r.scratchPerThread;
  const sources = sums + TOGETHER * BLOCK * 4;
  const apart = <usize>pairs << 3;
  const outside = sources + apart * TOGETHER;
  for (let c = 0; c < channels; c++) store<u8>(outside + c, <u8>r.padding);
  const end = shareEnd(m, TOGETHER, thread, threads);
  for (let i = shareStart(m, TOGETHER, thread, threads); i < end; i += TOGETHER) {
    const count = min(TOGETHER, end - i);
    for (let w = 0; w < count; w++) findTaps(r, i + w, outside, sources + apart * <usize>w);
    for (let c = 0; c < channels; c += BLOCK) {
      const width = min(BLOCK, channels - c);
      const panel = r.packed + (<usize>(c * pairs) << 2);
      const bias = r.bias + (<usize>c << 2);
      for (let w = 0; w < count; w++) {
        const from = sources + apart * <usize>w;
        const to = sums + <usize>(w * BLOCK * 4);
        if (width == BLOCK) sixteen(from, pairs, c, panel, bias, to);
        else few(from, taps, c, width, panel, bias, to);
      }
      const y = r.y + <usize>i * <usize>channels + <usize>c;
      finish(changetype<MatmulI8Record>(r), sums, BLOCK, r.multiplier + (<usize>c << 2), y, <usize>channels, count, width);
    }
  }
}

/** Writes down where the taps of a window are read; there is one more if they are odd, which has no weight. */
function findTaps(r: ConvI8Record, window: i32, outside: usize, to: usize): void {
  const columns = r.columns;
  const perImage = r.rows * columns;
  const image = window / perImage;
  const rest = window - image * perImage;
  const row = rest / columns;
  const left = (rest - row * columns) * r.strideAcross + r.originAcross;
  const width = r.width;
  let down = row * r.strideDown + r.originDown;
  for (let i = r.tapsDown; i > 0; i--, down += r.stepDown) {
    const within = down >= 0 && down < r.height;
    const line = r.x + <usize>((image * r.height + down) * width) * <usize>r.channels;
    for (let j = 0, pixel = left; j < r.tapsAcross; j++, pixel += r.stepAcross, to += 4) {
      const inside = within && pixel >= 0 && pixel < width;
      store<u32>(to, <u32>(inside ? line + <usize>pixel * <usize>r.channels : outside));
    }
  }
  if (r.k & 1) store<u32>(to, <u32>outside);
}

/** Sums of sixteen channels. */
function sixteen(sources: usize, pairs: i32, c: i32, w: usize, bias: usize, to: usize): void {
  let s0 = v128.load(bias);
  let s1 = v128.load(bias, 16);
  let s2 = v128.load(bias, 32);
  let s3 = v128.load(bias, 48);
  for (; pairs > 0; pairs--, sources += 8, w += 64) {
    const a = v128.load(<usize>load<u32>(sources) + c);
    const b = v128.load(<usize>load<u32>(sources, 4) + c);
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
function few(sources: usize, taps: i32, c: i32, count: i32, w: usize, bias: usize, to: usize): void {
  let done = 0;
  if (count >= 8) {
    let s0 = v128.load(bias);
    let s1 = v128.load(bias, 16);
    for (let t = 0, from = sources, by = w; t < taps; t += 2, from += 8, by += 64) {
      const a = v128.load64_zero(<usize>load<u32>(from) + c);
      const b = v128.load64_zero(<usize>load<u32>(from, 4) + c);
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
      const x = <i32>load<u8>(<usize>load<u32>(sources + (<usize>t << 2)) + c + done);
      sum += x * <i32>load<i16>(w + (<usize>((t >> 1) * BLOCK + done) << 2) + (<usize>(t & 1) << 1));
    }
    store<i32>(to + (<usize>done << 2), sum);
  }
}
