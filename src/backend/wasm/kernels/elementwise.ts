import * as records from '../../../generated/records.ts';
import type { elementwise as rows } from '../../../ops/elementwise.ts';
import { transposeCopy } from '../../../ops/layout.ts';
import { fillRecord } from './fill.ts';
import { count, type Kernels, one } from './kernel.ts';
import { copies } from './layout.ts';

export const elementwise: Kernels<typeof rows> = {
  scale: one(({ inputs: [x], outputs: [y], attrs: { factor } }, at) =>
    records.scale({ ...at({ x, y }), count: count(x), factor }),
  ),
  cast: one(({ inputs: [x], outputs: [y] }, at) =>
    records.cast({ from: x.dtype, to: y.dtype, ...at({ x, y }), count: count(x) }),
  ),
  copy: copies(({ inputs: [x] }) => transposeCopy(x, { perm: x.shape.map((_, i) => i) })),
  fill: one(({ outputs: [y], attrs: { value } }, at) => fillRecord(y, value, at)),
};
