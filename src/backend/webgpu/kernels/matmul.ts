import type { TensorRef } from '../../../graph/plan.ts';
import { type MatmulAttrs, matmulSizes, matmul as rows, weightProduct } from '../../../ops/matmul.ts';
import type { Product } from '../../../ops/op.ts';
import { configs, fitting, type ProductConfig } from '../products.ts';
import { type Dispatch, readApart, wordOf } from '../record.ts';
import type { Scratch } from '../scratch.ts';
import { activationFiles } from './activation.ts';
import type { Kernels } from './kernel.ts';
import { reduceDispatches } from './reduce.ts';
import { division, tilesOf } from './tiles.ts';

/** An f32 product as its shader sees it. */
interface F32Product {
  readonly attrs: MatmulAttrs;
  readonly product: Product;
  readonly operands: readonly [a: TensorRef, b: TensorRef];
  readonly output: TensorRef;
  /** The bias, or with attrs.derivative what that is computed from. */
  readonly third?: TensorRef;
  /** Where the sums of a's rows go: of what is transposed, so of the columns that are given. */
  readonly sums?: TensorRef;
}

/** Terms of a sum that a product makes beside its own; more go through the passes of a reduction, which keep their digits. */
const MOST_SUMMED = 1024;

export const matmul: Kernels<typeof rows> = {
  matmul: {
    apart: [1],
    encode: ({ attrs, inputs: [a, b, third], outputs: [output] }, { config = configs.direct, scratch }) => {
      const product = rows.matmul.product!([a, b], attrs);
      return dispatches({ attrs, product, operands: [a, b], output, third }, config, scratch);
    },
  },
  /** A product, and its sums. */
  linear_backward: {
    encode: ({ attrs, inputs: [a, b], outputs: [output, sums] }, { config = configs.direct, scratch }) => {
      const product = rows.linear_backward.product!([a, b], attrs);
      return dispatches({ attrs: weightProduct, product, operands: [a, b], output, sums }, config, scratch);
    },
  },
};

function dispatches(given: F32Product, wish: ProductConfig, scratch: Scratch): Dispatch[] {
  const { attrs, operands, output, third, sums: wanted } = given;
  const [a, b] = operands;
  const long = wanted && a.shape[0] > MOST_SUMMED;
  const sums = long ? undefined : wanted;
  const apart = long
    ? reduceDispatches(0, { outer: 1, count: a.shape[0], inner: a.shape[1] }, a, wanted, scratch)
    : [];
  const { transposeA, transposeB, derivative } = attrs;
  const sizes = matmulSizes(a, b, attrs);
  const { batch, m, n, k } = sizes;
  const count = batch * m * n;
  if (count === 0 && !(sums && m > 0)) return apart;
  const config = fitting(wish, given.product);
  const { tilesM, tilesN, chunk, parts, even } = tilesOf(config, m, n, k);
  const split = parts > 1;
  const whole = n % 4 === 0 && (transposeA ? m : k) % 4 === 0 && (!transposeB || k % 4 === 0);
  const [files, p] = activationFiles(derivative ?? attrs.activation);
  const target = split ? scratch.lend(parts * count) : wordOf(output);
  const sumsTarget = sums && (split ? scratch.lend(parts * m) : wordOf(sums));
  const epilogue = { BIAS: third && !derivative ? 1 : 0, DERIVATIVE: derivative ? 1 : 0 };
  const tiles = parts * batch * tilesM * tilesN;
  const product: Dispatch = {
    shader: {
      files: ['matmul', ...(split ? ['activation_none'] : files), 'product', `product_${config.kernel}`],
      constants: {
        ...{ TRANSPOSE_A: transposeA ? 1 : 0, TRANSPOSE_B: transposeB ? 1 : 0 },
        ...(split ? { BIAS: 0, DERIVATIVE: 0 } : epilogue),
        ...{
          SUMS: sums ? 1 : 0,
          WHOLE: whole ? 1 : 0,
          EDGES: whole && even ? 0 : 1,
          PART: split ? 1 : 0,
        },
        ...division(config),
      },
      quads: whole,
    },
    args: [
      ...[wordOf(a), wordOf(b), sumsTarget ?? (third ? wordOf(third) : 0), target, m, n, k],
      ...[sizes.batchStrideA, sizes.batchStrideB, tilesM, tilesN, tiles, batch, chunk, p],
    ],
    workgroups: tiles,
    weights: readApart(b),
  };
  if (!split) return [product, ...apart];
  const join = (from: number, to: TensorRef, size: number): Dispatch => ({
    shader: { files: ['matmul_join', ...files], constants: epilogue },
    args: [from, third ? wordOf(third) : 0, wordOf(to), n, parts, size, p],
    workgroups: Math.ceil(size / 64),
  });
  return [product, join(target, output, count), ...(sums ? [join(sumsTarget!, sums, m)] : []), ...apart];
}
