import { arctangent, sine } from './angles';
import { constant, HALF, NINE, ONE, SIGN } from './constants';
import { elements, loop, UNARY } from './elements';
import { Unary, UnaryRecord } from './generated/records';
import { select } from './isa';
import { erf, expm1, log1p, negated, size } from './math';
import { wholeExp, wholeLog } from './math-whole';
import { shareEnd, shareStart } from './threads';

/** One function on four floats; `kind` is a constant where this is inlined. */
@inline
export function unaryOf(kind: i32, x: v128, p: v128, q: v128): v128 {
  if (kind == Unary.ABS) return size(x);
  if (kind == Unary.SIGN) return sign(x);
  if (kind == Unary.FLOOR) return f32x4.floor(x);
  if (kind == Unary.CEIL) return f32x4.ceil(x);
  if (kind == Unary.ROUND) return f32x4.nearest(x);
  if (kind == Unary.TRUNC) return f32x4.trunc(x);
  if (kind == Unary.SQRT) return f32x4.sqrt(x);
  if (kind == Unary.RSQRT) return f32x4.div(constant(ONE), f32x4.sqrt(x));
  if (kind == Unary.EXP) return wholeExp(x);
  if (kind == Unary.EXPM1) return less(x);
  if (kind == Unary.LOG) return wholeLog(x);
  if (kind == Unary.LOG1P) return more(x);
  if (kind == Unary.ERF) return erf(x);
  // pmax and pmin, one instruction each, give their first operand where it is NaN.
  if (kind == Unary.CLIP) return f32x4.pmin(f32x4.pmax(x, p), q);
  if (kind == Unary.SIN) return eachLane(Unary.SIN, x);
  if (kind == Unary.COS) return eachLane(Unary.COS, x);
  if (kind == Unary.ATAN) return eachLane(Unary.ATAN, x);
  if (kind == Unary.SINH) return hyperbolicSine(x);
  return hyperbolicCosine(x);
}

/** -1, 0 or 1; NaN stays. */
@inline
function sign(x: v128): v128 {
  const one = v128.or(v128.and(x, constant(SIGN)), constant(ONE));
  return select(x, v128.and(one, f32x4.ne(x, f32x4.splat(0))), f32x4.ne(x, x));
}

// Not inlined: several functions are made of these, and each would be twice in its loop.
function exponential(x: v128): v128 {
  return wholeExp(x);
}

function logarithm(x: v128): v128 {
  return wholeLog(x);
}

/** e^x - 1. Beyond 25 the 1 is too small to be seen, and what keeps the digits of small results would overflow too early. */
function less(x: v128): v128 {
  const limit = f32x4.splat(25);
  return select(exponential(x), expm1(f32x4.pmin(x, limit)), f32x4.gt(x, limit));
}

/** log(1 + x): as a polynomial about 0, which keeps the digits of small x. */
function more(x: v128): v128 {
  const one = constant(ONE);
  const least = negated(constant(HALF));
  const near = log1p(f32x4.pmax(f32x4.pmin(x, one), least));
  return select(near, logarithm(f32x4.add(x, one)), v128.and(f32x4.ge(x, least), f32x4.le(x, one)));
}

/** sinh |x| = (e + e / (e + 1)) / 2 with e = e^|x| - 1, and from 9 on half of e^|x|, as the product of two that don't overflow. */
function hyperbolicSine(x: v128): v128 {
  const a = size(x);
  const e = expm1(f32x4.pmin(a, constant(NINE)));
  const near = f32x4.mul(constant(HALF), f32x4.add(e, f32x4.div(e, f32x4.add(e, constant(ONE)))));
  return v128.or(select(halfOfExp(a), near, f32x4.gt(a, constant(NINE))), v128.and(x, constant(SIGN)));
}

function hyperbolicCosine(x: v128): v128 {
  const a = size(x);
  const e = exponential(f32x4.pmin(a, constant(NINE)));
  const near = f32x4.mul(constant(HALF), f32x4.add(e, f32x4.div(constant(ONE), e)));
  return select(halfOfExp(a), near, f32x4.gt(a, constant(NINE)));
}

