import { BOTH, BY, elements, loop, OF } from './elements';
import { ADD, DIV, F32, I32, I8, MUL, SUB, U8 } from './opcodes';
import { TURN } from './spare';
import { shareEnd, shareStart } from './threads';

@inline
export function apply(kind: i32, a: v128, b: v128): v128 {
  if (kind == ADD) return f32x4.add(a, b);
  if (kind == SUB) return f32x4.sub(a, b);
  if (kind == MUL) return f32x4.mul(a, b);
  return f32x4.div(a, b);
}

@inline
function applyOne(kind: i32, a: f32, b: f32): f32 {
  if (kind == ADD) return a + b;
  if (kind == SUB) return a - b;
  if (kind == MUL) return a * b;
  return a / b;
}

/** `n` floats, a multiple of TURN. */
export function binaryTurns(family: i32, kind: i32, a: usize, b: usize, y: usize, n: i32, p: f32): void {
  if (family == BOTH)
    switch (kind) {
      case ADD: loop(BOTH, ADD, a, b, y, n, p); break;
      case SUB: loop(BOTH, SUB, a, b, y, n, p); break;
      case MUL: loop(BOTH, MUL, a, b, y, n, p); break;
      case DIV: loop(BOTH, DIV, a, b, y, n, p); break;
    }
  else
    switch (kind) {
      case ADD: loop(BY, ADD, a, b, y, n, p); break;
      case MUL: loop(BY, MUL, a, b, y, n, p); break;
      case SUB: family == BY ? loop(BY, SUB, a, b, y, n, p) : loop(OF, SUB, a, b, y, n, p); break;
      case DIV: family == BY ? loop(BY, DIV, a, b, y, n, p) : loop(OF, DIV, a, b, y, n, p); break;
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
 * last dimension are 0 or 1. Record: kind, a, b, y, rank, outer count, dims[rank], strides a[rank], strides b[rank]
 */
export function binary(a: usize, thread: i32, threads: i32): void {
  const kind = load<i32>(a);
  const x = <usize>load<u32>(a, 4);
  const z = <usize>load<u32>(a, 8);
  const y = <usize>load<u32>(a, 12);
  const rank = load<i32>(a, 16);
  const outer = load<i32>(a, 20);
  const dims = a + 24;
  const width = <usize>rank << 2;
  const stridesA = dims + width;
  const stridesB = stridesA + width;
  const last = width - 4;
  const n = load<i32>(dims + last);
  const stepA = load<i32>(stridesA + last);
  const stepB = load<i32>(stridesB + last);
  if (outer == 1) {
    const from = shareStart(n, 16, thread, threads);
    const to = shareEnd(n, 16, thread, threads);
    if (from >= to) return;
    const at = <usize>from << 2;
    binaryRun(kind, x + at * <usize>stepA, stepA, z + at * <usize>stepB, stepB, y + at, to - from);
    return;
  }
  const end = shareEnd(outer, 1, thread, threads);
  for (let o = shareStart(outer, 1, thread, threads); o < end; o++) {
    const oa = <usize>offsetOf(o, dims, stridesA, rank - 1) << 2;
    const ob = <usize>offsetOf(o, dims, stridesB, rank - 1) << 2;
    binaryRun(kind, x + oa, stepA, z + ob, stepB, y + ((<usize>o * <usize>n) << 2), n);
  }
}

/** y = factor * x. Record: x, y, count, factor f32 */
export function scale(a: usize, thread: i32, threads: i32): void {
  const x = <usize>load<u32>(a);
  const y = <usize>load<u32>(a, 4);
  const n = load<i32>(a, 8);
  const from = shareStart(n, 16, thread, threads);
  const at = <usize>from << 2;
  elements(BY, MUL, x + at, 0, y + at, shareEnd(n, 16, thread, threads) - from, load<f32>(a, 12));
}

/** Repeats one byte or one 4-byte word. Record: y, bytes, word u32 (a byte is repeated in all four) */
export function fill(a: usize, thread: i32, threads: i32): void {
  const y = <usize>load<u32>(a);
  const n = load<i32>(a, 4);
  const word = load<u32>(a, 8);
  const to = shareEnd(n, 64, thread, threads);
  let i = shareStart(n, 64, thread, threads);
  const v = i32x4.splat(word);
  for (; i + 16 <= to; i += 16) v128.store(y + i, v);
  for (; i + 4 <= to; i += 4) store<u32>(y + i, word);
  for (; i < to; i++) store<u8>(y + i, <u8>word);
}

@inline
function readAs(type: i32, x: usize, i: i32): f64 {
  if (type == F32) return <f64>load<f32>(x + (<usize>i << 2));
  if (type == I32) return <f64>load<i32>(x + (<usize>i << 2));
  if (type == U8) return <f64>load<u8>(x + i);
  return <f64>load<i8>(x + i);
}

/** Truncates and saturates to integers; NaN becomes 0. */
@inline
function writeAs(type: i32, y: usize, i: i32, value: f64): void {
  if (type == F32) {
    store<f32>(y + (<usize>i << 2), <f32>value);
    return;
  }
  const whole = <i32>value;
  if (type == I32) store<i32>(y + (<usize>i << 2), whole);
  else if (type == U8) store<u8>(y + i, <u8>min(255, max(0, whole)));
  else if (type == I8) store<i8>(y + i, <i8>min(127, max(-128, whole)));
}

/** Converts element types. Record: from type, to type, x, y, count */
export function cast(a: usize, thread: i32, threads: i32): void {
  const from = load<i32>(a);
  const to = load<i32>(a, 4);
  const x = <usize>load<u32>(a, 8);
  const y = <usize>load<u32>(a, 12);
  const n = load<i32>(a, 16);
  const end = shareEnd(n, 64, thread, threads);
  for (let i = shareStart(n, 64, thread, threads); i < end; i++) writeAs(to, y, i, readAs(from, x, i));
}
