import { ConvI8Record } from '../generated/records';

/**
 * Rows [i, i + count) of a product whose x is made of an image of bytes: for each window the channels of its taps, tap after tap, one
 * row right behind the other from `room` on, which is returned. What lies outside the image is the input's zero point.
 */
export function gatherTaps(r: ConvI8Record, x: usize, i: i32, count: i32, room: usize): usize {
  const columns = r.columns;
  const perImage = r.rows * columns;
  const line = <usize>(r.width * r.channels);
  const height = r.height;
  let to = room;
  for (let window = i; window < i + count; window++) {
    const image = window / perImage;
    const rest = window - image * perImage;
    const row = rest / columns;
    const left = (rest - row * columns) * r.strideAcross + r.originAcross;
    const pixels = x + <usize>(image * height) * line;
    let down = row * r.strideDown + r.originDown;
    for (let t = r.tapsDown; t > 0; t--, down += r.stepDown)
      to = gatherLine(r, down >= 0 && down < height ? pixels + <usize>down * line : 0, left, to);
  }
  return room;
}

/** The taps across of one line, or of none. */
@inline
function gatherLine(r: ConvI8Record, line: usize, left: i32, to: usize): usize {
  const taken = r.taken;
  const across = r.tapsAcross;
  const width = r.width;
  if (line == 0) return fillBytes(r, to, across * taken);
  if (r.stepAcross == 1 && taken == r.channels) {
    // Neighbours with all their channels are one run.
    const first = min(across, max(0, -left));
    const end = max(first, min(across, width - left));
    to = fillBytes(r, to, first * taken);
    to = copyBytes(to, line + <usize>((left + first) * taken), (end - first) * taken);
    return fillBytes(r, to, (across - end) * taken);
  }
  for (let t = 0, pixel = left; t < across; t++, pixel += r.stepAcross)
    to = pixel >= 0 && pixel < width ? copyBytes(to, line + <usize>(pixel * r.channels), taken) : fillBytes(r, to, taken);
  return to;
}

/** `count` times the zero point, or somewhat more, which what comes next writes over; returns the address behind them. */
@inline
function fillBytes(r: ConvI8Record, to: usize, count: i32): usize {
  const end = to + <usize>count;
  const v = i8x16.splat(<i8>r.padding);
  for (; to < end; to += 16) v128.store(to, v);
  return end;
}

/** Copies `count` bytes, whole vectors and then one that overlaps; returns the address behind them. */
@inline
function copyBytes(to: usize, from: usize, count: i32): usize {
  const n = <usize>count;
  const end = to + n;
  if (n >= 16) {
    for (let at: usize = 0; at + 16 <= n; at += 16) v128.store(to + at, v128.load(from + at));
    v128.store(end - 16, v128.load(from + n - 16));
  } else if (n >= 8) {
    store<u64>(to, load<u64>(from));
    store<u64>(end - 8, load<u64>(from + n - 8));
  } else if (n >= 4) {
    store<u32>(to, load<u32>(from));
    store<u32>(end - 4, load<u32>(from + n - 4));
  } else for (let at: usize = 0; at < n; at++) store<u8>(to + at, load<u8>(from + at));
  return end;
}
