import { fail } from '../core/errors.ts';
import { showShape, sizeOf } from '../core/shape.ts';
import { expectInputs, expectNumber } from './check.ts';
import { type ConvSizes, convSizes, eachTap, type Laid, outputOf } from './conv-sizes.ts';
import { op, type TensorType } from './op.ts';
import { checkRequantized, type MatmulI8Attrs, requantizer } from './quantized.ts';

export interface ConvI8Attrs extends MatmulI8Attrs, Laid {
  /** What the padding is: the number that stands for 0 in the image. */
  readonly inputZero: number;
}

/** Sizes of an image and of weights with a row for each filter. */
export function convI8Sizes(x: TensorType, { dtype, shape }: TensorType, attrs: Laid): ConvSizes {
  const [filters, ...taps] = shape;
  return convSizes('conv_i8', x, { dtype, shape: [...taps, filters] }, attrs);
}

/** What a filter sums. */
export const termsOf = ({ shape: [, height, width, taken] }: TensorType): number => height * width * taken;

export const convI8 = {
  /**
   * conv_i8(x u8 (batch, height, width, channels), weight i8 (filters, kernel height, kernel width, channels / groups),
   * bias i32 (filters), multiplier i32 (filters), [table u8 (256)]) -> u8 (batch, rows, columns, filters): matmul_i8 of the taps of
   * each window. The padding is `inputZero`, so that the input's zero point is in the bias as it is of a product.
   */
  conv_i8: op<ConvI8Attrs>({
    product([x, weight], attrs) {
      const { batch, down, across, filters, groups } = convI8Sizes(x, weight, attrs);
      const m = batch * down.windows * across.windows;
      return { kind: 'i8', batch: groups, m, n: filters / groups, k: termsOf(weight), form: 'nt' };
    },
    infer(inputs, attrs) {
      expectInputs('conv_i8', inputs, ['u8', 'i8', 'i32', 'i32', 'u8?']);
      const [x, weight, ...rest] = inputs;
      for (const [what, { shape }, axes] of [
        ['the image', x, 'batch, height, width, channels'],
        ['the weight', weight, 'filters, kernel height, kernel width, channels of a group'],
      ] as const)
        if (shape.length !== 4)
          fail('shape_mismatch', `conv_i8: ${what} has shape ${showShape(shape)}, expected [${axes}]`);
      checkRequantized('conv_i8', weight.shape[0], termsOf(weight), rest, attrs);
      expectNumber('conv_i8', 'inputZero', attrs.inputZero, 0, 255);
      return { dtype: 'u8', shape: outputOf(convI8Sizes(x, weight, attrs)) };
    },
    reference([x, weight, bias, multiplier, table], y, attrs) {
      const sizes = convI8Sizes(x, weight, attrs);
      const { channels, filters, groups, down, across } = sizes;
      const [taken, ofGroup, k] = [channels / groups, filters / groups, termsOf(weight)];
      const { inputZero } = attrs;
      // All taps of 0 at first; then those that are inside.
      const sums = Float64Array.from(y.data, (_, i) => {
        const filter = i % filters;
        let sum = 0;
        for (let l = 0; l < k; l++) sum += weight.data[filter * k + l];
        return bias.data[filter] + inputZero * sum;
      });
      eachTap(sizes, (window, pixel, tap) => {
        for (let o = 0; o < filters; o++) {
          const from = pixel * channels + Math.floor(o / ofGroup) * taken;
          const by = (o * down.taps * across.taps + tap) * taken;
          for (let c = 0; c < taken; c++)
            sums[window * filters + o] += (x.data[from + c] - inputZero) * weight.data[by + c];
        }
      });
      const finished = requantizer(multiplier, table, attrs);
      for (let i = 0; i < sums.length; i++) y.data[i] = finished(sums[i], i % filters);
    },
    flops: ([, weight], y) => 2 * sizeOf(y.shape) * termsOf(weight),
  }),
};
