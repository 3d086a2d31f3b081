import { ConvRecord } from '../generated/records';
import { copyFloats, zeroFloats } from '../vector';
import { copyRun, storeSpread, storeTurned2, storeTurned4 } from './pack';

/**
 * A product's A that is made of an image as it is packed (lazy im2col): a row for each window, its columns the channels of each
 * tap, tap after tap. A run is what lies side by side in the image and in the row: the channels of a tap, or, where they are few
 * and taps are neighbours, all taps across.
 */
const MOST_ROWS = 6;
const FEW_CHANNELS = 16;
const MOST_RUN = 128;
/** A window's image, its first row and its first column. */
const WINDOW = 12;
/** Where a run is read, and 0 or -1: whether reading goes on behind that. */
const SOURCE = 8;
const SOURCES = MOST_ROWS * WINDOW;
const ZEROS = SOURCES + MOST_ROWS * SOURCE;
const COPIES = ZEROS + 64;
/** Room that packing needs, in whole lines of the cache. */
export const TAPS_SCRATCH: usize = (COPIES + MOST_ROWS * MOST_RUN * 4 + 63) & ~63;

/** Rows [i, i + count) and columns [k, k + kc) of A in panels of `width` rows, as packPanels leaves them; of A^T with `weights`. */
export function packTaps(r: ConvRecord, a: usize, i: i32, count: i32, k: i32, kc: i32, width: i32, target: usize, room: usize): void {
  if (kc == 0) return;
  zeroFloats(room + ZEROS, 16);
  if (r.weights) {
    switch (width) {
      case 4: columnsOf(4, r, a, i, count, k, kc, target, room); break;
      case 5: columnsOf(5, r, a, i, count, k, kc, target, room); break;
      case 6: columnsOf(6, r, a, i, count, k, kc, target, room); break;
    }
    return;
  }
  const length = runLength(r);
  for (let panel = 0; panel < count; panel += width) {
    const rows = min(width, count - panel);
    for (let j = 0; j < rows; j++) findWindow(r, a, i + panel + j, room + <usize>(j * WINDOW));
    for (let j = rows; j < width; j++) noSource(room, j);
    let run = k / length;
    let from = k % length;
    for (let left = kc; left > 0; run++, from = 0) {
      const take = min(length - from, left);
      for (let j = 0; j < rows; j++) findSource(r, run, from, j, room);
      switch (width) {
        case 4: turned(4, take, room + SOURCES, target); break;
        case 5: turned(5, take, room + SOURCES, target); break;
        case 6: turned(6, take, room + SOURCES, target); break;
      }
      target += <usize>(take * width) << 2;
      left -= take;
    }
  }
}

/** Floats of a run. */
@inline
function runLength(r: ConvRecord): i32 {
  return isMerged(r) ? r.tapsAcross * r.taken : r.taken;
}

@inline
function isMerged(r: ConvRecord): bool {
  const few = r.taken < FEW_CHANNELS && r.taken == r.channels && r.stepAcross == 1;
  return few && r.tapsAcross * r.taken <= MOST_RUN;
}

/** Writes down where a window is. */
function findWindow(r: ConvRecord, a: usize, window: i32, at: usize): void {
  const columns = r.columns;
  const perImage = r.rows * columns;
  const image = window / perImage;
  const rest = window - image * perImage;
  const row = rest / columns;
  store<u32>(at, <u32>(a + (<usize>(image * r.height * r.width * r.channels) << 2)));
  store<i32>(at, row * r.strideDown + r.originDown, 4);
  store<i32>(at, (rest - row * columns) * r.strideAcross + r.originAcross, 8);
}

function noSource(room: usize, j: i32): void {
  const source = room + SOURCES + <usize>(j * SOURCE);
  store<u32>(source, <u32>(room + ZEROS));
  store<i32>(source, 0, 4);
}

