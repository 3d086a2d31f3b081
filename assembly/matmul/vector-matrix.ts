import { madd } from '../isa';
import { loadPart, storePart, sumLanes } from '../vector';

/**
 * One row: c[from..to) = x B + bias. B is read once, straight through: along its columns' K where that is contiguous
 * (a transposed weight), else row by row with 16 columns in registers.
 */
export function vectorMatrix(
  x: usize, b: usize, bias: usize, c: usize, from: i32, to: i32, k: i32, stepB: i32, columnB: i32,
): void {
  if (columnB == 1) byRows(x, b, bias, c, from, to, k, stepB);
  else byColumns(x, b, bias, c, from, to, k, stepB, columnB);
}

@inline
function biasAt(bias: usize, j: i32): f32 {
  return bias ? load<f32>(bias + (<usize>j << 2)) : 0;
}

function byColumns(x: usize, b: usize, bias: usize, c: usize, from: i32, to: i32, k: i32, stepB: i32, columnB: i32): void {
  for (let j = from; j < to; j++) {
    const column = b + (<usize>(j * columnB) << 2);
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let l = 0;
    let rest: f32 = 0;
    if (stepB == 1) {
      for (; l + 8 <= k; l += 8) {
        const at = <usize>l << 2;
        s0 = madd(v128.load(x + at), v128.load(column + at), s0);
        s1 = madd(v128.load(x + at, 16), v128.load(column + at, 16), s1);
      }
    }
    for (; l < k; l++) rest += load<f32>(x + (<usize>l << 2)) * load<f32>(column + (<usize>(l * stepB) << 2));
    store<f32>(c + (<usize>j << 2), sumLanes(f32x4.add(s0, s1)) + rest + biasAt(bias, j));
  }
}

function byRows(x: usize, b: usize, bias: usize, c: usize, from: i32, to: i32, k: i32, stepB: i32): void {
  const next = <usize>stepB << 2;
  let j = from;
  for (; j + 16 <= to; j += 16) {
    const at = <usize>j << 2;
    let s0 = bias ? v128.load(bias + at) : f32x4.splat(0);
    let s1 = bias ? v128.load(bias + at, 16) : f32x4.splat(0);
    let s2 = bias ? v128.load(bias + at, 32) : f32x4.splat(0);
    let s3 = bias ? v128.load(bias + at, 48) : f32x4.splat(0);
    let row = b + at;
    for (let l = 0; l < k; l++, row += next) {
      const v = v128.load32_splat(x + (<usize>l << 2));
      s0 = madd(v, v128.load(row), s0);
      s1 = madd(v, v128.load(row, 16), s1);
      s2 = madd(v, v128.load(row, 32), s2);
      s3 = madd(v, v128.load(row, 48), s3);
    }
    v128.store(c + at, s0);
    v128.store(c + at, s1, 16);
    v128.store(c + at, s2, 32);
    v128.store(c + at, s3, 48);
  }
  for (; j < to; j += 4) {
    const at = <usize>j << 2;
    const n = to - j;
    let s = bias ? loadPart(bias + at, n, 0) : f32x4.splat(0);
    let row = b + at;
    for (let l = 0; l < k; l++, row += next) s = madd(v128.load32_splat(x + (<usize>l << 2)), loadPart(row, n, 0), s);
    storePart(c + at, n, s);
  }
}
