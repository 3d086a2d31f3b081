import * as records from '../../../generated/records.ts';
import { reduceSizes } from '../../../ops/reduce.ts';
import type { scan as rows } from '../../../ops/scan.ts';
import { type Kernels, one } from './kernel.ts';

export const scan: Kernels<typeof rows> = {
  cumsum: one(({ inputs: [x], outputs: [y], attrs: { axis, exclusive, reverse } }, at) =>
    records.cumsum({ type: x.dtype, ...at({ x, y }), ...reduceSizes(x.shape, [axis]), exclusive, reverse }),
  ),
};
