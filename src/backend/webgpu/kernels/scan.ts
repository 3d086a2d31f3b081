import { reduceSizes } from '../../../ops/reduce.ts';
import type { scan as rows } from '../../../ops/scan.ts';
import { wordOf } from '../record.ts';
import { type Kernels, one } from './kernel.ts';
import { lanesFor } from './reduce.ts';

export const scan: Kernels<typeof rows> = {
  cumsum: one(({ inputs: [x], outputs: [y], attrs: { axis, exclusive, reverse } }) => {
    const { outer, count, inner } = reduceSizes(x.shape, [axis]);
    const files = x.dtype === 'i32' ? ['running_integers'] : ['running_floats', 'sums'];
    const [runs, lanes] = [outer * inner, lanesFor(count)];
    return {
      shader: { files: ['cumsum', ...files], constants: { LANES: lanes } },
      args: [
        ...[wordOf(x), wordOf(y), runs, count, inner, Math.ceil(count / lanes)],
        ...[exclusive ? 1 : 0, reverse ? 1 : 0],
      ],
      workgroups: runs,
    };
  }),
};
