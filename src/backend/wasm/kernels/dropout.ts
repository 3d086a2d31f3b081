import { dropout as record } from '../../../generated/records.ts';
import { dropThreshold, type dropout as rows } from '../../../ops/dropout.ts';
import { count, type Kernels, one } from './kernel.ts';

export const dropout: Kernels<typeof rows> = {
  dropout: one(({ inputs: [x, seed], outputs: [y], attrs: { p, salt } }, at) =>
    record({
      ...at({ x, seed, y }),
      ...{ count: count(x), salt, threshold: dropThreshold(p), scale: 1 / (1 - p) },
    }),
  ),
};
