import * as records from '../../../generated/records.ts';
import { rowsOf } from '../../../ops/softmax.ts';
import type { sort as rows } from '../../../ops/sort.ts';
import { type Kernels, one } from './kernel.ts';

/** So many are put in order in the outputs themselves. */
const FEW = 32;
/** Bytes of an element and its place, twice. */
const PAIRS = 16;

export const sort: Kernels<typeof rows> = {
  sort: one(
    (
      { inputs: [x], outputs: [values, indices], attrs: { k, descending } },
      at,
      { lend, scratch, scratchPerThread },
    ) => {
      const sizes = rowsOf(x.shape);
      const pairs = k > FEW ? lend(sizes.rows * sizes.n * PAIRS) : undefined;
      const operands = { type: x.dtype, ...at({ x, values, indices }), ...sizes };
      return records.sort({ ...operands, k, descending, scratch, scratchPerThread, pairs });
    },
  ),
};