/** Writes down where run `run` of window j is read, from its float `from` on. */
function findSource(r: ConvRecord, run: i32, from: i32, j: i32, room: usize): void {
  const window = room + <usize>(j * WINDOW);
  const image = <usize>load<u32>(window);
  const width = r.width;
  const channels = r.channels;
  const merged = isMerged(r);
  const across = r.tapsAcross;
  const tapDown = merged ? run : run / across;
  const y = load<i32>(window, 4) + tapDown * r.stepDown;
  let x = load<i32>(window, 8) + (merged ? 0 : (run - tapDown * across) * r.stepAcross);
  const inside = y >= 0 && y < r.height;
  const row = image + (<usize>(y * width * channels) << 2);
  let at: usize = 0;
  if (!merged) {
    if (inside && x >= 0 && x < width) at = row + (<usize>(x * channels) << 2);
  } else if (inside && x > -across && x < width) {
    at = row + (<usize>(x * channels) << 2);
    if (x < 0 || x + across > width) {
      // Over an edge: copied, with zeros beside it.
      const copy = room + COPIES + <usize>(j * MOST_RUN * 4);
      for (let t = 0; t < across; t++, x++) {
        const to = copy + (<usize>(t * channels) << 2);
        if (x >= 0 && x < width) copyFloats(to, row + (<usize>(x * channels) << 2), channels);
        else zeroFloats(to, channels);
      }
      at = copy;
    }
  }
  if (at == 0) {
    noSource(room, j);
    return;
  }
  const source = room + SOURCES + <usize>(j * SOURCE);
  store<u32>(source, <u32>(at + (<usize>from << 2)));
  store<i32>(source, -1, 4);
}

/** `take` floats of each of `width` runs, side by side. */
@inline
function turned(width: i32, take: i32, sources: usize, target: usize): void {
  const wide = <usize>width << 2;
  const p0 = <usize>load<u32>(sources);
  const p1 = <usize>load<u32>(sources, 8);
  const p2 = <usize>load<u32>(sources, 16);
  const p3 = <usize>load<u32>(sources, 24);
  const p4 = width > 4 ? <usize>load<u32>(sources, 32) : 0;
  const p5 = width > 5 ? <usize>load<u32>(sources, 40) : 0;
  const m0 = <usize>load<u32>(sources, 4);
  const m1 = <usize>load<u32>(sources, 12);
  const m2 = <usize>load<u32>(sources, 20);
  const m3 = <usize>load<u32>(sources, 28);
  const m4 = width > 4 ? <usize>load<u32>(sources, 36) : 0;
  const m5 = width > 5 ? <usize>load<u32>(sources, 44) : 0;
  const end = <usize>take << 2;
  let l: usize = 0;
  for (; l + 16 <= end; l += 16, target += wide * 4) {
    const x0 = v128.load(p0 + (l & m0));
    const x1 = v128.load(p1 + (l & m1));
    const x2 = v128.load(p2 + (l & m2));
    const x3 = v128.load(p3 + (l & m3));
    storeTurned4(x0, x1, x2, x3, target, wide);
    if (width == 5) storeSpread(v128.load(p4 + (l & m4)), target + 16, wide);
    if (width == 6) storeTurned2(v128.load(p4 + (l & m4)), v128.load(p5 + (l & m5)), target + 16, wide);
  }
  for (; l < end; l += 4, target += wide) {
    store<u32>(target, load<u32>(p0 + (l & m0)));
    store<u32>(target, load<u32>(p1 + (l & m1)), 4);
    store<u32>(target, load<u32>(p2 + (l & m2)), 8);
    store<u32>(target, load<u32>(p3 + (l & m3)), 12);
    if (width > 4) store<u32>(target, load<u32>(p4 + (l & m4)), 16);
    if (width > 5) store<u32>(target, load<u32>(p5 + (l & m5)), 20);
  }
}

/** Columns [i, i + count) of windows [k, k + kc): runs are copied as they lie, cut into panels. */
@inline
function columnsOf(width: i32, r: ConvRecord, a: usize, i: i32, count: i32, k: i32, kc: i32, target: usize, room: usize): void {
  const length = runLength(r);
  const panel = <usize>(width * kc) << 2;
  for (let l = 0; l < kc; l++, target += <usize>width << 2) {
    findWindow(r, a, k + l, room);
    let run = i / length;
    let from = i % length;
    let to = target;
    let lane: i32 = 0;
    for (let left = count; left > 0; run++, from = 0) {
      let take = min(length - from, left);
      findSource(r, run, from, 0, room);
      let source = <usize>load<u32>(room, SOURCES);
      const moves = <usize>load<u32>(room, SOURCES + 4);
      left -= take;
      while (take > 0) {
        if (lane == 0 && take >= width) {
          copyRun(width, source, to);
          source += (<usize>width << 2) & moves;
          to += panel;
          take -= width;
        } else {
          store<u32>(to + (<usize>lane << 2), load<u32>(source));
          source += 4 & moves;
          take--;
          if (++lane == width) {
            lane = 0;
            to += panel;
          }
        }
      }
    }
    if (lane) for (; lane < width; lane++) store<u32>(to + (<usize>lane << 2), 0);
  }
}
