import { activate } from '../activation';
import { DepthwiseRecord, DepthwiseWeightsRecord } from '../generated/records';
import { madd } from '../isa';
import { shareEnd, shareStart } from '../threads';
import { loadPart, storePart } from '../vector';

/** Channels that are computed together: two adjacent vectors. */
const BLOCK = 8;
/** Windows beside each other that are computed together, where all their taps are inside. */
const TOGETHER = 4;

/** Address of an element. */
@inline
function at(base: usize, elements: i32): usize {
  return base + (<usize>elements << 2);
}

/** First tap that lies inside. */
@inline
function firstTap(origin: i32, step: i32, taps: i32, size: i32): i32 {
  let t = 0;
  for (let p = origin; t < taps && (p < 0 || p >= size); p += step) t++;
  return t;
}

/** One past the last tap that lies inside; those between the first and this are inside, too. */
@inline
function endTap(origin: i32, step: i32, taps: i32, size: i32): i32 {
  let t = taps;
  for (let p = origin + (taps - 1) * step; t > 0 && (p < 0 || p >= size); p -= step) t--;
  return t;
}

/** y[window, c] = activation(sum over taps of x[tap, c] w[tap, c] + bias[c]); windows in rows, shared among threads. */
export function depthwise(r: DepthwiseRecord, thread: i32, threads: i32): void {
  const channels = r.channels;
  const columns = r.columns;
  const width = r.width;
  const across = r.tapsAcross;
  const all = r.images * r.rows;
  const end = shareEnd(all, 1, thread, threads);
  const act = r.activation;
  const strideAcross = r.strideAcross;
  const stepAcross = r.stepAcross;
  const originAcross = r.originAcross;
  const stepX = stepAcross * channels;
  const strideX = strideAcross * channels;
  for (let line = shareStart(all, 1, thread, threads); line < end; line++) {
    const image = line / r.rows;
    const top = (line - image * r.rows) * r.strideDown + r.originDown;
    const i0 = firstTap(top, r.stepDown, r.tapsDown, r.height);
    const i1 = max(i0, endTap(top, r.stepDown, r.tapsDown, r.height));
    const rows = at(r.x, (image * r.height + top + i0 * r.stepDown) * width * channels);
    const rowStep = <usize>(r.stepDown * width * channels) << 2;
    const w = at(r.w, i0 * across * channels);
    const y = at(r.y, line * columns * channels);
    let column: i32 = 0;
    while (column < columns) {
      const left = column * strideAcross + originAcross;
      const j0 = firstTap(left, stepAcross, across, width);
      const j1 = max(j0, endTap(left, stepAcross, across, width));
      const from = at(rows, (left + j0 * stepAcross) * channels);
      const last = left + (TOGETHER - 1) * strideAcross;
      const inside =
        j0 == 0 && j1 == across && column + TOGETHER <= columns &&
        firstTap(last, stepAcross, across, width) == 0 && endTap(last, stepAcross, across, width) == across;
      const to = at(y, column * channels);
      if (inside) several(r, from, rowStep, stepX, strideX, w, i1 - i0, across, channels, to);
      else one(r, from, rowStep, stepX, at(w, j0 * channels), i1 - i0, j1 - j0, across, channels, to);
      column += inside ? TOGETHER : 1;
    }
    if (act) activate(act, y, y, columns * channels, r.parameter);
  }
}

/** Four windows with all their taps. */
function several(
  r: DepthwiseRecord, x: usize, rowStep: usize, stepX: i32, strideX: i32, w: usize, down: i32, across: i32, channels: i32, y: usize,
): void {
  const bias = r.bias;
  const apart = <usize>strideX << 2;
  const next = <usize>channels << 2;
  let c: i32 = 0;
  for (; c + BLOCK <= channels; c += BLOCK) {
    let a0 = f32x4.splat(0); let a1 = a0; let b0 = a0; let b1 = a0; let c0 = a0; let c1 = a0; let d0 = a0; let d1 = a0;
    let row = at(x, c);
    let tap = at(w, c);
    for (let i = 0; i < down; i++, row += rowStep) {
      let p = row;
      for (let j = 0; j < across; j++, p = at(p, stepX), tap += next) {
        const w0 = v128.load(tap);
        const w1 = v128.load(tap, 16);
        a0 = madd(v128.load(p), w0, a0);
        a1 = madd(v128.load(p, 16), w1, a1);
        b0 = madd(v128.load(p + apart), w0, b0);
        b1 = madd(v128.load(p + apart, 16), w1, b1);
        c0 = madd(v128.load(p + apart * 2), w0, c0);
        c1 = madd(v128.load(p + apart * 2, 16), w1, c1);
        d0 = madd(v128.load(p + apart * 3), w0, d0);
        d1 = madd(v128.load(p + apart * 3, 16), w1, d1);
      }
    }
    const to = at(y, c);
    if (bias) {
      const bias0 = v128.load(at(bias, c));
      const bias1 = v128.load(at(bias, c), 16);
      a0 = f32x4.add(a0, bias0); a1 = f32x4.add(a1, bias1); b0 = f32x4.add(b0, bias0); b1 = f32x4.add(b1, bias1);
      c0 = f32x4.add(c0, bias0); c1 = f32x4.add(c1, bias1); d0 = f32x4.add(d0, bias0); d1 = f32x4.add(d1, bias1);
    }
    v128.store(to, a0);
    v128.store(to, a1, 16);
    v128.store(to + next, b0);
    v128.store(to + next, b1, 16);
    v128.store(to + next * 2, c0);
    v128.store(to + next * 2, c1, 16);
    v128.store(to + next * 3, d0);
    v128.store(to + next * 3, d1, 16);
  }
  if (c == channels) return;
  for (let i = 0; i < TOGETHER; i++)
    few(r, at(x, i * strideX), rowStep, stepX, w, down, across, across, channels, at(y, i * channels), c);
}

