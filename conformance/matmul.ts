import type { ActivationName } from '../src/ops/activation.ts';
import { type AttrsOf, ops } from '../src/ops/index.ts';
import { type MatmulAttrs, matmulSizes, type matmul as rows } from '../src/ops/matmul.ts';
import type { Value } from '../src/ops/op.ts';
import { type Abs, EPS, magnitude, oncePer, TINY } from './kit/bound.ts';
import { type Case, constant, type Family, noGradient, type Operand, use } from './kit/case.ts';
import { uneven } from './kit/fill.ts';
import { f32, type TensorText } from './kit/tensor.ts';

/** 1.2 (K + 8) 2^-24 sum |a| |b|, and 4 2^-24 |bias|, which is added last; with room for the epilogue's activation. */
const productBounds = oncePer((inputs: readonly Value[], attrs: MatmulAttrs) => {
  const [a, b] = inputs.map((t) => ({ ...t, data: Float64Array.from(t.data as Float32Array, Math.abs) }));
  const { batch, m, n, k } = matmulSizes(a, b, attrs);
  const y = { dtype: 'f32' as const, shape: [batch, m, n], data: new Float64Array(batch * m * n) };
  const { activation, derivative, ...plain } = attrs;
  ops.matmul.reference([a, b], [y], plain);
  const finite = (v: number) => (Number.isFinite(v) ? v : 0);
  return y.data.map((s, i) => {
    const bias = derivative || !inputs[2] ? 0 : finite(Math.abs(inputs[2].data[i % n]));
    // A derivative is at most 1.2, and its own error counts times what it is multiplied by.
    const epilogue = activation || derivative ? 2e-6 * (1 + s + bias) : 0;
    return 1.2 * (k + 8) * EPS * finite(s) + 4 * EPS * bias + epilogue + TINY;
  });
});
const product: Abs = (inputs, attrs, i) => productBounds(inputs, attrs as MatmulAttrs)[i];

/** The same for both results, so by what every element of them is bounded by. */
const weightAndBias: Abs = ([dy, x]) => {
  const k = dy.shape[0];
  return 1.2 * (k + 8) * EPS * k * magnitude(dy) * Math.max(1, magnitude(x)) + TINY;
};

const EITHER = [false, true];
/** m, k, n. */
const SIZES = [
  ...['1 1 1', '1 5 1', '5 1 7', '2 3 4', '4 8 8', '5 7 9', '6 16 8', '7 33 17', '8 64 16', '1 300 10'],
  ...['1 64 129', '13 257 1', '33 31 65', '64 64 64', '65 130 67', '128 10 128', '3 600 40', '40 3 130'],
  ...['0 4 5', '4 0 5', '4 5 0'],
].map((sizes) => sizes.split(' ').map(Number));

const operand = (rows: number, cols: number, swapped = false): TensorText =>
  swapped ? `f32 ${cols}x${rows}` : `f32 ${rows}x${cols}`;

/** Every size, with A and B as they are and transposed, without and with a bias. */
const plain: Case<MatmulAttrs>[] = EITHER.flatMap((transposeA) =>
  EITHER.flatMap((transposeB) =>
    SIZES.flatMap(([m, k, n]) => {
      const inputs = [operand(m, k, transposeA), operand(k, n, transposeB)];
      const attrs = { transposeA, transposeB };
      return [use(...inputs, attrs), constant([1, 2], use(...inputs, `f32 ${n}`, attrs))];
    }),
  ),
);

