/**
 * Panels: `width` neighbours for each k, one k after the other, zeros beyond the edge. Rows of A and columns of B alike.
 *
 *     panel 0: x[0][k0] x[1][k0] .. x[width-1][k0]  x[0][k1] ..        panel 1: x[width][k0] ..
 *
 * Element (i, k) of the source is at i * along + k * step (in elements).
 */
export function packPanels(source: usize, along: i32, step: i32, k: i32, count: i32, width: i32, panel: i32, target: usize): void {
  const whole = count - (count % width);
  if (step == 1) turned(source, along, k, whole, width, panel, target);
  else if (along == 1) straight(source, step, k, whole, width, panel, target);
  else for (let i = 0, to = target; i < whole; i += width, to = at(to, panel)) scattered(at(source, i * along), along, step, k, width, width, to);
  if (whole == count) return;
  const from = at(source, whole * along);
  const last = at(target, (whole / width) * panel);
  if (step == 1) transposed(from, along, k, count - whole, width, last);
  else scattered(from, along, step, k, count - whole, width, last);
}

/** Address of an element. */
@inline
function at(base: usize, elements: i32): usize {
  return base + (<usize>elements << 2);
}

/** Neighbours lie side by side: vectors, in loops of their own for each width of a tile. */
function straight(source: usize, step: i32, k: i32, count: i32, width: i32, panel: i32, target: usize): void {
  switch (width) {
    case 4: straightOf(4, source, step, k, count, panel, target); break;
    case 5: straightOf(5, source, step, k, count, panel, target); break;
    case 6: straightOf(6, source, step, k, count, panel, target); break;
    case 8: straightOf(8, source, step, k, count, panel, target); break;
    case 16: straightOf(16, source, step, k, count, panel, target); break;
  }
}

/** Row by row of the source, all panels of it at a time: memory is read in the order it lies. */
@inline
function straightOf(width: i32, source: usize, step: i32, k: i32, count: i32, panel: i32, target: usize): void {
  for (let l = 0; l < k; l++, source = at(source, step), target = at(target, width)) {
    let to = target;
    for (let i = 0; i < count; i += width, to = at(to, panel)) copyRun(width, at(source, i), to);
  }
}

@inline
export function copyRun(width: i32, source: usize, target: usize): void {
  v128.store(target, v128.load(source));
  if (width == 5) store<u32>(target, load<u32>(source, 16), 16);
  if (width == 6) store<u64>(target, load<u64>(source, 16), 16);
  if (width >= 8) v128.store(target, v128.load(source, 16), 16);
  if (width == 16) {
    v128.store(target, v128.load(source, 32), 32);
    v128.store(target, v128.load(source, 48), 48);
  }
}

/** K lies side by side: whole panels, four of K at a time, turned in registers. */
function turned(source: usize, along: i32, k: i32, count: i32, width: i32, panel: i32, target: usize): void {
  switch (width) {
    case 4: turnedOf(4, source, along, k, count, panel, target); break;
    case 5: turnedOf(5, source, along, k, count, panel, target); break;
    case 6: turnedOf(6, source, along, k, count, panel, target); break;
    case 8: turnedOf(8, source, along, k, count, panel, target); break;
    case 16: turnedOf(16, source, along, k, count, panel, target); break;
  }
}

@inline
function turnedOf(width: i32, source: usize, along: i32, k: i32, count: i32, panel: i32, start: usize): void {
  const apart = <usize>along << 2;
  const wide = <usize>width << 2;
  for (let i = 0; i < count; i += width, start = at(start, panel)) {
    const rows = at(source, i * along);
    let target = start;
    let l: i32 = 0;
    for (; l + 4 <= k; l += 4, target += wide * 4) {
      const corner = at(rows, l);
      turn4(corner, apart, target, wide);
      if (width == 5) storeSpread(v128.load(corner + apart * 4), target + 16, wide);
      if (width == 6) turn2(corner + apart * 4, apart, target + 16, wide);
      if (width >= 8) turn4(corner + apart * 4, apart, target + 16, wide);
      if (width == 16) {
        turn4(corner + apart * 8, apart, target + 32, wide);
        turn4(corner + apart * 12, apart, target + 48, wide);
      }
    }
    for (; l < k; l++)
      for (let j = 0, from = at(rows, l); j < width; j++, from += apart, target += 4) store<u32>(target, load<u32>(from));
  }
}

/** Four rows by four of K, turned. */
@inline
function turn4(source: usize, apart: usize, target: usize, wide: usize): void {
  storeTurned4(v128.load(source), v128.load(source + apart), v128.load(source + apart * 2), v128.load(source + apart * 3), target, wide);
}

/** Two rows by four of K, turned. */
@inline
function turn2(source: usize, apart: usize, target: usize, wide: usize): void {
  storeTurned2(v128.load(source), v128.load(source + apart), target, wide);
}

/** Words of four rows, turned: word i of each side by side, `wide` bytes after word i - 1 of each. */
@inline
export function storeTurned4(x0: v128, x1: v128, x2: v128, x3: v128, target: usize, wide: usize): void {
  const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5);
  const low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5);
  const high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7);
  const high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7);
  v128.store(target, v128.shuffle<f64>(low01, low23, 0, 2));
  v128.store(target + wide, v128.shuffle<f64>(low01, low23, 1, 3));
  v128.store(target + wide * 2, v128.shuffle<f64>(high01, high23, 0, 2));
  v128.store(target + wide * 3, v128.shuffle<f64>(high01, high23, 1, 3));
}

/** Words of two rows, turned. */
@inline
export function storeTurned2(x0: v128, x1: v128, target: usize, wide: usize): void {
  const low = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5);
  const high = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7);
  v128.store_lane<f64>(target, low, 0);
  v128.store_lane<f64>(target + wide, low, 1);
  v128.store_lane<f64>(target + wide * 2, high, 0);
  v128.store_lane<f64>(target + wide * 3, high, 1);
}

/** Words of one row, spread out. */
@inline
export function storeSpread(x: v128, target: usize, wide: usize): void {
  v128.store_lane<f32>(target, x, 0);
  v128.store_lane<f32>(target + wide, x, 1);
  v128.store_lane<f32>(target + wide * 2, x, 2);
  v128.store_lane<f32>(target + wide * 3, x, 3);
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

/** K lies side by side: a panel at the edge, row by row, zeros beyond. */
function transposed(source: usize, along: i32, k: i32, n: i32, width: i32, target: usize): void {
  const wide = <usize>width << 2;
  for (let i = 0; i < width; i++) {
    const from = at(source, i * along);
    let to = at(target, i);
    for (let l = 0; l < k; l++, to += wide) store<u32>(to, i < n ? load<u32>(at(from, l)) : 0);
  }
}
