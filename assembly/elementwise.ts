import { BY, elements } from './elements';
import { Binary, CastRecord, Dtype, FillRecord, ScaleRecord } from './generated/records';
import { shareEnd, shareStart } from './threads';

/** y = factor * x */
export function scale(r: ScaleRecord, thread: i32, threads: i32): void {
  const from = shareStart(r.count, 16, thread, threads);
  const at = <usize>from << 2;
  elements(BY, Binary.MUL, r.x + at, 0, r.y + at, shareEnd(r.count, 16, thread, threads) - from, r.factor);
}

/** Repeats one byte or one 4-byte word. */
export function fill(r: FillRecord, thread: i32, threads: i32): void {
  const y = r.y;
  const n = r.bytes;
  const word = r.word;
  const to = shareEnd(n, 64, thread, threads);
  let i = shareStart(n, 64, thread, threads);
  const v = i32x4.splat(word);
  for (; i + 16 <= to; i += 16) v128.store(y + i, v);
  for (; i + 4 <= to; i += 4) store<u32>(y + i, word);
  for (; i < to; i++) store<u8>(y + i, <u8>word);
}

@inline
function readAs(type: i32, x: usize, i: i32): f64 {
  if (type == Dtype.F32) return <f64>load<f32>(x + (<usize>i << 2));
  if (type == Dtype.I32) return <f64>load<i32>(x + (<usize>i << 2));
  if (type == Dtype.U8) return <f64>load<u8>(x + i);
  return <f64>load<i8>(x + i);
}

/** Truncates and saturates to integers; NaN becomes 0. */
@inline
function writeAs(type: i32, y: usize, i: i32, value: f64): void {
  if (type == Dtype.F32) {
    store<f32>(y + (<usize>i << 2), <f32>value);
    return;
  }
  const whole = <i32>value;
  if (type == Dtype.I32) store<i32>(y + (<usize>i << 2), whole);
  else if (type == Dtype.U8) store<u8>(y + i, <u8>min(255, max(0, whole)));
  else if (type == Dtype.I8) store<i8>(y + i, <i8>min(127, max(-128, whole)));
}

/** Converts element types. */
export function cast(r: CastRecord, thread: i32, threads: i32): void {
  const from = r.from;
  const to = r.to;
  const x = r.x;
  const y = r.y;
  const n = r.count;
  const end = shareEnd(n, 64, thread, threads);
  for (let i = shareStart(n, 64, thread, threads); i < end; i++) writeAs(to, y, i, readAs(from, x, i));
}
