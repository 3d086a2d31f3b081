import { type ConvInputAttrs, type ConvWeightAttrs, imageOf, type conv as rows } from '../src/ops/conv.ts';
import { type ConvAttrs, convSizes } from '../src/ops/conv-sizes.ts';
import type { TensorType, Value } from '../src/ops/op.ts';
import { type Abs, EPS, magnitude, TINY } from './kit/bound.ts';
import { type Case, constant, type Family, noGradient, use } from './kit/case.ts';
import { f32, type TensorText } from './kit/tensor.ts';

/** 1.2 (K + 8) 2^-24 of the largest sum of K products there could be, and 4 2^-24 |bias|; with room for the epilogue. */
const bound =
  (terms: (inputs: readonly Value[], attrs: never) => number): Abs =>
  (inputs, attrs) => {
    const { activation, derivative } = attrs as ConvAttrs;
    const k = terms(inputs, attrs as never);
    const most = k * magnitude(inputs[0]) * magnitude(inputs[1]);
    const bias = inputs[2] && !derivative ? magnitude(inputs[2]) : 0;
    const epilogue = activation || derivative ? 2e-6 * (1 + most + bias) : 0;
    return 1.2 * (k + 8) * EPS * most + 4 * EPS * bias + epilogue + TINY;
  };

const tapsOf = (x: TensorType, w: TensorType, attrs: ConvAttrs) => {
  const { down, across } = convSizes('conv', x, w, attrs);
  return down.taps * across.taps;
};
const forwardTerms = ([x, w]: readonly Value[], a: ConvAttrs) => (tapsOf(x, w, a) * x.shape[3]) / a.groups;
const inputTerms = ([dy, w]: readonly Value[], a: ConvInputAttrs) =>
  (tapsOf(imageOf(dy, w, a), w, a) * dy.shape[3]) / a.groups;
const weightTerms = ([dy]: readonly Value[]) => dy.shape[0] * dy.shape[1] * dy.shape[2];

/** What a convolution is of, in words: the image, the taps, the filters; then how, if not one by one. */
export interface ConvShape {
  readonly image: readonly [number, number, number, number];
  readonly kernel: readonly [number, number];
  readonly filters: number;
  readonly attrs: ConvAttrs;
}
function shape(
  image: string,
  kernel: string,
  filters: number,
  { stride = [1, 1], padding = [0, 0, 0, 0], dilation = [1, 1], groups = 1 }: Partial<ConvAttrs> = {},
): ConvShape {
  const sizes = (text: string) => text.split('x').map(Number) as never;
  return {
    image: sizes(image),
    kernel: sizes(kernel),
    filters,
    attrs: { stride, padding, dilation, groups },
  };
}

export const around = (n: number) => [n, n, n, n] as const;
/** Channels around vectors, tiles and panels; a pixel; pads larger than the kernel; images longer than a block of K. */
export const SHAPES: ConvShape[] = [
  shape('1x1x1x1', '1x1', 1),
  shape('2x3x4x1', '2x3', 2),
  shape('1x5x6x3', '3x3', 4, { padding: around(1) }),
  shape('2x6x5x5', '3x2', 7, { padding: [0, 1, 2, 0] }),
  shape('2x7x9x4', '3x3', 6, { stride: [2, 2], padding: around(1) }),
  shape('1x9x8x17', '3x3', 9, { dilation: [2, 3], padding: [2, 3, 2, 3] }),
  shape('1x10x9x2', '2x3', 5, { stride: [3, 2], dilation: [2, 1] }),
  shape('1x9x11x3', '2x2', 3, { stride: [2, 4], dilation: [4, 2], padding: around(2) }),
  shape('1x3x3x8', '3x3', 8, { padding: around(4) }),
  shape('3x5x5x16', '1x1', 24),
  shape('2x5x6x20', '1x1', 8, { stride: [2, 2] }),
  shape('2x5x6x12', '3x3', 8, { groups: 4, padding: around(1) }),
  shape('1x6x6x6', '3x3', 12, { groups: 3, stride: [2, 1], padding: around(1) }),
  shape('2x4x5x4', '2x2', 8, { groups: 4 }),
  shape('1x14x14x64', '3x3', 40, { padding: around(1) }),
  shape('1x23x21x3', '7x7', 16, { stride: [2, 2], padding: around(3) }),
  shape('1x1x50x8', '1x5', 11, { padding: [0, 2, 0, 2] }),
  shape('1x12x13x33', '5x5', 17, { padding: around(2) }),
  shape('0x5x5x3', '3x3', 2),
];
/** Every channel by itself. */
export const DEPTHWISE: ConvShape[] = [
  shape('2x5x6x1', '3x3', 1, { padding: around(1) }),
  shape('1x7x9x5', '3x3', 5, { groups: 5, padding: around(1) }),
  shape('2x9x13x12', '3x3', 12, { groups: 12, stride: [2, 2], padding: around(1) }),
  shape('1x11x10x16', '5x5', 16, { groups: 16, padding: around(2) }),
  shape('1x8x12x8', '3x2', 8, { groups: 8, dilation: [2, 3], padding: [0, 3, 2, 0] }),
  shape('1x9x9x19', '3x3', 19, { groups: 19, stride: [3, 2] }),
  shape('1x2x2x4', '3x3', 4, { groups: 4, padding: around(3) }),
];
const ALL = [...SHAPES, ...DEPTHWISE];

