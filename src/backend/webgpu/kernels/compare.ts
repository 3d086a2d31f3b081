import { kinds } from '../../../generated/records.ts';
import type { compare as rows } from '../../../ops/compare.ts';
import { broadcastWalk } from '../../strides.ts';
import { wordOf } from '../record.ts';
import { count, each, eight, type Kernel, type Kernels, one, packed, shader } from './kernel.ts';

const comparison = (kind: keyof typeof kinds.comparison): Kernel =>
  one(({ inputs: [a, b], outputs: [y] }) => {
    const { dims, strides } = broadcastWalk([a.shape, b.shape], y.shape);
    return {
      shader: shader('compare', { KIND: kinds.comparison[kind], TYPE: kinds.dtype[a.dtype] }),
      args: [
        ...[wordOf(a), wordOf(b), wordOf(y), count(y)],
        ...[...eight(dims), ...eight(strides[0]), ...eight(strides[1]), dims.length],
      ],
      workgroups: each(packed(count(y))),
    };
  });

export const compare: Kernels<typeof rows> = {
  eq: comparison('eq'),
  ne: comparison('ne'),
  lt: comparison('lt'),
  le: comparison('le'),
  logical_and: comparison('and'),
  logical_or: comparison('or'),
  where: one(({ inputs: [c, a, b], outputs: [y] }) => {
    const { dims, strides } = broadcastWalk([c.shape, a.shape, b.shape], y.shape);
    return {
      shader: shader('where'),
      args: [
        ...[wordOf(c), wordOf(a), wordOf(b), wordOf(y)],
        ...[dims, ...strides].flatMap(eight),
        ...[count(y), dims.length],
      ],
      workgroups: each(count(y)),
    };
  }),
};
