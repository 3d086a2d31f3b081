import { alignUp } from '../../../graph/memory.ts';
import { ALIGNMENT, type TensorRef } from '../../../graph/plan.ts';
import type { Product } from '../../../ops/op.ts';
import type { MatmulI8Attrs } from '../../../ops/quantized.ts';
import { fitting, type ProductConfig } from '../products.ts';
import { type Dispatch, readApart, type Word, wordOf } from '../record.ts';
import type { Scratch } from '../scratch.ts';
import { packed } from './kernel.ts';
import { division, tilesOf } from './tiles.ts';

/** What the rows of an int8 product are. */
export interface RowsI8 {
  /** The files that say so, and what they are told before and behind what all products are. */
  readonly files: readonly string[];
  readonly before?: readonly Word[];
  readonly behind?: readonly Word[];
  /** No word of four k is of two rows, or of two taps. */
  readonly words: boolean;
}

/** Words from the weights to their bias where both are bound apart. */
export const biasBehind = (weights: number): number => alignUp(weights, ALIGNMENT) / 4;

/** Packs the weights (once, where they are constant), makes the product, and puts rows that are no whole words one behind the other. */
export function productDispatches(
  [x, weight, bias, multiplier, table]: readonly TensorRef[],
  output: TensorRef,
  { shift, zeroPoint, min, max }: MatmulI8Attrs,
  product: Product,
  { files, before = [], behind = [], words: whole }: RowsI8,
  wish: ProductConfig,
  scratch: Scratch,
): Dispatch[] {
  const { batch, m, n, k } = product;
  if (m * n === 0) return [];
  const words = packed(k);
  const padded = 4 * packed(n);
  const raw = readApart(weight, bias);
  const size = batch * (words + 1) * padded;
  const at = raw ? 0 : scratch.lend(size);
  const pack: Dispatch = {
    shader: { files: ['matmul_i8_pack'] },
    args: [
      ...[wordOf(weight), raw ? biasBehind(batch * n * k) : wordOf(bias), at],
      ...[n, k, words, padded, batch],
    ],
    workgroups: Math.ceil(size / 64),
  };
  const config = fitting(wish, product);
  const { tilesM, tilesN, chunk, even } = tilesOf(config, m, n, words);
  const tiles = batch * tilesM * tilesN;
  // Rows that are no whole number of words are made side by side first; a single one ends in its tensor's last word.
  const loose = n % 4 !== 0 && m * batch > 1;
  const y = loose ? scratch.lend((m * batch * padded) / 4) : wordOf(output);
  const places: Word[] = [wordOf(x), at, wordOf(multiplier), table ? wordOf(table) : 0, y];
  const made: Dispatch = {
    shader: {
      files: [
        ...files,
        ...['columns_i8', 'requantize', `dot_${config.packedDot ? 'packed' : 'unpacked'}`],
        ...['product', `product_${config.kernel}`],
      ],
      constants: {
        TABLE: table ? 1 : 0,
        WORDS: whole ? 1 : 0,
        EDGES: even && whole ? 0 : 1,
        ...division(config),
      },
    },
    args: [
      ...[...before, ...places, m, n, k, tilesM, tilesN, tiles, batch, chunk],
      ...[shift, zeroPoint, min, max, ...behind],
    ],
    workgroups: tiles,
    weights: raw && { ...raw, made: { dispatch: pack, words: size } },
  };
  const count = m * batch * n;
  const dense: Dispatch = {
    shader: { files: ['matmul_i8_rows'] },
    args: [y, wordOf(output), n, padded, count],
    workgroups: Math.ceil(packed(count) / 64),
  };
  return [...(raw ? [] : [pack]), made, ...(loose ? [dense] : [])];
}
