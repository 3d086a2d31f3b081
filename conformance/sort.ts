import type { sort as rows } from '../src/ops/sort.ts';
import { exact } from './kit/bound.ts';
import { type Family, noGradient, use } from './kit/case.ts';
import { f32 } from './kit/tensor.ts';

/** Every few elements are equal. */
const ties = (shape: number[]) => f32(shape, (_, random) => random.int(9) - 4);

export const sort: Family<keyof typeof rows> = {
  sort: {
    bound: exact,
    cases: [
      ...[true, false].flatMap((descending) => [
        use('f32 5x7', { k: 7, descending }),
        use('f32 3x64', { k: 64, descending }),
        use('f32 2x3x1000', { k: 5, descending }),
        ...noGradient(
          use('f32 8x20 specials', { k: 20, descending }),
          use('f32 2x130 specials', { k: 130, descending }),
          use(ties([3, 200]), { k: 33, descending }),
          use(ties([3, 200]), { k: 32, descending }),
        ),
      ]),
      use('f32 1', { k: 1, descending: false }),
      use('f32 3x5', { k: 0, descending: false }),
      use('f32 0x5', { k: 5, descending: false }),
      use('f32 2x0', { k: 0, descending: true }),
      ...noGradient(
        use('f32 2x4099 wide', { k: 4099, descending: false }),
        use('f32 1x300 =1', { k: 300, descending: true }),
      ),
    ],
  },
};
