import type { ConvI8Attrs, convI8 as rows } from '../src/ops/conv-i8.ts';
import { around, type ConvShape, DEPTHWISE, SHAPES } from './conv.ts';
import { exact } from './kit/bound.ts';
import { type Case, constant, type Family, use } from './kit/case.ts';
import { i32, type TensorText } from './kit/tensor.ts';

/** Sums of K products use about so many bits, so that bytes of all sizes come out. */
const shiftFor = (terms: number): number => 37 + Math.ceil(Math.log2(Math.max(1, terms)) / 2);

const HOW = [
  { zeroPoint: 120, min: 120, max: 255, inputZero: 7 },
  { zeroPoint: 3, min: 0, max: 255, inputZero: 255 },
  { zeroPoint: 128, min: 10, max: 200, inputZero: 0 },
];

/** Weights as they are in models, constant; now and then not, or with a table: each is a shader of its own to compile. */
function caseOf({ image, kernel, filters, attrs }: ConvShape, i: number): Case<ConvI8Attrs> {
  const taken = image[3] / attrs.groups;
  const text = (dtype: 'u8' | 'i8', sizes: readonly number[]): TensorText => `${dtype} ${sizes.join('x')}`;
  const operands = [
    ...[text('u8', image), text('i8', [filters, ...kernel, taken])],
    i32([filters], (_, random) => random.int(2 ** 12) - 2 ** 11),
    i32([filters], (_, random) => 2 ** 30 + random.int(2 ** 30)),
    ...(i % 18 === 4 ? ['u8 256' as const] : []),
  ];
  const shift = i % 5 === 4 ? 31 : shiftFor(kernel[0] * kernel[1] * taken);
  const c = use(...operands, { ...attrs, ...HOW[i % HOW.length], shift }) as Case<ConvI8Attrs>;
  return i % 9 === 2 ? c : constant(operands.length === 5 ? [1, 2, 3, 4] : [1, 2, 3], c);
}

/** The largest sums there can be, of either sign, and the same of nothing but padding. */
const extremes = (['=127', '=-127'] as const).map((fill) =>
  use('u8 1x2x3x70 =255', `i8 5x3x3x70 ${fill}`, `i32 5 =${2 ** 29}`, `i32 5 =${2 ** 31 - 1},1,0`, {
    ...({ stride: [1, 1], padding: around(4), dilation: [1, 1], groups: 1 } as const),
    ...{ shift: 58, zeroPoint: 10, min: 0, max: 255, inputZero: 255 },
  }),
);

export const convI8: Family<keyof typeof rows> = {
  conv_i8: { bound: exact, cases: [...[...SHAPES, ...DEPTHWISE].map(caseOf), ...extremes] },
};
