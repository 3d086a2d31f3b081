import {
  type AvgPoolAttrs,
  type AvgPoolI8Attrs,
  type Pair,
  poolSizes,
  type pool as rows,
} from '../src/ops/pool.ts';
import { type Bound, close, EPS, exact, magnitude, TINY } from './kit/bound.ts';
import { type Case, type Family, noGradient, use } from './kit/case.ts';
import type { TensorText } from './kit/tensor.ts';
import { tensor } from './kit/tensor.ts';

const windows = (
  kernel: Pair,
  stride: Pair = kernel,
  padding: Pair = [0, 0],
  dilation: Pair = [1, 1],
  ceil = false,
) => ({ kernel, stride, padding, dilation, ceil });
const halves = windows([2, 2]);
const overlapping = windows([3, 3], [2, 2], [1, 1]);
const uneven = windows([3, 2], [1, 3], [1, 0], [2, 1]);
/** With so far between the taps some windows lie in the padding. */
const sparse = windows([2, 2], [1, 1], [1, 1], [3, 3]);
const hanging = windows([3, 2], [2, 2], [1, 1], [1, 1], true);

const average = (pool: ReturnType<typeof windows>, countIncludePad = true, divisor = 0): AvgPoolAttrs => ({
  ...{ ...pool, dilation: [1, 1] as const, countIncludePad, divisor },
});
const AVERAGES: [image: string, attrs: AvgPoolAttrs][] = [
  ['1x4x4x1', average(halves)],
  ['2x5x7x3', average(overlapping)],
  ['2x5x7x5', average(overlapping, false)],
  ['1x9x8x3', average(windows([3, 2], [1, 3], [1, 1]))],
  ['2x6x5x8', average(windows([6, 5]))],
  ['1x6x7x4', average(hanging)],
  ['1x5x6x9', average(hanging, false)],
  ['3x7x5x2', average(overlapping, true, 5)],
  ['2x14x14x20', average(overlapping)],
  ['0x4x4x3', average(halves)],
];
/** Sums of a window's taps, or of what the windows over an element give it. */
const averaged: Bound = {
  abs: ([x], attrs) => {
    const { kernel } = attrs as AvgPoolAttrs;
    const taps = kernel[0] * kernel[1];
    return 1.2 * (taps + 4) * EPS * taps * magnitude(x) + TINY;
  },
  rel: 2 * EPS,
};
const pooled = (image: string, attrs: AvgPoolAttrs): TensorText => {
  const { images, channels, down, across } = poolSizes(tensor(`f32 ${image}`), attrs);
  return `f32 ${images}x${down.windows}x${across.windows}x${channels}`;
};

export const pool: Family<keyof typeof rows> = {
  max_pool: {
    bound: exact,
    cases: [
      use('f32 1x4x4x1 distinct', halves),
      use('f32 2x5x7x3 distinct', halves),
      use('f32 2x5x7x9 distinct', overlapping),
      use('f32 1x9x8x3 distinct', uneven),
      use('f32 2x6x5x2 distinct', windows([1, 1], [2, 2])),
      use('f32 2x6x5x2 distinct', windows([6, 5])),
      use('f32 1x6x7x5 distinct', hanging),
      use('f32 5x28x28x3 distinct', overlapping),
      use('f32 0x4x4x3 distinct', halves),
      ...noGradient(
        use('f32 1x2x3x2 distinct', sparse),
        use('f32 2x9x9x2 specials', overlapping),
        use('f32 1x6x6x2 =1,3,2,3', overlapping),
        use('f32 1x4x4x1 =-Infinity', overlapping),
        use('f32 1x4x6x1 =0,-0', halves),
      ),
      use('u8 2x5x7x3', overlapping),
      use('u8 1x9x8x17', uneven),
      use('u8 1x2x3x2', sparse),
      use('u8 5x28x28x3', halves),
    ],
  },
  max_pool_backward: {
    bound: close(4, 1e-6),
    cases: [
      use('f32 1x2x2x1', 'f32 1x4x4x1 distinct', halves),
      use('f32 2x2x3x3', 'f32 2x5x7x3', halves),
      use('f32 2x3x4x9', 'f32 2x5x7x9', overlapping),
      use('f32 1x7x3x3', 'f32 1x9x8x3', uneven),
      use('f32 2x3x3x2', 'f32 2x6x5x2', windows([1, 1], [2, 2])),
      use('f32 1x4x4x5', 'f32 1x6x7x5', hanging),
      use('f32 5x14x14x3', 'f32 5x28x28x3', overlapping),
      use('f32 2x3x4x20', 'f32 2x6x8x20', halves),
      use('f32 0x2x2x3', 'f32 0x4x4x3', halves),
      use('f32 1x1x2x2', 'f32 1x2x3x2', sparse),
      use('f32 1x3x3x2', 'f32 1x6x6x2 =1,3,2,3', overlapping),
      use('f32 1x2x2x1', 'f32 1x4x4x1 =-Infinity', overlapping),
      use('f32 2x5x5x2', 'f32 2x9x9x2 specials', overlapping),
    ],
  },
  avg_pool: {
    bound: averaged,
    cases: AVERAGES.map(([image, attrs]): Case<AvgPoolAttrs> => use(`f32 ${image}`, attrs)),
  },
  avg_pool_i8: {
    bound: exact,
    cases: [
      ...AVERAGES.map(([image, attrs], i): Case<AvgPoolI8Attrs> => {
        const [inputZero, zeroPoint] = [[0, 7, 255][i % 3], [0, 131][i % 2]];
        return use(`u8 ${image}`, {
          ...{
            ...attrs,
            inputZero,
            zeroPoint,
            multiplier: 2 ** 31 - 1 - 999 * i,
            shift: [31, 30, 35][i % 3],
          },
        });
      }),
      // Halves on both sides of 0, and the largest sum.
      use('u8 1x4x4x5 =1,2,3,4', {
        ...average(halves),
        inputZero: 2,
        zeroPoint: 9,
        multiplier: 2 ** 30,
        shift: 30,
      }),
      use('u8 1x64x64x3 =255', {
        ...average(windows([64, 64])),
        inputZero: 0,
        zeroPoint: 0,
        multiplier: 2 ** 31 - 1,
        shift: 31,
      }),
    ],
  },
  avg_pool_backward: {
    bound: averaged,
    cases: AVERAGES.map(([image, attrs]) => {
      const [, height, width] = image.split('x').map(Number);
      return use(pooled(image, attrs), { ...attrs, size: [height, width] as const });
    }),
  },
};
