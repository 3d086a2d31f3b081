import { either, pair, whole } from '../core/checks.ts';
import { expectValue, optionsOf } from '../core/options.ts';
import type { Tensor } from '../graph/trace.ts';
import { apply, type Operand } from './apply.ts';

/** The same down and across, or one of each: `3`, `[3, 2]`. */
export type Size2d = number | readonly [down: number, across: number];

/** How windows are laid over an image. */
export interface Pool2dOptions {
  /** From one window to the next; the kernel's size if not given, so that windows don't overlap. */
  readonly stride?: Size2d;
  /** Rows and columns around the image, at most half of the kernel; 0 if not given. */
  readonly padding?: Size2d;
  /** From one tap of a window to the next; 1 if not given. */
  readonly dilation?: Size2d;
}

/** Whole numbers for both directions, or one of each. */
export const size2d = (least: number) => either(whole(least), pair(whole(least)));

/** Throws 'invalid_argument' for options that are none. */
export const checkPool2d = optionsOf<Pool2dOptions>('maxPool2d', {
  stride: size2d(1),
  padding: size2d(0),
  dilation: size2d(1),
});

const both = (size: Size2d): readonly [number, number] => (typeof size === 'number' ? [size, size] : size);

/**
 * The largest of each window, (batch, channels, height, width) -> (batch, channels, rows, columns), as PyTorch's max_pool2d
 * with ceil_mode off: rows = floor((height + 2 padding - dilation (kernel - 1) - 1) / stride) + 1. Also of (channels, height,
 * width). The padding is -infinity; NaN stays NaN. The first largest element of a window takes its gradient.
 * Throws BiphaseError 'invalid_argument' or 'out_of_range' for sizes that are none, 'shape_mismatch' where no window fits.
 */
export function maxPool2d(x: Operand, kernelSize: Size2d, options?: Pool2dOptions): Tensor {
  expectValue('maxPool2d', 'kernelSize', kernelSize, size2d(1));
  const { stride = kernelSize, padding = 0, dilation = 1 } = checkPool2d(options);
  return apply('max_pool', [x], {
    kernel: both(kernelSize),
    stride: both(stride),
    padding: both(padding),
    dilation: both(dilation),
  });
}
