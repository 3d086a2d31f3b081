import { backward, backwardTurns, forward, forwardTurns } from './activation';
import { apply, binaryTurns } from './binary';
import { spare, toSpare, TURN } from './spare';
import { unaryOf, unaryTurns } from './unary';
import { copyFloats } from './vector';

/** What an element is made from: families of functions of up to two floats and parameters, each with its kinds. */
export const FORWARD = 0;
export const BACKWARD = 1;
/** a op b */
export const BOTH = 2;
/** a op parameter */
export const BY = 3;
/** parameter op a */
export const OF = 4;
/** f(a), told two parameters */
export const UNARY = 5;

@inline
function element(family: i32, kind: i32, a: v128, b: v128, p: v128, q: v128): v128 {
  if (family == FORWARD) return forward(kind, a, p);
  if (family == BACKWARD) return backward(kind, a, b, p);
  if (family == UNARY) return unaryOf(kind, a, p, q);
  if (family == BOTH) return apply(kind, a, b);
  if (family == BY) return apply(kind, a, p);
  return apply(kind, p, a);
}

/**
 * The loop of all of them, for each family and kind one of its own, so that nothing is decided per element. `n` is a multiple
 * of TURN; y may be a or b. Two adjacent vectors a turn, and two stores side by side at its end.
 */
@inline
export function loop(family: i32, kind: i32, a: usize, b: usize, y: usize, n: i32, p: f32, q: f32 = 0): void {
  const parameter = f32x4.splat(p);
  const second = f32x4.splat(q);
  const two = family == BACKWARD || family == BOTH;
  for (const end = a + (<usize>n << 2); a < end; a += TURN * 4, b += TURN * 4, y += TURN * 4) {
    const y0 = element(family, kind, v128.load(a), two ? v128.load(b) : parameter, parameter, second);
    const y1 = element(family, kind, v128.load(a, 16), two ? v128.load(b, 16) : parameter, parameter, second);
    v128.store(y, y0);
    v128.store(y, y1, 16);
  }
}

@inline
function turns(family: i32, kind: i32, a: usize, b: usize, y: usize, n: i32, p: f32, q: f32 = 0): void {
  if (family == FORWARD) forwardTurns(kind, a, y, n, p);
  else if (family == BACKWARD) backwardTurns(kind, a, b, y, n, p);
  else if (family == UNARY) unaryTurns(kind, a, y, n, p, q);
  else binaryTurns(family, kind, a, b, y, n, p);
}

/** y = f(a, b) for n floats, `family` a constant. What is left goes through the same loop, so no element has bits of its own. */
@inline
export function elements(family: i32, kind: i32, a: usize, b: usize, y: usize, n: i32, p: f32, q: f32 = 0): void {
  const left = n & (TURN - 1);
  const whole = <usize>(n - left) << 2;
  if (n > left) turns(family, kind, a, b, y, n - left, p, q);
  if (left == 0) return;
  toSpare(0, a + whole, left);
  if (b) toSpare(1, b + whole, left);
  turns(family, kind, spare(0), spare(1), spare(0), TURN, p, q);
  copyFloats(y + whole, spare(0), left);
}
