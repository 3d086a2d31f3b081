import type { Tensor } from '../graph/trace.ts';
import type { NormAttrs } from '../ops/norm.ts';
import { type Operand, resolve, tracerOf } from './apply.ts';

/** What batch normalization gives. */
export interface Normalized {
  /** (x - mean) / sqrt(variance + eps) weight + bias, of the shape of x. */
  readonly y: Tensor;
  /** Mean of each channel. */
  readonly mean: Tensor;
  /** Biased variance of each channel: the sum of squares over the number of rows. */
  readonly variance: Tensor;
}

/**
 * Normalizes each channel of x (..., channels) over all rows, then scales and shifts it by weight and bias (channels). f32; at
 * least one row. The mean and variance have gradients, too.
 */
export function batchNorm(x: Operand, weight: Operand, bias: Operand, { eps }: NormAttrs): Normalized {
  const tracer = tracerOf('batchNorm', [x, weight, bias]);
  const operands = [x, weight, bias].map((t) => resolve(tracer, t));
  const [y, mean, variance] = tracer.applyAll('batch_norm', operands, { eps });
  return { y, mean, variance };
}

/** The same with statistics (channels) that are given: x scale + shift, which a frozen model's product before it absorbs. */
export function fixedBatchNorm(
  x: Operand,
  weight: Operand,
  bias: Operand,
  statistics: { readonly mean: Operand; readonly variance: Operand },
  { eps }: NormAttrs,
): Tensor {
  const { mean, variance } = statistics;
  const tracer = tracerOf('fixedBatchNorm', [x, weight, bias, mean, variance]);
  const operands = [weight, bias, mean, variance].map((t) => resolve(tracer, t));
  const [scale, shift] = tracer.applyAll('batch_norm_affine', operands, { eps });
  return tracer.apply('add', [tracer.apply('mul', [resolve(tracer, x), scale]), shift]);
}
