import * as records from '../../../generated/records.ts';
import { rowsOf } from '../../../ops/softmax.ts';
import type { sort as rows } from '../../../ops/sort.ts';
import { type Kernels, one } from './kernel.ts';

/** So many are put in order in the outputs themselves. */
const FEW = 32;
/** Of a row: its elements with their places, twice, and counts of digits. */
const scratchOf = (n: number) => 16 * n + 4096;

export const sort: Kernels<typeof rows> = {
  sort: one(({ inputs: [x], outputs: [values, indices], attrs: { k, descending } }, at, { lend }) => {
    const sizes = rowsOf(x.shape);
    const scratch = k > FEW ? lend(sizes.rows * scratchOf(sizes.n)) : undefined;
    return records.sort({ ...at({ x, values, indices }), ...sizes, k, descending, scratch });
  }),
};
