import { dropThreshold, type dropout as rows } from '../../../ops/dropout.ts';
import { float, wordOf } from '../record.ts';
import { count, each, type Kernels, one, shader } from './kernel.ts';

export const dropout: Kernels<typeof rows> = {
  dropout: one(({ inputs: [x, seed], outputs: [output], attrs: { p, salt } }) => ({
    shader: shader('dropout'),
    args: [...[x, seed, output].map(wordOf), count(x), salt, dropThreshold(p), float(1 / (1 - p))],
    workgroups: each(Math.ceil(count(x) / 2)),
  })),
};
