import { gatherSizes, type gather as rows } from '../../../ops/gather.ts';
import { wordOf } from '../record.ts';
import { count, each, type Kernels, one, shader } from './kernel.ts';

export const gather: Kernels<typeof rows> = {
  gather: one(({ inputs: [x, indices], outputs: [output], attrs }) => {
    const sizes = gatherSizes(x, indices, attrs);
    return {
      shader: shader('gather'),
      args: [...[x, indices, output].map(wordOf), count(output), sizes.size, sizes.inner, sizes.count],
      workgroups: each(count(output)),
    };
  }),
  gather_backward: one(({ inputs: [dy, indices], outputs: [output], attrs }) => {
    const sizes = gatherSizes(output, indices, attrs);
    return {
      shader: { files: ['gather_backward', 'sums'] },
      args: [...[dy, indices, output].map(wordOf), count(output), sizes.size, sizes.inner, sizes.count],
      workgroups: each(count(output)),
    };
  }),
};
