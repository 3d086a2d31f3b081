import { flag, whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { type Checks, expectValue, optionsOf } from '../core/options.ts';
import type { Tensor } from '../graph/trace.ts';
import { apply, type Operand, resolve, tracerOf } from './apply.ts';
import { concat, slice } from './layout.ts';
import { isLayout, type Layout, onPixels, type Pair, pairOf, type Sizes, sizesOf } from './pixels.ts';
import { max, mean } from './reduce.ts';

/** How windows are laid over an image. */
export interface PoolOptions {
  /** From one window to the next; the kernel's size if not given, so that windows don't overlap. */
  readonly stride?: Sizes;
  /** What is around the image, at most half of the kernel; 0 if not given. */
  readonly padding?: Sizes;
  /** Whether a last window may hang over the end, as long as it begins inside; false if not given. */
  readonly ceilMode?: boolean;
  /** 'NCHW' if not given. */
  readonly layout?: Layout;
}

/** Options of maxPool1d() and maxPool2d(). */
export interface MaxPoolOptions extends PoolOptions {
  /** From one tap of a window to the next; 1 if not given. */
  readonly dilation?: Sizes;
}

/** Options of avgPool1d() and avgPool2d(). */
export interface AvgPoolOptions extends PoolOptions {
  /** Whether zeros of the padding count; true if not given. What hangs over the end never does. */
  readonly countIncludePad?: boolean;
  /** What sums are divided by, instead of the number of what counts. */
  readonly divisorOverride?: number;
}

const poolChecks = (axes: number): Checks<PoolOptions> => ({
  stride: sizesOf(axes, 1),
  padding: sizesOf(axes, 0),
  ceilMode: flag,
  layout: isLayout,
});
export const maxPoolChecks = (axes: number): Checks<MaxPoolOptions> => ({
  ...poolChecks(axes),
  dilation: sizesOf(axes, 1),
});
export const avgPoolChecks = (axes: number): Checks<AvgPoolOptions> => ({
  ...poolChecks(axes),
  countIncludePad: flag,
  divisorOverride: whole(1),
});

const windows = (kernelSize: Sizes, options: MaxPoolOptions, axes: number) => ({
  kernel: pairOf(kernelSize, axes, 1),
  stride: pairOf(options.stride ?? kernelSize, axes, 1),
  padding: pairOf(options.padding, axes, 0),
  dilation: pairOf(options.dilation, axes, 1),
  ceil: options.ceilMode ?? false,
});

type Pool<O> = (x: Operand, kernelSize: Sizes, options?: O) => Tensor;

function pooling<O extends PoolOptions>(
  name: string,
  axes: number,
  op: 'max_pool' | 'avg_pool',
  checks: Checks<O>,
  attrsOf: (kernelSize: Sizes, options: O) => object,
): Pool<O> {
  const check = optionsOf<O>(name, checks);
  return (x, kernelSize, given) => {
    expectValue(name, 'kernelSize', kernelSize, sizesOf(axes, 1));
    const options = check(given);
    const image = resolve(tracerOf(name, [x]), x);
    const { layout = 'NCHW' } = options;
    return onPixels(name, image, axes, layout, (pixels) => apply(op, [pixels], attrsOf(kernelSize, options)));
  };
}

const maxPooling = (name: string, axes: number): Pool<MaxPoolOptions> =>
  pooling(name, axes, 'max_pool', maxPoolChecks(axes), (size, options) => windows(size, options, axes));
const avgPooling = (name: string, axes: number): Pool<AvgPoolOptions> =>
  pooling(name, axes, 'avg_pool', avgPoolChecks(axes), (size, options) => ({
    ...windows(size, options, axes),
    countIncludePad: options.countIncludePad ?? true,
    divisor: options.divisorOverride ?? 0,
  }));

/**
 * The largest of each window along a sequence, (batch, channels, length) -> (batch, channels, windows), as torch's max_pool1d; also
 * without a batch. The padding is -infinity; NaN stays NaN. The first largest element of a window takes its gradient.
 */
export const maxPool1d: Pool<MaxPoolOptions> = maxPooling('maxPool1d', 1);
/**
 * The same over images, (batch, channels, height, width) -> (batch, channels, rows, columns), as torch's max_pool2d:
 * rows = floor((height + 2 padding - dilation (kernel - 1) - 1) / stride) + 1.
 * Throws BiphaseError 'invalid_argument' or 'out_of_range' for sizes that are none, 'shape_mismatch' where no window fits.
 */
export const maxPool2d: Pool<MaxPoolOptions> = maxPooling('maxPool2d', 2);
/** The mean of each window along a sequence, as torch's avg_pool1d. */
export const avgPool1d: Pool<AvgPoolOptions> = avgPooling('avgPool1d', 1);
/** The mean of each window over images, as torch's avg_pool2d. */
export const avgPool2d: Pool<AvgPoolOptions> = avgPooling('avgPool2d', 2);

/** Options of adaptiveAvgPool2d() and adaptiveMaxPool2d(). */
export interface AdaptivePoolOptions {
  /** 'NCHW' if not given. */
  readonly layout?: Layout;
}

/** Along one axis: parts `from` to `to`, which cover it and may share an element where sizes don't divide. */
const partsOf = (size: number, count: number): Pair[] =>
  Array.from({ length: count }, (_, i) => [
    Math.floor((i * size) / count),
    Math.ceil(((i + 1) * size) / count),
  ]);

/** Axis `axis` in `count` parts, each reduced to one element. */
function inParts(x: Tensor, axis: number, count: number, reduce: (part: Tensor) => Tensor): Tensor {
  const place = (at: number, value: number, others?: number) =>
    x.shape.map((n, i) => (i === at ? value : (others ?? n)));
  const parts = partsOf(x.shape[axis], count).map(([from, to]) =>
    reduce(slice(x, place(axis, from, 0), place(axis, to))),
  );
  return parts.length === 1 ? parts[0] : concat(parts, axis);
}

function adaptive(
  name: string,
  op: 'max_pool' | 'avg_pool',
  reduce: (x: Tensor, axes: number[]) => Tensor,
): (x: Operand, outputSize: Sizes, options?: AdaptivePoolOptions) => Tensor {
  const check = optionsOf<AdaptivePoolOptions>(name, { layout: isLayout });
  return (x, outputSize, options) => {
    expectValue(name, 'outputSize', outputSize, sizesOf(2, 1));
    const { layout = 'NCHW' } = check(options);
    const size = pairOf(outputSize, 2, 1);
    return onPixels(name, resolve(tracerOf(name, [x]), x), 2, layout, (pixels) => {
      const [, height, width] = pixels.shape;
      if (height === 0 || width === 0)
        fail('shape_mismatch', `${name}: an image of ${height} x ${width} has nothing to pool`);
      if (size[0] === 1 && size[1] === 1) return reduce(pixels, [1, 2]);
      const kernel = [height / size[0], width / size[1]] as const;
      if (!kernel.every(Number.isInteger)) {
        const rows = inParts(pixels, 1, size[0], (part) => reduce(part, [1]));
        return inParts(rows, 2, size[1], (part) => reduce(part, [2]));
      }
      const attrs = { ...windows(kernel, {}, 2), countIncludePad: true, divisor: 0 };
      return apply(op, [pixels], attrs);
    });
  };
}

/** The mean over parts of an image, outputSize of them, (..., height, width) -> (..., rows, columns), as torch's adaptive_avg_pool2d. */
export const adaptiveAvgPool2d: (x: Operand, outputSize: Sizes, options?: AdaptivePoolOptions) => Tensor =
  adaptive('adaptiveAvgPool2d', 'avg_pool', (x, axes) => mean(x, { axes, keepDims: true }));
/** The largest over parts of an image, as torch's adaptive_max_pool2d. */
export const adaptiveMaxPool2d: (x: Operand, outputSize: Sizes, options?: AdaptivePoolOptions) => Tensor =
  adaptive('adaptiveMaxPool2d', 'max_pool', (x, axes) => max(x, { axes, keepDims: true }));
