import * as records from '../../../generated/records.ts';
import { gatherSizes, type gather as rows } from '../../../ops/gather.ts';
import { type Kernels, one } from './kernel.ts';

export const gather: Kernels<typeof rows> = {
  gather: one(({ inputs: [x, indices], outputs: [y], attrs }, at) =>
    records.gather({
      ...at({ x, indices, y }),
      ...gatherSizes(x, indices, attrs),
    }),
  ),
  gather_backward: one(({ inputs: [dy, indices], outputs: [dx], attrs }, at) =>
    records.gatherBackward({
      ...at({ dy, indices, dx }),
      ...gatherSizes(dx, indices, attrs),
    }),
  ),
};