@inline
function halfOfExp(a: v128): v128 {
  const root = exponential(f32x4.mul(a, constant(HALF)));
  return f32x4.mul(f32x4.mul(root, constant(HALF)), root);
}

function oneLane(kind: i32, x: f32): f32 {
  if (kind == Unary.ATAN) return <f32>arctangent(<f64>x);
  return <f32>sine(x, kind == Unary.COS ? 1 : 0);
}

/** Functions that are computed one by one, in f64. */
function eachLane(kind: i32, x: v128): v128 {
  let y = f32x4.splat(oneLane(kind, f32x4.extract_lane(x, 0)));
  y = f32x4.replace_lane(y, 1, oneLane(kind, f32x4.extract_lane(x, 1)));
  y = f32x4.replace_lane(y, 2, oneLane(kind, f32x4.extract_lane(x, 2)));
  return f32x4.replace_lane(y, 3, oneLane(kind, f32x4.extract_lane(x, 3)));
}

/**
 * The loop of functions that are calls. A vector at a time: V8 14.6 breaks down where it would join two vectors that calls
 * give (a fatal error of its own, with the flag for wide vectors).
 */
@inline
function calls(kind: i32, x: usize, y: usize, n: i32): void {
  const none = f32x4.splat(0);
  for (const end = x + (<usize>n << 2); x < end; x += 16, y += 16) v128.store(y, unaryOf(kind, v128.load(x), none, none));
}

/** `n` floats, a multiple of TURN. */
export function unaryTurns(kind: i32, x: usize, y: usize, n: i32, p: f32, q: f32): void {
  switch (kind) {
    case Unary.ABS: loop(UNARY, Unary.ABS, x, 0, y, n, p, q); break;
    case Unary.SIGN: loop(UNARY, Unary.SIGN, x, 0, y, n, p, q); break;
    case Unary.FLOOR: loop(UNARY, Unary.FLOOR, x, 0, y, n, p, q); break;
    case Unary.CEIL: loop(UNARY, Unary.CEIL, x, 0, y, n, p, q); break;
    case Unary.ROUND: loop(UNARY, Unary.ROUND, x, 0, y, n, p, q); break;
    case Unary.TRUNC: loop(UNARY, Unary.TRUNC, x, 0, y, n, p, q); break;
    case Unary.SQRT: loop(UNARY, Unary.SQRT, x, 0, y, n, p, q); break;
    case Unary.RSQRT: loop(UNARY, Unary.RSQRT, x, 0, y, n, p, q); break;
    case Unary.EXP: loop(UNARY, Unary.EXP, x, 0, y, n, p, q); break;
    case Unary.EXPM1: calls(Unary.EXPM1, x, y, n); break;
    case Unary.LOG: loop(UNARY, Unary.LOG, x, 0, y, n, p, q); break;
    case Unary.LOG1P: calls(Unary.LOG1P, x, y, n); break;
    case Unary.ERF: loop(UNARY, Unary.ERF, x, 0, y, n, p, q); break;
    case Unary.CLIP: loop(UNARY, Unary.CLIP, x, 0, y, n, p, q); break;
    case Unary.SIN: calls(Unary.SIN, x, y, n); break;
    case Unary.COS: calls(Unary.COS, x, y, n); break;
    case Unary.ATAN: calls(Unary.ATAN, x, y, n); break;
    case Unary.SINH: calls(Unary.SINH, x, y, n); break;
    case Unary.COSH: calls(Unary.COSH, x, y, n); break;
  }
}

export function unary(r: UnaryRecord, thread: i32, threads: i32): void {
  const from = shareStart(r.count, 16, thread, threads);
  const at = <usize>from << 2;
  elements(UNARY, r.unary, r.x + at, 0, r.y + at, shareEnd(r.count, 16, thread, threads) - from, r.parameter, r.second);
}
