import type { AttrsOf } from '../src/ops/index.ts';
import { MOST_FACTOR, type quantized as rows } from '../src/ops/quantized.ts';
import { exact } from './kit/bound.ts';
import { constant, type Family, use } from './kit/case.ts';
import { normal } from './kit/fill.ts';
import { f32, i8, i32 } from './kit/tensor.ts';
import { LENGTHS } from './kit/uses.ts';

const SCALES = [1, 0.0123, 3.7e-5, 250].map(Math.fround);

const PRODUCTS = [
  ...[
    [1, 1, 1],
    [1, 3, 5],
    [2, 4, 8],
    [5, 7, 9],
    [1, 784, 10],
    [1, 64, 130],
    [7, 33, 17],
  ],
  ...[
    [64, 64, 64],
    [3, 255, 66],
    [65, 130, 67],
    [0, 4, 4],
    [4, 4, 0],
    [3, 0, 5],
  ],
];
const requantizations: AttrsOf<'matmul_i8'>[] = [
  { shift: 40, zeroPoint: 0, min: 0, max: 255 },
  { shift: 38, zeroPoint: 120, min: 120, max: 255 },
  { shift: 31, zeroPoint: 255, min: 0, max: 255 },
  { shift: 17, zeroPoint: 3, min: 10, max: 20 },
  { shift: 62, zeroPoint: 128, min: 0, max: 255 },
];
const product = ([m, k, n]: number[], attrs: AttrsOf<'matmul_i8'>) => {
  const bias = i32([n], (_, random) => random.int(2 ** 20) - 2 ** 19);
  const multiplier = i32([n], (_, random) => 2 ** 30 + random.int(2 ** 30));
  const operands = [`u8 ${m}x${k}`, `i8 ${n}x${k}`, bias, multiplier] as const;
  return [
    constant([1, 2, 3], use(...operands, attrs)),
    use(...operands, attrs),
    constant([1, 2, 3, 4], use(...operands, 'u8 256', attrs)),
  ];
};

export const quantized: Family<keyof typeof rows> = {
  quantize: {
    bound: exact,
    cases: SCALES.flatMap((scale) =>
      (['u8', 'i8'] as const).flatMap((dtype) => [
        ...LENGTHS.map((n) =>
          use(
            f32([n], (i, random) => normal(i, random) * scale * 60),
            {
              ...{ scale, zeroPoint: dtype === 'u8' ? 131 : -5, dtype },
            },
          ),
        ),
        use('f32 123 specials', { scale, zeroPoint: 7, dtype }),
        use(
          f32([64], (i) => (i - 32) * 0.5 * scale),
          { scale, zeroPoint: 0, dtype },
        ),
      ]),
    ),
  },
  dequantize: {
    bound: exact,
    cases: SCALES.flatMap((scale) =>
      LENGTHS.flatMap((n) => [
        use(`u8 ${n}`, { scale, zeroPoint: 131 }),
        use(`i8 ${n}`, { scale, zeroPoint: -5 }),
      ]),
    ),
  },
  matmul_i8: {
    bound: exact,
    cases: [
      ...PRODUCTS.flatMap((sizes) => requantizations.flatMap((attrs) => product(sizes, attrs))),
      // The largest sums there can be, of either sign, with the full multiplier.
      constant(
        [1, 2, 3],
        use(
          'u8 2x1024 =255',
          i8([4, 1024], (i) => (i < 2048 ? 127 : -127)),
          `i32 4 =${2 ** 29},${-(2 ** 29)}`,
          `i32 4 =${2 ** 31 - 1},1,0`,
          { shift: 62, zeroPoint: 10, min: 0, max: 255 },
        ),
      ),
      use('u8 2x3x20', 'i8 5x20', 'i32 5 zeros', `i32 5 =${2 ** 30}`, requantizations[0]),
    ],
  },
  add_i8: {
    bound: exact,
    cases: [
      ...LENGTHS.map((n, i) => {
        const zeros = { zeroA: [0, 255, 100][i % 3], zeroB: [128, 0][i % 2], zeroPoint: 121 };
        const factors = { factorA: 2 ** 21 - 5 * i, factorB: 90_000 * (i - 9), shift: 21 };
        return use(`u8 ${n}`, `u8 ${n}`, { ...zeros, ...factors, min: i % 2 ? 0 : 121, max: 250 });
      }),
      // Halves on both sides of 0, and the largest sums of either sign.
      ...[3, -3].map((factorA) =>
        use('u8 2x3x9', 'u8 2x3x9', {
          ...{ zeroA: 100, zeroB: 0, zeroPoint: 50, factorA, factorB: 0, shift: 1, min: 0, max: 255 },
        }),
      ),
      ...[MOST_FACTOR, -MOST_FACTOR].map((factor) =>
        use('u8 40 =255', 'u8 40 =255,0', {
          ...{
            zeroA: 0,
            zeroB: 0,
            zeroPoint: 128,
            factorA: factor,
            factorB: factor,
            shift: 30,
            min: 0,
            max: 255,
          },
        }),
      ),
    ],
  },
  activation_i8: {
    bound: exact,
    cases: [...LENGTHS.map((n) => constant([1], use(`u8 ${n}`, 'u8 256'))), use('u8 3x5', 'u8 256')],
  },
};
