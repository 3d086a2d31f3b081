import { either, oneOf, whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { type Checks, optionsOf } from '../core/options.ts';
import { showShape } from '../core/shape.ts';
import type { Tensor } from '../graph/trace.ts';
import type { ConvAttrs } from '../ops/conv-sizes.ts';
import { apply, type Operand, resolve, tracerOf } from './apply.ts';
import { add } from './binary.ts';
import { reshape } from './layout.ts';
import {
  isLayout,
  type Layout,
  onPixels,
  type Pair,
  pairOf,
  permuted,
  type Sizes,
  sizesOf,
} from './pixels.ts';

/** How a convolution goes over its input. */
export interface ConvOptions {
  /** From one window to the next; 1 if not given. */
  readonly stride?: Sizes;
  /**
   * Zeros around the input; 0 if not given. Along each axis, or [top, left, bottom, right] (in one dimension [before, after]). 'same'
   * makes ceil(size / stride) windows, with an odd zero at the end, as ONNX's SAME_UPPER; 'valid' is 0.
   */
  readonly padding?: Sizes | 'same' | 'valid';
  /** From one tap to the next; 1 if not given. */
  readonly dilation?: Sizes;
  /** Parts of the channels that are convolved apart; 1 if not given. As many as channels: every channel by itself. */
  readonly groups?: number;
  /** 'NCHW' if not given. */
  readonly layout?: Layout;
}

/** How a transposed convolution goes over its output. */
export interface ConvTransposeOptions {
  /** From one window of the output to the next; 1 if not given. */
  readonly stride?: Sizes;
  /** What is cut off around the output; 0 if not given. */
  readonly padding?: Sizes;
  /** Rows and columns more, at the end; below stride or dilation. 0 if not given. */
  readonly outputPadding?: Sizes;
  /** From one tap to the next; 1 if not given. */
  readonly dilation?: Sizes;
  /** Parts of the channels that are convolved apart; 1 if not given. */
  readonly groups?: number;
  /** 'NCHW' if not given. */
  readonly layout?: Layout;
}

export const convChecks = (axes: number): Checks<ConvOptions> => ({
  stride: sizesOf(axes, 1),
  padding: either(sizesOf(axes, 0), sizesOf(2 * axes, 0), oneOf('same', 'valid')),
  dilation: sizesOf(axes, 1),
  groups: whole(1),
  layout: isLayout,
});
export const convTransposeChecks = (axes: number): Checks<ConvTransposeOptions> => ({
  stride: sizesOf(axes, 1),
  padding: sizesOf(axes, 0),
  outputPadding: sizesOf(axes, 0),
  dilation: sizesOf(axes, 1),
  groups: whole(1),
  layout: isLayout,
});

/** (filters, channels of a group, ...taps), as PyTorch has weights, becomes (down, across, channels of a group, filters). */
function taps(name: string, weight: Operand, axes: number): Tensor {
  const w = resolve(tracerOf(name, [weight]), weight);
  const spatial = axes === 1 ? 'taps' : 'kernel height, kernel width';
  if (w.shape.length !== axes + 2)
    fail(
      'shape_mismatch',
      `${name}: the weight has shape ${showShape(w.shape)}, expected [filters, channels / groups, ${spatial}]`,
    );
  const four = axes === 2 ? w : reshape(w, [w.shape[0], w.shape[1], 1, w.shape[2]]);
  return permuted(four, [2, 3, 1, 0]);
}

function paddingOf(
  { padding = 0 }: ConvOptions,
  axes: number,
  size: Pair,
  kernel: Pair,
  stride: Pair,
  dilation: Pair,
): ConvAttrs['padding'] {
  if (padding === 'valid') return [0, 0, 0, 0];
  if (padding === 'same') {
    const all = size.map((n, i) =>
      Math.max(0, (Math.ceil(n / stride[i]) - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1 - n),
    );
    const before = all.map((n) => Math.floor(n / 2));
    return [before[0], before[1], all[0] - before[0], all[1] - before[1]];
  }
  if (typeof padding === 'object' && padding.length === 2 * axes)
    return axes === 1 ? [0, padding[0], 0, padding[1]] : [padding[0], padding[1], padding[2], padding[3]];
  const [down, across] = pairOf(padding as Sizes, axes, 0);
  return [down, across, down, across];
}

function convolve(
  name: string,
  axes: number,
  x: Operand,
  weight: Operand,
  bias: Operand | undefined,
  options: ConvOptions,
) {
  const image = resolve(tracerOf(name, [x, weight]), x);
  const { groups = 1, layout = 'NCHW' } = options;
  const w = taps(name, weight, axes);
  const [stride, dilation] = [pairOf(options.stride, axes, 1), pairOf(options.dilation, axes, 1)];
  return onPixels(name, image, axes, layout, (pixels) => {
    const [, height, width] = pixels.shape;
    const padding = paddingOf(options, axes, [height, width], [w.shape[0], w.shape[1]], stride, dilation);
    const y = apply('conv', [pixels, w], { stride, padding, dilation, groups });
    return bias ? add(y, bias) : y;
  });
}

function convolveTransposed(
  name: string,
  axes: number,
  x: Operand,
  weight: Operand,
  bias: Operand | undefined,
  options: ConvTransposeOptions,
) {
  const image = resolve(tracerOf(name, [x, weight]), x);
  const { groups = 1, layout = 'NCHW' } = options;
  const w = taps(name, weight, axes);
  const [stride, dilation] = [pairOf(options.stride, axes, 1), pairOf(options.dilation, axes, 1)];
  const [padding, more] = [pairOf(options.padding, axes, 0), pairOf(options.outputPadding, axes, 0)];
  more.forEach((n, i) => {
    if (n > 0 && n >= Math.max(stride[i], dilation[i]))
      fail(
        'out_of_range',
        `${name}: outputPadding is ${n}, expected less than the stride ${stride[i]} or the dilation ${dilation[i]}`,
      );
  });
  return onPixels(name, image, axes, layout, (pixels) => {
    const size = ([pixels.shape[1], pixels.shape[2]] as const).map(
      (n, i) => (n - 1) * stride[i] - 2 * padding[i] + dilation[i] * (w.shape[i] - 1) + more[i] + 1,
    );
    if (size.some((n) => n < 1))
      fail(
        'shape_mismatch',
        `${name}: padding ${showShape(padding)} leaves an output of ${size.join(' x ')}`,
      );
    const around = [padding[0], padding[1], padding[0] - more[0], padding[1] - more[1]];
    const y = apply('conv_backward_input', [pixels, w], { stride, padding: around, dilation, groups, size });
    return bias ? add(y, bias) : y;
  });
}

const check1 = optionsOf<ConvOptions>('conv1d', convChecks(1));
const check2 = optionsOf<ConvOptions>('conv2d', convChecks(2));
const checkTransposed1 = optionsOf<ConvTransposeOptions>('convTranspose1d', convTransposeChecks(1));
const checkTransposed2 = optionsOf<ConvTransposeOptions>('convTranspose2d', convTransposeChecks(2));

/**
 * Convolution along a sequence, (batch, channels, length) by (filters, channels / groups, taps) -> (batch, filters, windows), with
 * windows = floor((length + padding - dilation (taps - 1) - 1) / stride) + 1, as torch's conv1d; also without a batch.
 * Throws BiphaseError 'shape_mismatch' where channels, groups or the kernel don't fit.
 */
export const conv1d = (x: Operand, weight: Operand, bias?: Operand, options?: ConvOptions): Tensor =>
  convolve('conv1d', 1, x, weight, bias, check1(options));
/** The same over images, (batch, channels, height, width) by (filters, channels / groups, kernel height, kernel width), as torch's conv2d. */
export const conv2d = (x: Operand, weight: Operand, bias?: Operand, options?: ConvOptions): Tensor =>
  convolve('conv2d', 2, x, weight, bias, check2(options));
/**
 * What conv1d's gradient does to its input: (batch, channels, length) by (channels, filters / groups, taps) ->
 * (batch, filters, (length - 1) stride - 2 padding + dilation (taps - 1) + outputPadding + 1), as torch's conv_transpose1d.
 */
export const convTranspose1d = (
  x: Operand,
  weight: Operand,
  bias?: Operand,
  options?: ConvTransposeOptions,
): Tensor => convolveTransposed('convTranspose1d', 1, x, weight, bias, checkTransposed1(options));
/** The same over images, as torch's conv_transpose2d. */
export const convTranspose2d = (
  x: Operand,
  weight: Operand,
  bias?: Operand,
  options?: ConvTransposeOptions,
): Tensor => convolveTransposed('convTranspose2d', 2, x, weight, bias, checkTransposed2(options));
