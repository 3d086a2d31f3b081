import type { sort as rows, SortAttrs } from '../src/ops/sort.ts';
import { exact } from './kit/bound.ts';
import { type Case, type Family, noGradient, type Operand, use } from './kit/case.ts';
import { f32 } from './kit/tensor.ts';

/** Every few elements are equal. */
const ties = (shape: number[]) => f32(shape, (_, random) => random.int(9) - 4);

const first = (k: number, operand: Operand, descending: boolean): Case<SortAttrs> =>
  use(operand, { k, descending });

export const sort: Family<keyof typeof rows> = {
  sort: {
    bound: exact,
    cases: [
      ...[true, false].flatMap((descending) => [
        first(7, 'f32 5x7', descending),
        first(64, 'f32 3x64', descending),
        first(5, 'f32 2x3x1000', descending),
        ...noGradient(
          first(20, 'f32 8x20 specials', descending),
          first(130, 'f32 2x130 specials', descending),
          first(33, ties([3, 200]), descending),
          first(32, ties([3, 200]), descending),
        ),
      ]),
      first(1, 'f32 1', false),
      first(0, 'f32 3x5', false),
      first(5, 'f32 0x5', false),
      first(0, 'f32 2x0', true),
      first(5, 'i32 2x5 =16777217,16777216,-2147483648,2147483647', true),
      first(100, 'i32 3x100 <50', false),
      ...noGradient(first(4099, 'f32 2x4099 wide', false), first(300, 'f32 1x300 =1', true)),
    ],
  },
};
