import { fail } from '../core/errors.ts';
import { showShape, sizeOf } from '../core/shape.ts';
import { expectInputs, expectOneOf, expectRank } from './check.ts';
import { severalOutputs, type TensorType } from './op.ts';
import { rowsOf } from './softmax.ts';

export interface SortAttrs {
  /** How many of each row are kept, from the first in order. */
  readonly k: number;
  readonly descending: boolean;
}

/** Below 0 where a stands before b in ascending order: NaN is larger than anything, -0 equals 0. */
const compare = (a: number, b: number): number =>
  Number.isNaN(a) || Number.isNaN(b)
    ? Number(Number.isNaN(a)) - Number(Number.isNaN(b))
    : a < b
      ? -1
      : Number(a > b);

export const sort = {
  /**
   * The first k of each row (the last axis) in order, and their places there as i32; equals stand in the order of their places. As
   * PyTorch has it NaN is larger than anything: the last, or the first of a descending order.
   */
  sort: severalOutputs<SortAttrs>({
    infer(inputs, { k }) {
      expectInputs('sort', inputs, [null]);
      const [x] = inputs;
      expectOneOf('sort', x, ['f32', 'i32']);
      expectRank('sort', x, 1);
      const n = x.shape.at(-1)!;
      if (!Number.isInteger(k) || k < 0 || k > n)
        fail(
          'out_of_range',
          `sort: k is ${k}, expected a whole number up to the last of ${showShape(x.shape)}`,
        );
      const shape = [...x.shape.slice(0, -1), k];
      return [
        { dtype: x.dtype, shape },
        { dtype: 'i32', shape },
      ] satisfies TensorType[];
    },
    reference([x], [values, indices], { k, descending }) {
      const { rows, n } = rowsOf(x.shape);
      for (let r = 0; r < rows; r++) {
        const at = (i: number) => x.data[r * n + i];
        const order = Array.from({ length: n }, (_, i) => i).sort((a, b) =>
          descending ? compare(at(b), at(a)) : compare(at(a), at(b)),
        );
        for (let j = 0; j < k; j++) {
          values.data[r * k + j] = at(order[j]);
          indices.data[r * k + j] = order[j];
        }
      }
    },
    flops: ([x]) => sizeOf(x.shape) * Math.ceil(Math.log2(rowsOf(x.shape).n + 1)),
    gradient({ inputs: [x], outputs: [, indices], dys: [dy], emit }) {
      if (!dy) return [undefined];
      const none = emit('fill', [], { value: 0, shape: x.shape, dtype: 'f32' });
      return [emit('scatter_add', [none, indices, dy], { axis: x.shape.length - 1 })];
    },
  }),
};
