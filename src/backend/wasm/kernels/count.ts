import * as records from '../../../generated/records.ts';
import type { counts as rows } from '../../../ops/count.ts';
import { type ReduceAttrs, reduceSizes } from '../../../ops/reduce.ts';
import { type Kernel, type Kernels, one } from './kernel.ts';

const counting = (kind: records.Counting): Kernel<ReduceAttrs> =>
  one(({ inputs: [x], outputs: [y], attrs: { axes } }, at) =>
    records.countNonzero({ kind, type: x.dtype, ...at({ x, y }), ...reduceSizes(x.shape, axes) }),
  );

export const counts: Kernels<typeof rows> = {
  any: counting('any'),
  all: counting('all'),
  count_nonzero: counting('count'),
};
