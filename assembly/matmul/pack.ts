/**
 * Panels: `width` neighbours for each k, one k after the other, zeros beyond the edge. Rows of A and columns of B alike.
 *
 *     panel 0: x[0][k0] x[1][k0] .. x[width-1][k0]  x[0][k1] ..        panel 1: x[width][k0] ..
 *
 * Element (i, k) of the source is at i * along + k * step (in elements).
 */
export function pack(source: usize, along: i32, step: i32, k: i32, count: i32, width: i32, target: usize): void {
  for (let i = 0; i < count; i += width) {
    const n = min(width, count - i);
    const panel = target + (<usize>(i * k) << 2);
    const from = source + (<usize>(i * along) << 2);
    if (step == 1) transposed(from, along, k, n, width, panel);
    else if (along == 1 && n == width) straight(from, step, k, width, panel);
    else scattered(from, along, step, k, n, width, panel);
  }
}

/** Neighbours lie side by side: vectors, in a loop of its own for each width of a tile. */
function straight(source: usize, step: i32, k: i32, width: i32, target: usize): void {
  switch (width) {
    case 4: straightOf(4, source, step, k, target); break;
    case 5: straightOf(5, source, step, k, target); break;
    case 6: straightOf(6, source, step, k, target); break;
    case 8: straightOf(8, source, step, k, target); break;
    case 16: straightOf(16, source, step, k, target); break;
    default: scattered(source, 1, step, k, width, width, target);
  }
}

@inline
function straightOf(width: i32, source: usize, step: i32, k: i32, target: usize): void {
  for (let l = 0; l < k; l++, source += <usize>step << 2, target += <usize>width << 2) {
    v128.store(target, v128.load(source));
    if (width == 5) store<u32>(target, load<u32>(source, 16), 16);
    if (width == 6) store<u64>(target, load<u64>(source, 16), 16);
    if (width >= 8) v128.store(target, v128.load(source, 16), 16);
    if (width == 16) {
      v128.store(target, v128.load(source, 32), 32);
      v128.store(target, v128.load(source, 48), 48);
    }
  }
}

/** Any distances, and the edge. */
function scattered(source: usize, along: i32, step: i32, k: i32, n: i32, width: i32, target: usize): void {
  const next = <usize>step << 2;
  const apart = <usize>along << 2;
  for (let l = 0; l < k; l++, source += next) {
    let at = source;
    for (let i = 0; i < width; i++, at += apart, target += 4) store<f32>(target, i < n ? load<f32>(at) : 0);
  }
}

/** K lies side by side: blocks of four neighbours by four of K are turned in registers, what is left goes in pairs and singly. */
function transposed(source: usize, along: i32, k: i32, n: i32, width: i32, target: usize): void {
  const apart = <usize>along << 2;
  const wide = <usize>width << 2;
  let i: i32 = 0;
  for (; i + 4 <= n; i += 4) four(source + apart * <usize>i, apart, k, target + (<usize>i << 2), wide);
  for (; i + 2 <= n; i += 2) two(source + apart * <usize>i, apart, k, target + (<usize>i << 2), wide);
  for (; i < n; i++) column(source + apart * <usize>i, k, target + (<usize>i << 2), wide);
  for (; i < width; i++) zeros(k, target + (<usize>i << 2), wide);
}

function four(source: usize, apart: usize, k: i32, target: usize, wide: usize): void {
  const source2 = source + apart * 2;
  let l: i32 = 0;
  for (; l + 4 <= k; l += 4) {
    const at = <usize>l << 2;
    const x0 = v128.load(source + at);
    const x1 = v128.load(source + apart + at);
    const x2 = v128.load(source2 + at);
    const x3 = v128.load(source2 + apart + at);
    const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5);
    const low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5);
    const high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7);
    const high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7);
    v128.store(target, v128.shuffle<f64>(low01, low23, 0, 2));
    target += wide;
    v128.store(target, v128.shuffle<f64>(low01, low23, 1, 3));
    target += wide;
    v128.store(target, v128.shuffle<f64>(high01, high23, 0, 2));
    target += wide;
    v128.store(target, v128.shuffle<f64>(high01, high23, 1, 3));
    target += wide;
  }
  for (; l < k; l++, target += wide) {
    const at = <usize>l << 2;
    store<u32>(target, load<u32>(source + at));
    store<u32>(target, load<u32>(source + apart + at), 4);
    store<u32>(target, load<u32>(source2 + at), 8);
    store<u32>(target, load<u32>(source2 + apart + at), 12);
  }
}

function two(source: usize, apart: usize, k: i32, target: usize, wide: usize): void {
  let l: i32 = 0;
  for (; l + 4 <= k; l += 4) {
    const at = <usize>l << 2;
    const x0 = v128.load(source + at);
    const x1 = v128.load(source + apart + at);
    const low = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5);
    const high = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7);
    v128.store_lane<f64>(target, low, 0);
    target += wide;
    v128.store_lane<f64>(target, low, 1);
    target += wide;
    v128.store_lane<f64>(target, high, 0);
    target += wide;
    v128.store_lane<f64>(target, high, 1);
    target += wide;
  }
  for (; l < k; l++, target += wide) {
    const at = <usize>l << 2;
    store<u32>(target, load<u32>(source + at));
    store<u32>(target, load<u32>(source + apart + at), 4);
  }
}

function column(source: usize, k: i32, target: usize, wide: usize): void {
  for (let l = 0; l < k; l++, source += 4, target += wide) store<u32>(target, load<u32>(source));
}

function zeros(k: i32, target: usize, wide: usize): void {
  for (let l = 0; l < k; l++, target += wide) store<u32>(target, 0);
}
