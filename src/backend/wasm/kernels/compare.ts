import * as records from '../../../generated/records.ts';
import type { compare as rows } from '../../../ops/compare.ts';
import { broadcastWalk, outerCount } from '../../strides.ts';
import { type Kernel, type Kernels, one } from './kernel.ts';

const comparison = (kind: records.Comparison): Kernel =>
  one(({ inputs: [a, b], outputs: [y] }, at) => {
    const walk = broadcastWalk([a.shape, b.shape], y.shape);
    return records.compare({
      ...{ kind, type: a.dtype, ...at({ a, b, y }) },
      ...{ outer: outerCount(walk), dims: walk.dims, stridesA: walk.strides[0], stridesB: walk.strides[1] },
    });
  });

export const compare: Kernels<typeof rows> = {
  eq: comparison('eq'),
  ne: comparison('ne'),
  lt: comparison('lt'),
  le: comparison('le'),
  logical_and: comparison('and'),
  logical_or: comparison('or'),
  where: one(({ inputs: [c, a, b], outputs: [y] }, at) => {
    const walk = broadcastWalk([c.shape, a.shape, b.shape], y.shape);
    const [stridesC, stridesA, stridesB] = walk.strides;
    const { dims } = walk;
    return records.where({
      ...at({ c, a, b, y }),
      outer: outerCount(walk),
      dims,
      stridesC,
      stridesA,
      stridesB,
    });
  }),
};
