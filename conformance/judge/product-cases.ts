import type { ProductConfig } from '../../src/backend/webgpu/products.ts';
import type { MatmulAttrs } from '../../src/ops/matmul.ts';
import { casesOf } from '../index.ts';
import type { Case } from '../kit/case.ts';
import { f32, i8, i32, u8 } from '../kit/tensor.ts';

export type ProductOp = 'matmul' | 'linear_backward' | 'matmul_i8';

/** (m, k, n) that every tile divides, and just past it: several tiles, without and with edges. */
const TILED = { matmul: [64, 64, 128], linear_backward: [64, 64, 128], matmul_i8: [64, 256, 128] };
const CUT = { matmul: [65, 67, 130], linear_backward: [65, 67, 130], matmul_i8: [65, 259, 130] };
/** An odd K where no tile is full, and no K at all: what is left is the bias. */
const SMALL = [
  [7, 33, 17],
  [4, 0, 5],
];
/** All that a vector kernel serves: long rows and wide ones, whole and cut. */
const ROWS = [
  [1, 256, 12],
  [1, 300, 10],
  [1, 67, 129],
  [1, 0, 5],
];

/**
 * Cases for a product's configuration, to be forced. A configuration is a shader of its own to compile in every form, which
 * takes a simulated GPU longer than running it: these are the fewest that reach each path of a kernel's loops.
 */
export function fewCases(op: ProductOp, { kernel }: ProductConfig): Case[] {
  const sizes = kernel === 'vector' ? ROWS : [TILED[op], CUT[op], ...SMALL];
  // int8 needs a term to make a product of.
  if (op === 'matmul_i8') return sizes.filter(([, k]) => k > 0).map(caseI8);
  if (op === 'linear_backward') return sizes.map(caseBackward);
  const products = sizes.flatMap(([m, k, n]) => {
    const forms = m === 1 || m >= 64 ? [false, true] : [false];
    return forms.flatMap((transposeA) =>
      forms.map((transposeB) => caseF32([m, k, n], transposeA, transposeB)),
    );
  });
  return [...products, ...sizes.slice(0, 2).map(caseDerivative)];
}

function caseF32([m, k, n]: number[], transposeA: boolean, transposeB: boolean): Case {
  return {
    inputs: [f32([2, ...(transposeA ? [k, m] : [m, k])]), f32(transposeB ? [n, k] : [k, n]), f32([n])],
    attrs: { transposeA, transposeB, activation: { name: 'relu', attrs: {} } },
  };
}

/** The gradient of a layer's input, on its way through the activation before it. */
const caseDerivative = ([m, k, n]: number[]): Case => ({
  inputs: [f32([m, k]), f32([k, n]), f32([m, n])],
  attrs: { transposeA: false, transposeB: false, derivative: { name: 'relu', attrs: {} } },
});

const caseBackward = ([m, k, n]: number[]): Case => ({
  inputs: [f32([k, m]), f32([k, n])],
  attrs: {},
});

const caseI8 = ([m, k, n]: number[]): Case => ({
  inputs: [u8([m, k]), i8([n, k]), i32([n], (_, r) => r.int(2 ** 20) - 2 ** 19), i32([n], () => 2 ** 30)],
  attrs: { shift: 42, zeroPoint: 120, min: 0, max: 255 },
  constants: [1, 2, 3],
});

/** Every conformance case besides: each activation is joined in one place, so two of them show that it is reached. */
export function allCases(op: ProductOp, config: ProductConfig): Case[] {
  const activations = ['relu', 'gelu', undefined];
  const conforming = casesOf(op).filter(({ attrs }) => {
    const { activation, derivative } = attrs as MatmulAttrs;
    return activations.includes((activation ?? derivative)?.name);
  });
  return [...conforming, ...fewCases(op, config)];
}
