/**
 * Panels: `width` neighbours for each k, one k after the other, zeros beyond the edge.
 *
 *     panel 0: x[0][k0] x[1][k0] .. x[width-1][k0]  x[0][k1] ..        panel 1: x[width][k0] ..
 *
 * Element (i, k) of the source is at i * along + k * step (in elements).
 */

/** The rows of A. */
export function packRows(source: usize, along: i32, step: i32, k: i32, count: i32, width: i32, target: usize): void {
  for (let i = 0; i < count; i += width) {
    const n = min(width, count - i);
    const panel = target + (<usize>(i * k) << 2);
    const from = source + (<usize>(i * along) << 2);
    if (step == 1) packTransposed(from, along, k, n, width, panel);
    else packStraight(from, along, step, k, n, width, panel);
  }
}

/** The columns of B: the same, with the roles of the strides named for B. */
export function packColumns(source: usize, step: i32, along: i32, k: i32, count: i32, width: i32, target: usize): void {
  packRows(source, along, step, k, count, width, target);
}

/** Neighbours lie side by side (along == 1) or apart; one k at a time. */
function packStraight(source: usize, along: i32, step: i32, k: i32, n: i32, width: i32, target: usize): void {
  const next = <usize>step << 2;
  const wide = <usize>width << 2;
  if (along == 1 && n == width && (width & 7) == 0) {
    for (let l = 0; l < k; l++, source += next, target += wide)
      for (let i: usize = 0; i < wide; i += 32) {
        v128.store(target + i, v128.load(source + i));
        v128.store(target + i, v128.load(source + i, 16), 16);
      }
    return;
  }
  const apart = <usize>along << 2;
  for (let l = 0; l < k; l++, source += next, target += wide) {
    let at = source;
    for (let i = 0; i < n; i++, at += apart) store<f32>(target + (<usize>i << 2), load<f32>(at));
    for (let i = n; i < width; i++) store<f32>(target + (<usize>i << 2), 0);
  }
}

/** K lies side by side (step == 1): reads four of it at once from each neighbour and spreads them. */
function packTransposed(source: usize, along: i32, k: i32, n: i32, width: i32, target: usize): void {
  const wide = <usize>width << 2;
  for (let i = 0; i < width; i++) {
    let at = source + (<usize>(i * along) << 2);
    let to = target + (<usize>i << 2);
    let l = 0;
    if (i < n) {
      for (; l + 4 <= k; l += 4, at += 16) {
        const v = v128.load(at);
        v128.store_lane<f32>(to, v, 0);
        to += wide;
        v128.store_lane<f32>(to, v, 1);
        to += wide;
        v128.store_lane<f32>(to, v, 2);
        to += wide;
        v128.store_lane<f32>(to, v, 3);
        to += wide;
      }
      for (; l < k; l++, at += 4, to += wide) store<f32>(to, load<f32>(at));
    } else for (; l < k; l++, to += wide) store<f32>(to, 0);
  }
}
