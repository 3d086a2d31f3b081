import { BOTH, BY, loop, OF } from './elements';
import { Binary, BinaryRecord } from './generated/records';
import { select } from './isa';
import { TURN } from './spare';
import { shareEnd, shareStart } from './threads';
import { offsetOf } from './walk';

/** Four elements, of f32 or, as the kind says, of i32. */
@inline
export function apply(kind: i32, a: v128, b: v128): v128 {
  if (kind == Binary.ADD) return f32x4.add(a, b);
  if (kind == Binary.SUB) return f32x4.sub(a, b);
  if (kind == Binary.MUL) return f32x4.mul(a, b);
  if (kind == Binary.DIV) return f32x4.div(a, b);
  // pmax, one instruction where max is seven, gives its first operand where either is NaN, and -0 beside 0.
  if (kind == Binary.MAXIMUM) return select(b, f32x4.pmax(a, b), f32x4.ne(b, b));
  if (kind == Binary.MINIMUM) return select(b, f32x4.pmin(a, b), f32x4.ne(b, b));
  if (kind == Binary.ADD_I32) return i32x4.add(a, b);
  if (kind == Binary.SUB_I32) return i32x4.sub(a, b);
  if (kind == Binary.MUL_I32) return i32x4.mul(a, b);
  if (kind == Binary.MAXIMUM_I32) return i32x4.max_s(a, b);
  return i32x4.min_s(a, b);
}

/** One element of whatever kind, by the vector's instructions, so that it has the same bits. */
function applyOne(kind: i32, a: f32, b: f32): f32 {
  return f32x4.extract_lane(apply(kind, f32x4.splat(a), f32x4.splat(b)), 0);
}

/** `n` floats, a multiple of TURN. */
export function binaryTurns(family: i32, kind: i32, a: usize, b: usize, y: usize, n: i32, p: f32): void {
  if (family == BOTH)
    switch (kind) {
      case Binary.ADD: loop(BOTH, Binary.ADD, a, b, y, n, p); break;
      case Binary.SUB: loop(BOTH, Binary.SUB, a, b, y, n, p); break;
      case Binary.MUL: loop(BOTH, Binary.MUL, a, b, y, n, p); break;
      case Binary.DIV: loop(BOTH, Binary.DIV, a, b, y, n, p); break;
      case Binary.MAXIMUM: loop(BOTH, Binary.MAXIMUM, a, b, y, n, p); break;
      case Binary.MINIMUM: loop(BOTH, Binary.MINIMUM, a, b, y, n, p); break;
    }
  else
    switch (kind) {
      case Binary.ADD: loop(BY, Binary.ADD, a, b, y, n, p); break;
      case Binary.SUB: family == BY ? loop(BY, Binary.SUB, a, b, y, n, p) : loop(OF, Binary.SUB, a, b, y, n, p); break;
      case Binary.MUL: loop(BY, Binary.MUL, a, b, y, n, p); break;
      case Binary.DIV: family == BY ? loop(BY, Binary.DIV, a, b, y, n, p) : loop(OF, Binary.DIV, a, b, y, n, p); break;
      case Binary.MAXIMUM: loop(BY, Binary.MAXIMUM, a, b, y, n, p); break;
      case Binary.MINIMUM: loop(BY, Binary.MINIMUM, a, b, y, n, p); break;
    }
}

/** One run of y = a op b; a step of 0 repeats one element. Runs may be short and many: what is left of one goes one by one. */
function binaryRun(kind: i32, a: usize, stepA: i32, b: usize, stepB: i32, y: usize, n: i32): void {
  // i32 is for indices, which are few: their kinds have no loops of their own.
  const whole = kind >= Binary.ADD_I32 ? 0 : n & -TURN;
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