/** One window, of whose taps some may be outside. */
function one(
  r: DepthwiseRecord, x: usize, rowStep: usize, stepX: i32, w: usize, down: i32, inside: i32, across: i32, channels: i32, y: usize,
): void {
  few(r, x, rowStep, stepX, w, down, inside, across, channels, y, 0);
}

/** Channels from c on of one window, a vector at a time. */
function few(
  r: DepthwiseRecord, x: usize, rowStep: usize, stepX: i32, w: usize, down: i32, inside: i32, across: i32, channels: i32, y: usize, c: i32,
): void {
  const bias = r.bias;
  for (; c < channels; c += 4) {
    const n = channels - c;
    let sum = f32x4.splat(0);
    for (let i = 0; i < down; i++) {
      let p = at(x, c) + rowStep * <usize>i;
      let tap = at(w, i * across * channels + c);
      for (let j = 0; j < inside; j++, p = at(p, stepX), tap = at(tap, channels))
        sum = madd(loadPart(p, n, 0), loadPart(tap, n, 0), sum);
    }
    if (bias) sum = f32x4.add(sum, loadPart(at(bias, c), n, 0));
    storePart(at(y, c), n, sum);
  }
}

/** dw[tap, c] = sum over windows of dy[window, c] x[tap, c]: rows of windows are summed apart. Channels are shared among threads. */
export function depthwiseWeights(r: DepthwiseWeightsRecord, thread: i32, threads: i32): void {
  const channels = r.channels;
  const end = shareEnd(channels, 4, thread, threads);
  const across = r.tapsAcross;
  for (let c = shareStart(channels, 4, thread, threads); c < end; c += 4)
    for (let i = 0; i < r.tapsDown; i++)
      for (let j = 0; j < across; j++) {
        const n = channels - c;
        storePart(at(r.dw, (i * across + j) * channels + c), n, tapSum(r, i, j, c, n));
      }
}

function tapSum(r: DepthwiseWeightsRecord, i: i32, j: i32, c: i32, n: i32): v128 {
  const channels = r.channels;
  const stride = r.strideAcross;
  const columns = r.columns;
  const width = r.width;
  // Windows of a row whose tap is inside.
  const origin = r.originAcross + j * r.stepAcross;
  let first: i32 = 0;
  while (first < columns && origin + first * stride < 0) first++;
  let last = columns;
  while (last > first && origin + (last - 1) * stride >= width) last--;
  const next = <usize>channels << 2;
  const apart = <usize>(stride * channels) << 2;
  let total = f32x4.splat(0);
  for (let image = 0; image < r.images; image++)
    for (let row = 0; row < r.rows; row++) {
      const y = row * r.strideDown + r.originDown + i * r.stepDown;
      if (y < 0 || y >= r.height) continue;
      let dy = at(r.dy, ((image * r.rows + row) * columns + first) * channels + c);
      let x = at(r.x, ((image * r.height + y) * width + origin + first * stride) * channels + c);
      let s0 = f32x4.splat(0);
      let s1 = s0;
      let column = first;
      if (n >= 4) {
        for (; column + 2 <= last; column += 2, dy += next * 2, x += apart * 2) {
          s0 = madd(v128.load(dy), v128.load(x), s0);
          s1 = madd(v128.load(dy + next), v128.load(x + apart), s1);
        }
      }
      for (; column < last; column++, dy += next, x += apart) s0 = madd(loadPart(dy, n, 0), loadPart(x, n, 0), s0);
      total = f32x4.add(total, f32x4.add(s0, s1));
    }
  return total;
}
