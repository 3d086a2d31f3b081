import { fail } from '../core/errors.ts';
import { normalizeAxis } from '../core/shape.ts';
import type { Tensor } from '../graph/trace.ts';
import { apply, type Operand } from './apply.ts';
import { mul } from './binary.ts';
import { gt, where } from './compare.ts';
import { scale } from './elementwise.ts';
import { split, tensorOf } from './shape.ts';
import { clip } from './unary.ts';

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
/** log(1 + exp(beta x)) / beta. */
export const softplus = (x: Operand, beta = 1) =>
  beta === 1 ? apply('softplus', [x]) : scale(apply('softplus', [scale(x, beta)]), 1 / beta);
/** x / (1 + |x|). */
export const softsign = (x: Operand) => apply('softsign', [x]);
/** x * clamp(x + 3, 0, 6) / 6. */
export const hardswish = (x: Operand) => apply('hardswish', [x]);
/** min(max(x, 0), 6). */
export const relu6 = (x: Operand) => apply('relu6', [x]);
/** clamp(x + 3, 0, 6) / 6. */
export const hardsigmoid = (x: Operand) => apply('hardsigmoid', [x]);
/** x * tanh(softplus(x)). */
export const mish = (x: Operand) => apply('mish', [x]);
/** x, held between min and max. */
export const hardtanh = (x: Operand, min = -1, max = 1) => clip(x, min, max);
/** log(sigmoid(x)) = -softplus(-x). */
export const logsigmoid = (x: Operand) => scale(softplus(scale(x, -1)), -1);
/** x where x > 0, else alpha * (exp(x / alpha) - 1) (Barron 2017). */
export const celu = (x: Operand, alpha = 1) =>
  alpha === 1 ? elu(x) : scale(elu(scale(x, 1 / alpha)), alpha);

/** Constants of Klambauer et al. 2017, to all their digits. */
const SELU = { alpha: 1.6732632423543772, scale: 1.0507009873554805 };
/** scale * elu(x, alpha), whose constants keep mean 0 and variance 1 from layer to layer. */
export const selu = (x: Operand) => scale(elu(x, SELU.alpha), SELU.scale);

/**
 * x where x > 0, else slope * x; the slope is learned: (1) for all, or (channels), where axis 1 of x, or its only one, is the channels.
 * Throws BiphaseError 'shape_mismatch' for a slope of another length.
 */
export function prelu(x: Operand, slope: Operand): Tensor {
  const t = tensorOf('prelu', x);
  const w = tensorOf('prelu', slope);
  const axis = Math.min(1, t.shape.length - 1);
  if (w.shape.length > 1 || (w.shape.length === 1 && w.shape[0] !== 1 && w.shape[0] !== t.shape[axis]))
    fail(
      'shape_mismatch',
      `prelu: the slope has shape [${w.shape}], expected one number, or one for each of the ${t.shape[axis]} channels of x [${t.shape}]`,
    );
  const perChannel = t.shape.map((_, i) => (i === axis ? (w.shape[0] ?? 1) : 1));
  return where(gt(t, 0), t, mul(apply('reshape', [w], { shape: perChannel }), t));
}

/** The first half of an axis times the sigmoid of the second (Dauphin et al. 2017). The axis must have an even size. */
export function glu(x: Operand, axis = -1): Tensor {
  const t = tensorOf('glu', x);
  const n = t.shape[normalizeAxis(axis, t.shape.length, 'glu')];
  if (n % 2)
    fail('shape_mismatch', `glu: axis ${axis} of [${t.shape}] has ${n} elements, expected an even number`);
  const [a, b] = split(t, n / 2, axis);
  return mul(a, sigmoid(b));
}