const activations: [ActivationName, object][] = [
  ['relu', {}],
  ['leaky_relu', { slope: 0.1 }],
  ['elu', { alpha: 0.7 }],
  ['gelu', { approximate: 'none' }],
  ['gelu', { approximate: 'tanh' }],
  ['silu', {}],
  ['sigmoid', {}],
  ['tanh', {}],
  ['softplus', {}],
  ['hardswish', {}],
];
const A_B = { transposeA: false, transposeB: false };
const A_BT = { transposeA: false, transposeB: true };
/** What stands behind a product: an activation after the bias, or the derivative of one times the product. */
const epilogues: Case<MatmulAttrs>[] = [
  ...activations.flatMap(([name, attrs]) => {
    const activation = { name, attrs };
    return [
      use('f32 5x7', 'f32 7x9', 'f32 9', { ...A_B, activation }),
      use('f32 64x30', 'f32 30x50', 'f32 50', { ...A_B, activation }),
      use('f32 1x20', 'f32 20x33', 'f32 33', { ...A_B, activation }),
    ];
  }),
  ...activations.flatMap(([name, attrs]) => {
    const derivative = { name, attrs };
    return [
      use('f32 5x7', 'f32 9x7', 'f32 5x9 tame', { ...A_BT, derivative }),
      use('f32 64x32', 'f32 48x32', 'f32 64x48 tame', { ...A_BT, derivative }),
      use('f32 1x20', 'f32 33x20', 'f32 1x33 tame', { ...A_BT, derivative }),
    ];
  }),
  ...(['relu', 'leaky_relu'] as const).map((name) =>
    use('f32 5x7', 'f32 9x7', 'f32 5x9 modestSpecials', {
      ...{ ...A_BT, derivative: { name, attrs: { slope: 0.1 } } },
    }),
  ),
  use('f32 2x5x7', 'f32 4x7', 'f32 2x5x4 tame', { ...A_BT, derivative: { name: 'tanh', attrs: {} } }),
];

/** The batch of A, that of B; then m, k, n. */
const BATCHES: [a: string, b: string, ...sizes: [number, number, number]][] = [
  ['3x', '3x', 5, 7, 4],
  ['3x', '', 5, 7, 4],
  ['', '3x', 5, 7, 4],
  ['2x3x', '2x3x', 5, 7, 4],
  ['2x3x', '1x1x', 5, 7, 4],
  ['0x', '0x', 5, 7, 4],
  ['1x1x', '3x', 2, 3, 2],
  ['3x', '1x1x', 2, 3, 2],
  ['1x3x', '3x', 2, 3, 2],
];
const batched: Case<MatmulAttrs>[] = BATCHES.flatMap(([a, b, m, k, n]) =>
  EITHER.flatMap((transposeA) =>
    EITHER.map((transposeB) => {
      const [ofA, ofB] = [operand(m, k, transposeA), operand(k, n, transposeB)];
      return use(
        ofA.replace('f32 ', `f32 ${a}`) as TensorText,
        ofB.replace('f32 ', `f32 ${b}`) as TensorText,
        {
          ...{ transposeA, transposeB },
        },
      );
    }),
  ),
);

const special: Case<MatmulAttrs>[] = [
  use('f32 5x21 modestSpecials', 'f32 21x6', A_B),
  use('f32 30x3', 'f32 3x21 modestSpecials', 'f32 21', { ...A_B, activation: { name: 'relu', attrs: {} } }),
];

/** Products beside a bias of another size, and of rows and columns of very different sizes. */
const unlike: Case<MatmulAttrs>[] = [
  ...[10, -1e4, 1e-6].flatMap((bias) =>
    [1, 2, 33].map((m) => use(`f32 ${m}x784 =1`, 'f32 784x17 =1e-3', `f32 17 =${bias}`, A_B)),
  ),
  ...[1, 7].map((m) => {
    const b: Operand = f32([40, 100], (i, random) => uneven(i * 3, random));
    return use(`f32 ${m}x100 uneven`, b, 'f32 40 uneven', A_BT);
  }),
];

const backward: Case<AttrsOf<'linear_backward'>>[] = [
  ...SIZES.filter(([, , n]) => n > 0).map(([m, k, n]) => use(operand(k, m), operand(k, n))),
  use('f32 9x21 modestSpecials', 'f32 9x6'),
  use('f32 3001x9 =0.1', 'f32 3001x4'),
];

export const matmul: Family<keyof typeof rows> = {
  matmul: {
    bound: { abs: product, rel: 4 * EPS },
    cases: [...plain, ...noGradient(...epilogues), ...batched, ...noGradient(...special, ...unlike)],
  },
  linear_backward: { bound: { abs: weightAndBias, rel: 4 * EPS }, cases: backward },
};
