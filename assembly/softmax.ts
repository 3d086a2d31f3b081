import { exp, log } from './math';
import { shareEnd, shareStart } from './threads';
import { loadPart, maxLanes, storePart, sumLanes } from './vector';

/** Largest of n floats, NaN if any is NaN. */
export function rowMax(x: usize, n: i32): f32 {
  let most = f32x4.splat(-Infinity);
  for (let i = 0; i < n; i += 4) most = f32x4.max(most, loadPart(x + (<usize>i << 2), n - i, -Infinity));
  return maxLanes(most);
}

/** Sum of exp(x - shift). */
export function sumExp(x: usize, n: i32, shift: f32): f32 {
  const s = f32x4.splat(shift);
  let sum = f32x4.splat(0);
  let i: i32 = 0;
  for (; i + 4 <= n; i += 4) sum = f32x4.add(sum, exp(f32x4.sub(v128.load(x + (<usize>i << 2)), s)));
  // exp of the filling -infinity is 0; where the row's largest is -infinity too, the sum is NaN as it should be.
  if (i < n) sum = f32x4.add(sum, exp(f32x4.sub(loadPart(x + (<usize>i << 2), n - i, -Infinity), s)));
  return sumLanes(sum);
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
    const most = f32x4.splat(rowMax(x, n));
    let sum = f32x4.splat(0);
    for (let i = 0; i < n; i += 4) {
      const e = exp(f32x4.sub(loadPart(x + (<usize>i << 2), n - i, -Infinity), most));
      storePart(y + (<usize>i << 2), n - i, e);
      sum = f32x4.add(sum, e);
    }
    const total = f32x4.splat(sumLanes(sum));
    for (let i = 0; i < n; i += 4) {
      const e = y + (<usize>i << 2);
      storePart(e, n - i, f32x4.div(loadPart(e, n - i, 0), total));
    }
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