const text = (sizes: readonly number[], fill = ''): TensorText => `f32 ${sizes.join('x')}${fill}`;
const weight = ({ image, kernel, filters, attrs }: ConvShape) => [
  ...kernel,
  image[3] / attrs.groups,
  filters,
];
function output(s: ConvShape): number[] {
  const { down, across } = convSizes('conv', f32(s.image), f32(weight(s)), s.attrs);
  return [s.image[0], down.windows, across.windows, s.filters];
}

const relu = { name: 'relu', attrs: {} } as const;
const tanh = { name: 'tanh', attrs: {} } as const;

export const conv: Family<keyof typeof rows> = {
  conv: {
    bound: { abs: bound(forwardTerms), rel: 0 },
    cases: [
      ...ALL.map((s): Case<ConvAttrs> => use(text(s.image), text(weight(s)), s.attrs)),
      ...noGradient<ConvAttrs>(
        ...ALL.filter((_, i) => i % 2 === 1).map((s) =>
          constant(
            [1, 2],
            use(text(s.image), text(weight(s)), text([s.filters]), { ...s.attrs, activation: relu }),
          ),
        ),
        use(text([1, 4, 5, 3]), text([2, 2, 3, 6]), text([1, 3, 4, 6]), {
          ...SHAPES[0].attrs,
          derivative: tanh,
        }),
        use(
          text([2, 5, 6, 5], ' =1,-2,Infinity,0.5,NaN,3,-1'),
          text([3, 3, 5, 4]),
          shape('2x5x6x5', '3x3', 4, { padding: around(1) }).attrs,
        ),
        use(text([1, 6, 6, 8], ' =1,-2,Infinity,0.5,NaN,3,-1,2,4'), text([3, 3, 1, 8]), {
          ...DEPTHWISE[1].attrs,
          groups: 8,
        }),
      ),
    ],
  },
  conv_backward_input: {
    bound: { abs: bound(inputTerms), rel: 0 },
    cases: [
      ...ALL.map((s): Case<ConvInputAttrs> => {
        const [, height, width] = s.image;
        return use(text(output(s)), text(weight(s)), { ...s.attrs, size: [height, width] as const });
      }),
      ...noGradient<ConvInputAttrs>(
        ...[SHAPES[4], SHAPES[6], SHAPES[11], DEPTHWISE[2]].map((s) => {
          const [, height, width, channels] = s.image;
          const attrs = { ...s.attrs, size: [height, width] as const, activation: relu };
          return constant([1, 2], use(text(output(s)), text(weight(s)), text([channels]), attrs));
        }),
        use(text([1, 2, 3, 4]), text([2, 2, 3, 4]), text([1, 4, 6, 3]), {
          ...{ ...SHAPES[0].attrs, stride: [2, 2] as const, size: [4, 6] as const },
          derivative: relu,
        }),
      ),
    ],
  },
  conv_backward_weight: {
    bound: { abs: bound(weightTerms), rel: 0 },
    cases: [
      ...ALL.map(
        (s): Case<ConvWeightAttrs> => use(text(output(s)), text(s.image), { ...s.attrs, kernel: s.kernel }),
      ),
      use(text([5, 26, 26, 8]), text([5, 28, 28, 2]), { ...SHAPES[0].attrs, kernel: [3, 3] as const }),
    ],
  },
};
