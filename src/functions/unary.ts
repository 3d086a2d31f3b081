import type { Tensor } from '../graph/trace.ts';
import type { UnaryName } from '../ops/unary.ts';
import { apply, type Operand } from './apply.ts';
import { div, mul } from './binary.ts';
import { scale } from './elementwise.ts';

const unary = (name: Exclude<UnaryName, 'clip'>) => (x: Operand) => apply(name, [x]);

/** Without its sign. The gradient at 0 is 0. */
export const abs = unary('abs');
/** -1, 0 or 1. */
export const sign = unary('sign');
/** The greatest whole number that is not above x. */
export const floor = unary('floor');
/** The least whole number that is not below x. */
export const ceil = unary('ceil');
/** The nearest whole number, of two the even one, as IEEE 754 and PyTorch round. */
export const round = unary('round');
/** Without what is behind the point. */
export const trunc = unary('trunc');
/** The square root; NaN below 0. */
export const sqrt = unary('sqrt');
/** 1 / sqrt(x). */
export const rsqrt = unary('rsqrt');
/** e^x. */
export const exp = unary('exp');
/** e^x - 1, with all digits near 0. */
export const expm1 = unary('expm1');
/** The natural logarithm; -Infinity at 0, NaN below. */
export const log = unary('log');
/** log(1 + x), with all digits near 0. */
export const log1p = unary('log1p');
/** The error function. */
export const erf = unary('erf');
/** The sine of an angle in radians, however large. */
export const sin = unary('sin');
/** The cosine of an angle in radians, however large. */
export const cos = unary('cos');
/** The angle whose tangent is x, between -pi / 2 and pi / 2. */
export const atan = unary('atan');
/** (e^x - e^-x) / 2. */
export const sinh = unary('sinh');
/** (e^x + e^-x) / 2. */
export const cosh = unary('cosh');

/** sin(x) / cos(x). */
export const tan = (x: Operand): Tensor => div(sin(x), cos(x));
/** -x. */
export const neg = (x: Operand): Tensor => scale(x, -1);
/** 1 / x. */
export const reciprocal = (x: Operand): Tensor => div(1, x);
/** x * x. */
export const square = (x: Operand): Tensor => mul(x, x);
/** The logarithm to base 2. */
export const log2 = (x: Operand): Tensor => scale(log(x), Math.LOG2E);
/** The logarithm to base 10. */
export const log10 = (x: Operand): Tensor => scale(log(x), Math.LOG10E);
/** min where x is below it, max where it is above that, else x; a bound that is not given does not bind (torch.clamp). */
export const clip = (x: Operand, min?: number, max?: number): Tensor => apply('clip', [x], { min, max });
