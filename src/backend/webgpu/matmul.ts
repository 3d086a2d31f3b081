import { sizeOf } from '../../core/shape.ts';
import type { Operands, TensorRef } from '../../graph/plan.ts';
import { ops } from '../../ops/index.ts';
import { type MatmulAttrs, matmulSizes, weightProduct } from '../../ops/matmul.ts';
import type { Product } from '../../ops/op.ts';
import type { MatmulI8Attrs } from '../../ops/quantized.ts';
import { activationFiles } from './activation.ts';
import { packed } from './copy.ts';
import { fitting, type ProductConfig } from './products.ts';
import { type Dispatch, type Word, wordOf } from './record.ts';
import { reduceDispatches } from './reduce.ts';
import type { Scratch } from './scratch.ts';

/** The constants by which product_*.wgsl is specialised. */
function division({ kernel, wx, wy, qm, qn, depth }: ProductConfig): Record<string, number> {
  if (kernel === 'vector') return { WX: wx, WY: wy, SIZE: wx * wy };
  const common = { WX: wx, WY: wy, QM: qm, QN: qn };
  if (kernel === 'direct') return common;
  return { ...common, DEPTH: depth, SIZE_A: depth * wy * qm, SIZE_B: depth * wx * qn };
}

/** Tiles along m and n, and terms of K for each part. */
function tilesOf(config: ProductConfig, m: number, n: number, terms: number) {
  const { kernel, wx, wy, qm, qn, depth, parts } = config;
  const rows = kernel === 'vector' ? 1 : 4 * wy * qm;
  const columns = 4 * wx * (kernel === 'vector' ? 1 : qn);
  const step = kernel === 'blocks' ? depth : 4;
  // Without workgroup memory each invocation sees to its own edge, and those that are wholly outside leave.
  const [evenM, evenN] = kernel === 'direct' ? [4 * qm, 4 * qn] : [rows, columns];
  const even = kernel !== 'vector' && m % evenM === 0 && n % evenN === 0 && terms % step === 0;
  const chunk = Math.max(step, Math.ceil(terms / parts / step) * step);
  return {
    tilesM: Math.ceil(m / rows),
    tilesN: Math.ceil(n / columns),
    chunk,
    even,
    /** Fewer than asked for where K has no more. */
    parts: Math.max(1, Math.ceil(terms / chunk)),
  };
}

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

export function matmulDispatches(
  { attrs, inputs: [a, b, third], outputs: [output] }: Operands<MatmulAttrs>,
  wish: ProductConfig,
  scratch: Scratch,
): Dispatch[] {
  const product = ops.matmul.product!([a, b], attrs);
  return dispatches({ attrs, product, operands: [a, b], output, third }, wish, scratch);
}

/** The product within linear_backward, and its sums. */
export function backwardDispatches(
  { inputs: [a, b], outputs: [output, sums] }: Operands,
  wish: ProductConfig,
  scratch: Scratch,
): Dispatch[] {
  const product = ops.linear_backward.product!([a, b], {});
  return dispatches({ attrs: weightProduct, product, operands: [a, b], output, sums }, wish, scratch);
}

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
  };
  if (!split) return [product, ...apart];
  const join = (from: number, to: TensorRef, size: number): Dispatch => ({
    shader: { files: ['matmul_join', ...files], constants: epilogue },
    args: [from, third ? wordOf(third) : 0, wordOf(to), n, parts, size, p],
    workgroups: Math.ceil(size / 64),
  });
  return [product, join(target, output, count), ...(sums ? [join(sumsTarget!, sums, m)] : []), ...apart];
}

export function matmulI8Dispatches(
  step: Operands<MatmulI8Attrs>,
  wish: ProductConfig,
  scratch: Scratch,
): Dispatch[] {
  const [x, weight, bias, multiplier, table] = step.inputs;
  const { shift, zeroPoint, min, max } = step.attrs;
  const [n, k] = weight.shape;
  const count = sizeOf(step.outputs[0].shape);
  if (count === 0) return [];
  const m = count / n;
  const words = packed(k);
  const padded = 4 * packed(n);
  const constant = weight.constant === true && bias.constant === true;
  const size = (words + 1) * padded;
  const at = constant ? scratch.keep(size) : scratch.lend(size);
  const pack: Dispatch = {
    shader: { files: ['matmul_i8_pack'] },
    args: [wordOf(weight), wordOf(bias), at, n, k, words, padded],
    workgroups: Math.ceil(size / 64),
    once: constant,
  };
  const config = fitting(wish, ops.matmul_i8.product!(step.inputs, step.attrs));
  const { tilesM, tilesN, chunk, even } = tilesOf(config, m, n, words);
  // Rows that are no whole number of words are made side by side first; a single one ends in its tensor's last word.
  const loose = n % 4 !== 0 && m > 1;
  const y = loose ? scratch.lend((m * padded) / 4) : wordOf(step.outputs[0]);
  const places: Word[] = [
    wordOf(x),
    at,
    at + words * padded,
    wordOf(multiplier),
    table ? wordOf(table) : 0,
    y,
  ];
  const product: Dispatch = {
    shader: {
      files: [
        'matmul_i8',
        `dot_${config.packedDot ? 'packed' : 'unpacked'}`,
        ...['product', `product_${config.kernel}`],
      ],
      constants: {
        TABLE: table ? 1 : 0,
        WORDS: k % 4 === 0 ? 1 : 0,
        EDGES: even && k % 4 === 0 ? 0 : 1,
        ...division(config),
      },
    },
    args: [
      ...[...places, m, n, k, tilesM, tilesN, tilesM * tilesN, 1, chunk],
      ...[shift, zeroPoint, min, max],
    ],
    workgroups: tilesM * tilesN,
  };
  const rows: Dispatch = {
    shader: { files: ['matmul_i8_rows'] },
    args: [y, wordOf(step.outputs[0]), n, padded, count],
    workgroups: Math.ceil(packed(count) / 64),
  };
  return loose ? [pack, product, rows] : [pack, product];
}
