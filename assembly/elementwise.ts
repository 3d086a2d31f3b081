import { BOTH, BY, elements, loop, OF } from './elements';
import { Binary, BinaryRecord, CastRecord, Dtype, FillRecord, ScaleRecord } from './generated/records';
import { TURN } from './spare';
import { shareEnd, shareStart } from './threads';

@inline
export function apply(kind: i32, a: v128, b: v128): v128 {
  if (kind == Binary.ADD) return f32x4.add(a, b);
  if (kind == Binary.SUB) return f32x4.sub(a, b);
  if (kind == Binary.MUL) return f32x4.mul(a, b);
  return f32x4.div(a, b);
}

@inline
function applyOne(kind: i32, a: f32, b: f32): f32 {
  if (kind == Binary.ADD) return a + b;
  if (kind == Binary.SUB) return a - b;
  if (kind == Binary.MUL) return a * b;
  return a / b;
}

/** `n` floats, a multiple of TURN. */
export function binaryTurns(family: i32, kind: i32, a: usize, b: usize, y: usize, n: i32, p: f32): void {
  if (family == BOTH)
    switch (kind) {
      case Binary.ADD: loop(BOTH, Binary.ADD, a, b, y, n, p); break;
      case Binary.SUB: loop(BOTH, Binary.SUB, a, b, y, n, p); break;
      case Binary.MUL: loop(BOTH, Binary.MUL, a, b, y, n, p); break;
      case Binary.DIV: loop(BOTH, Binary.DIV, a, b, y, n, p); break;
    }
  else
    switch (kind) {
      case Binary.ADD: loop(BY, Binary.ADD, a, b, y, n, p); break;
      case Binary.MUL: loop(BY, Binary.MUL, a, b, y, n, p); break;
      case Binary.SUB: family == BY ? loop(BY, Binary.SUB, a, b, y, n, p) : loop(OF, Binary.SUB, a, b, y, n, p); break;
      case Binary.DIV: family == BY ? loop(BY, Binary.DIV, a, b, y, n, p) : loop(OF, Binary.DIV, a, b, y, n, p); break;
    }
}

/** One run of y = a op b; a step of 0 repeats one element. Runs may be short and many: what is left of one goes one by one. */
function binaryRun(kind: i32, a: usize, stepA: i32, b: usize, stepB: i32, y: usize, n: i32): void {
  const whole = n & -TURN;
  if (whole) {
    if (stepA && stepB) binaryTurns(BOTH, kind, a, b, y, whole, 0);
    else if (stepA) binaryTurns(BY, kind, a, 0, y, whole, load<f32>(b));
    else binaryTurns(OF, kind, b, 0, y, whole, load<f32>(a));
  }
  for (let i = whole; i < n; i++) {
    const at = <usize>i << 2;
    store<f32>(y + at, applyOne(kind, load<f32>(a + at * <usize>stepA), load<f32>(b + at * <usize>stepB)));
  }
}

/** Offset, in elements, of linear index `outer` over the first `rank` of the dimensions at `dims`. */
export function offsetOf(outer: i32, dims: usize, strides: usize, rank: i32): i32 {
  let offset: i32 = 0;
  let rest = outer;
  for (let d = rank - 1; d >= 0; d--) {
    const size = load<i32>(dims + (<usize>d << 2));
    offset += (rest % size) * load<i32>(strides + (<usize>d << 2));
    rest /= size;
  }
  return offset;
}

/**
 * y = a op b with broadcasting, over dimensions that the encoder has merged where it could; steps of the
 * last dimension are 0 or 1.
 */
export function binary(r: BinaryRecord, thread: i32, threads: i32): void {
  const kind = r.kind;
  const a = r.a;
  const b = r.b;
  const y = r.y;
  const rank = r.rank;
  const outer = r.outer;
  const dims = r.dims;
  const stridesA = r.stridesA;
  const stridesB = r.stridesB;
  const last = (<usize>rank << 2) - 4;
  const n = load<i32>(dims + last);
  const stepA = load<i32>(stridesA + last);
  const stepB = load<i32>(stridesB + last);
  if (outer == 1) {
    const from = shareStart(n, 16, thread, threads);
    const to = shareEnd(n, 16, thread, threads);
    if (from >= to) return;
    const at = <usize>from << 2;
    binaryRun(kind, a + at * <usize>stepA, stepA, b + at * <usize>stepB, stepB, y + at, to - from);
    return;
  }
  const end = shareEnd(outer, 1, thread, threads);
  for (let o = shareStart(outer, 1, thread, threads); o < end; o++) {
    const oa = <usize>offsetOf(o, dims, stridesA, rank - 1) << 2;
    const ob = <usize>offsetOf(o, dims, stridesB, rank - 1) << 2;
    binaryRun(kind, a + oa, stepA, b + ob, stepB, y + ((<usize>o * <usize>n) << 2), n);
  }
}

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
