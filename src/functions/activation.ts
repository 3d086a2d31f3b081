import { apply, type Operand } from './apply.ts';

/** max(x, 0). */
export const relu = (x: Operand) => apply('relu', [x]);
/** x where x > 0, else slope * x. */
export const leakyRelu = (x: Operand, slope = 0.01) => apply('leaky_relu', [x], { slope });
/** x where x > 0, else alpha * (exp(x) - 1). */
export const elu = (x: Operand, alpha = 1) => apply('elu', [x], { alpha });
/** x times the normal distribution's function of x, by erf ('none') or by the tanh approximation. */
export const gelu = (x: Operand, approximate: 'none' | 'tanh' = 'none') =>
  apply('gelu', [x], { approximate });
/** x * sigmoid(x). */
export const silu = (x: Operand) => apply('silu', [x]);
/** 1 / (1 + exp(-x)). */
export const sigmoid = (x: Operand) => apply('sigmoid', [x]);
/** Hyperbolic tangent. */
export const tanh = (x: Operand) => apply('tanh', [x]);
/** log(1 + exp(x)). */
export const softplus = (x: Operand) => apply('softplus', [x]);
/** x / (1 + |x|). */
export const softsign = (x: Operand) => apply('softsign', [x]);
/** x * clamp(x + 3, 0, 6) / 6. */
export const hardswish = (x: Operand) => apply('hardswish', [x]);
