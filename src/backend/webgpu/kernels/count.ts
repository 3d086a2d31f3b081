import type { counts as rows } from '../../../ops/count.ts';
import { type ReduceAttrs, reduceSizes } from '../../../ops/reduce.ts';
import { wordOf } from '../record.ts';
import { count, type Kernel, type Kernels, one, packed, TYPES } from './kernel.ts';
import { lanesFor } from './reduce.ts';

/** KIND in count_nonzero.wgsl. */
const kinds = { count: 0, any: 1, all: 2 };

const counting = (kind: keyof typeof kinds): Kernel<ReduceAttrs> =>
  one(({ inputs: [x], outputs: [y], attrs: { axes } }) => {
    const sizes = reduceSizes(x.shape, axes);
    return {
      shader: {
        files: ['count_nonzero', 'sums', 'workgroup'],
        constants: { KIND: kinds[kind], TYPE: TYPES[x.dtype], LANES: lanesFor(sizes.count) },
      },
      args: [wordOf(x), wordOf(y), count(y), sizes.count, sizes.inner],
      workgroups: kind === 'count' ? count(y) : packed(count(y)),
    };
  });

export const counts: Kernels<typeof rows> = {
  any: counting('any'),
  all: counting('all'),
  count_nonzero: counting('count'),
};
