import type { Pair, pool as rows } from '../src/ops/pool.ts';
import { close, exact } from './kit/bound.ts';
import { type Family, noGradient, use } from './kit/case.ts';

const windows = (kernel: Pair, stride: Pair = kernel, padding: Pair = [0, 0], dilation: Pair = [1, 1]) => ({
  kernel,
  stride,
  padding,
  dilation,
});
const halves = windows([2, 2]);
const overlapping = windows([3, 3], [2, 2], [1, 1]);
const uneven = windows([3, 2], [1, 3], [1, 0], [2, 1]);
/** With so far between the taps some windows lie in the padding. */
const sparse = windows([2, 2], [1, 1], [1, 1], [3, 3]);

export const pool: Family<keyof typeof rows> = {
  max_pool: {
    bound: exact,
    cases: [
      use('f32 1x1x4x4 distinct', halves),
      use('f32 2x3x5x7 distinct', halves),
      use('f32 2x3x5x7 distinct', overlapping),
      use('f32 3x9x8 distinct', uneven),
      use('f32 2x2x6x5 distinct', windows([1, 1], [2, 2])),
      use('f32 2x2x6x5 distinct', windows([6, 5])),
      use('f32 5x3x28x28 distinct', overlapping),
      use('f32 0x3x4x4 distinct', halves),
      ...noGradient(
        use('f32 1x2x2x3 distinct', sparse),
        use('f32 2x2x9x9 specials', overlapping),
        use('f32 1x2x6x6 =1,3,2,3', overlapping),
        use('f32 1x1x4x4 =-Infinity', overlapping),
        use('f32 1x1x4x6 =0,-0', halves),
      ),
      use('u8 2x3x5x7', overlapping),
      use('u8 3x9x8', uneven),
      use('u8 1x2x2x3', sparse),
      use('u8 5x3x28x28', halves),
    ],
  },
  max_pool_backward: {
    bound: close(4, 1e-6),
    cases: [
      use('f32 1x1x2x2', 'f32 1x1x4x4 distinct', halves),
      use('f32 2x3x2x3', 'f32 2x3x5x7', halves),
      use('f32 2x3x3x4', 'f32 2x3x5x7', overlapping),
      use('f32 3x7x3', 'f32 3x9x8', uneven),
      use('f32 2x2x3x3', 'f32 2x2x6x5', windows([1, 1], [2, 2])),
      use('f32 5x3x14x14', 'f32 5x3x28x28', overlapping),
      use('f32 0x3x2x2', 'f32 0x3x4x4', halves),
      use('f32 1x2x1x2', 'f32 1x2x2x3', sparse),
      use('f32 1x2x3x3', 'f32 1x2x6x6 =1,3,2,3', overlapping),
      use('f32 1x1x2x2', 'f32 1x1x4x4 =-Infinity', overlapping),
      use('f32 2x2x5x5', 'f32 2x2x9x9 specials', overlapping),
    ],
  },
};
