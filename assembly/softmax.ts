import { exp, log } from './math';
import { shareEnd, shareStart } from './threads';
import { loadPart, maxLanes, storePart, sumLanes } from './vector';

/** Largest of n floats. NaN is passed over: it makes the sum of exponentials NaN, and with it all that follows. */
export function rowMax(x: usize, n: i32): f32 {
  let m0 = f32x4.splat(-Infinity);
  let m1 = m0;
  let i: i32 = 0;
  for (; i + 8 <= n; i += 8, x += 32) {
    m0 = f32x4.pmax(m0, v128.load(x));
    m1 = f32x4.pmax(m1, v128.load(x, 16));
  }
  for (; i < n; i += 4, x += 16) m0 = f32x4.pmax(m0, loadPart(x, n - i, -Infinity));
  return maxLanes(f32x4.pmax(m0, m1));
}

/** Sum of exp(x - shift). */
export function sumExp(x: usize, n: i32, shift: f32): f32 {
  return expRow(false, x, 0, n, shift);
}

/** Sum of exp(x - shift), the terms kept in y if asked for. Two vectors at a time, so that one's waiting is the other's work. */
@inline
function expRow(keep: bool, x: usize, y: usize, n: i32, shift: f32): f32 {
  const s = f32x4.splat(shift);
  let sum0 = f32x4.splat(0);
  let sum1 = sum0;
  let i: i32 = 0;
  for (; i + 8 <= n; i += 8, x += 32, y += 32) {
    const e0 = exp(f32x4.sub(v128.load(x), s));
    const e1 = exp(f32x4.sub(v128.load(x, 16), s));
    if (keep) {
      v128.store(y, e0);
      v128.store(y, e1, 16);
    }
    sum0 = f32x4.add(sum0, e0);
    sum1 = f32x4.add(sum1, e1);
  }
  for (; i < n; i += 4, x += 16, y += 16) {
    // exp of the filling -infinity is 0; where the row's largest is -infinity too, the sum is NaN as it should be.
    const e = exp(f32x4.sub(loadPart(x, n - i, -Infinity), s));
    if (keep) storePart(y, n - i, e);
    sum0 = f32x4.add(sum0, e);
  }
  return sumLanes(f32x4.add(sum0, sum1));
}

function storeExp(x: usize, y: usize, n: i32, shift: f32): f32 {
  return expRow(true, x, y, n, shift);
}

function scaleRow(y: usize, n: i32, by: f32): void {
  const factor = f32x4.splat(by);
  let i: i32 = 0;
  for (; i + 4 <= n; i += 4, y += 16) v128.store(y, f32x4.mul(v128.load(y), factor));
  if (i < n) storePart(y, n - i, f32x4.mul(loadPart(y, n - i, 0), factor));
}

/** Softmax of each row. Record: x, y, rows, n */
export function softmax(a: usize, thread: i32, threads: i32): void {
  const n = load<i32>(a, 12);
  const rows = load<i32>(a, 8);
  const end = shareEnd(rows, 1, thread, threads);
  for (let r = shareStart(rows, 1, thread, threads); r < end; r++) {
    const at = (<usize>r * <usize>n) << 2;
    const x = <usize>load<u32>(a) + at;
    const y = <usize>load<u32>(a, 4) + at;
    scaleRow(y, n, 1 / storeExp(x, y, n, rowMax(x, n)));
  }
}

/** x - largest - log(sum of exp(x - largest)). Record: x, y, rows, n */
export function logSoftmax(a: usize, thread: i32, threads: i32): void {
  const n = load<i32>(a, 12);
  const rows = load<i32>(a, 8);
  const end = shareEnd(rows, 1, thread, threads);
  for (let r = shareStart(rows, 1, thread, threads); r < end; r++) {
    const at = (<usize>r * <usize>n) << 2;
    const x = <usize>load<u32>(a) + at;
    const y = <usize>load<u32>(a, 4) + at;
    const most = rowMax(x, n);
    const shift = f32x4.splat(most);
    const total = f32x4.splat(<f32>log(sumExp(x, n, most)));
    for (let i = 0; i < n; i += 4) {
      const e = <usize>i << 2;
      storePart(y + e, n - i, f32x4.sub(f32x4.sub(loadPart(x + e, n - i, 0), shift), total));
    }
  }
}

/** dx = y (dy - sum(dy y)). Record: dy, y, dx, rows, n */
export function softmaxBackward(a: usize, thread: i32, threads: i32): void {
  const rows = load<i32>(a, 12);
  const n = load<i32>(a, 16);
  const end = shareEnd(rows, 1, thread, threads);
  for (let r = shareStart(rows, 1, thread, threads); r < end; r++) {
    const at = (<usize>r * <usize>n) << 2;
    const dy = <usize>load<u32>(a) + at;
    const y = <usize>load<u32>(a, 4) + at;
    const dx = <usize>load<u32>(a, 8) + at;
    let dot = f32x4.splat(0);
    for (let i = 0; i < n; i += 4) {
      const e = <usize>i << 2;
      dot = f32x4.add(dot, f32x4.mul(loadPart(dy + e, n - i, 0), loadPart(y + e, n - i, 0)));
    }
    const all = f32x4.splat(sumLanes(dot));
    for (let i = 0; i < n; i += 4) {
      const e = <usize>i << 2;
      storePart(dx + e, n - i, f32x4.mul(loadPart(y + e, n - i, 0), f32x4.sub(loadPart(dy + e, n - i, 0), all)));
    }
  }
}

/** dx = dy - exp(y) sum(dy). Record: dy, y, dx, rows, n */
export function logSoftmaxBackward(a: usize, thread: i32, threads: i32): void {
  const rows = load<i32>(a, 12);
  const n = load<i32>(a, 16);
  const end = shareEnd(rows, 1, thread, threads);
  for (let r = shareStart(rows, 1, thread, threads); r < end; r++) {
    const at = (<usize>r * <usize>n) << 2;
    const dy = <usize>load<u32>(a) + at;
    const y = <usize>load<u32>(a, 4) + at;
    const dx = <usize>load<u32>(a, 8) + at;
    let sum = f32x4.splat(0);
    for (let i = 0; i < n; i += 4) sum = f32x4.add(sum, loadPart(dy + (<usize>i << 2), n - i, 0));
    const all = f32x4.splat(sumLanes(sum));
    for (let i = 0; i < n; i += 4) {
      const e = <usize>i << 2;
      storePart(dx + e, n - i, f32x4.sub(loadPart(dy + e, n - i, 0), f32x4.mul(exp(loadPart(y + e, n - i, 0)), all)));
    }
  }
}
