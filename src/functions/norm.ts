import { real } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { sameShape, showShape, sizeOf } from '../core/shape.ts';
import type { Tensor } from '../graph/trace.ts';
import type { NormAttrs } from '../ops/norm.ts';
import { type Operand, resolve, tracerOf } from './apply.ts';
import { add, mul } from './binary.ts';
import { reshape } from './layout.ts';

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

/** Options of layerNorm(), rmsNorm() and groupNorm(). */
export interface NormOptions {
  /** Added to the variance, or to the mean of squares; each function says what it is if not given. */
  readonly eps?: number;
}
const checks = { eps: real(0, 1e6) };
const checkLayer = optionsOf<NormOptions>('layerNorm', checks);
const checkRms = optionsOf<NormOptions>('rmsNorm', checks);
const checkGroup = optionsOf<NormOptions>('groupNorm', checks);

/** 1 in f32 less the next smaller number is half of it: PyTorch's default for RMS norm. */
const MACHINE_EPS = 2 ** -23;

/** Throws 'shape_mismatch' unless a weight or bias is of the shape that it stands beside. */
function expectBeside(name: string, { shape }: Tensor, normalizedShape: readonly number[]): void {
  if (!sameShape(shape, normalizedShape))
    fail(
      'shape_mismatch',
      `${name}: a weight or bias has shape ${showShape(shape)}, expected ${showShape(normalizedShape)}`,
    );
}

/** The last axes as one, normalized by `op`, and back. */
function overLast(
  name: string,
  op: 'layer_norm' | 'rms_norm',
  given: Operand,
  normalizedShape: readonly number[],
  vectors: readonly (Operand | undefined)[],
  eps: number,
): Tensor {
  const there = vectors.filter((v) => v !== undefined);
  const tracer = tracerOf(name, [given, ...there]);
  const x = resolve(tracer, given);
  const axes = normalizedShape.length;
  const last = x.shape.slice(x.shape.length - axes);
  if (axes === 0 || axes > x.shape.length || last.some((n, i) => n !== normalizedShape[i]))
    fail(
      'shape_mismatch',
      `${name}: got an input of shape ${showShape(x.shape)}, expected its last axes to be ${showShape(normalizedShape)}`,
    );
  const n = sizeOf(normalizedShape);
  const rows = reshape(x, [...x.shape.slice(0, x.shape.length - axes), n]);
  const flat = there.map((v) => {
    const t = resolve(tracer, v);
    expectBeside(name, t, normalizedShape);
    return reshape(t, [n]);
  });
  const [y] = tracer.applyAll(op, [rows, ...flat], { eps });
  return reshape(y, x.shape);
}

/**
 * (x - mean) / sqrt(variance + eps) weight + bias over the last axes, of normalizedShape (Ba et al. 2016), as torch's layer_norm; eps is 1e-5
 * if not given. Weight and bias are of normalizedShape.
 */
export function layerNorm(
  x: Operand,
  normalizedShape: readonly number[],
  weight?: Operand,
  bias?: Operand,
  options?: NormOptions,
): Tensor {
  const { eps = 1e-5 } = checkLayer(options);
  if (bias !== undefined && weight === undefined) {
    const normal = overLast('layerNorm', 'layer_norm', x, normalizedShape, [], eps);
    expectBeside('layerNorm', resolve(normal.tracer, bias), normalizedShape);
    return add(normal, bias);
  }
  return overLast('layerNorm', 'layer_norm', x, normalizedShape, [weight, bias], eps);
}

/**
 * x / sqrt(mean(x^2) + eps) weight over the last axes (Zhang & Sennrich 2019), as torch's rms_norm; eps is 2^-23 if not given.
 */
export const rmsNorm = (
  x: Operand,
  normalizedShape: readonly number[],
  weight?: Operand,
  options?: NormOptions,
): Tensor => {
  const { eps = MACHINE_EPS } = checkRms(options);
  return overLast('rmsNorm', 'rms_norm', x, normalizedShape, [weight], eps);
};

/**
 * Layer norm of groups of channels, (batch, channels, ...) (Wu & He 2018), as torch's group_norm; weight and bias (channels) scale and shift
 * each channel, eps is 1e-5 if not given. As many groups as channels is instance norm.
 */
export function groupNorm(
  given: Operand,
  groups: number,
  weight?: Operand,
  bias?: Operand,
  options?: NormOptions,
): Tensor {
  const { eps = 1e-5 } = checkGroup(options);
  const x = resolve(tracerOf('groupNorm', [given]), given);
  const [batch, channels, ...rest] = x.shape;
  if (x.shape.length < 2 || !Number.isInteger(channels / groups) || groups < 1)
    fail(
      'shape_mismatch',
      `groupNorm: got an input of shape ${showShape(x.shape)}, expected (batch, channels, ...) with channels in ${groups} equal groups`,
    );
  const size = (channels / groups) * sizeOf(rest);
  const normal = reshape(
    layerNorm(reshape(x, [batch, groups, size]), [size], undefined, undefined, { eps }),
    x.shape,
  );
  const beside = (v: Operand) => reshape(v, [channels, ...rest.map(() => 1)]);
  const scaled = weight === undefined ? normal : mul(normal, beside(weight));
  return bias === undefined ? scaled : add(scaled, beside(bias));
}
