import * as records from '../../../generated/records.ts';
import type { elementwise as rows } from '../../../ops/elementwise.ts';
import { transposeCopy } from '../../../ops/layout.ts';
import { broadcastWalk, outerCount } from '../../strides.ts';
import { fillRecord } from './fill.ts';
import { count, type Kernel, type Kernels, one } from './kernel.ts';
import { copies } from './layout.ts';

const binary = (kind: records.Binary): Kernel =>
  one(({ inputs: [a, b], outputs: [y] }, at) => {
    const walk = broadcastWalk(a.shape, b.shape, y.shape);
    const { dims, strides } = walk;
    return records.binary({
      ...{ kind, ...at({ a, b, y }) },
      ...{ outer: outerCount(walk), dims, stridesA: strides[0], stridesB: strides[1] },
    });
  });

export const elementwise: Kernels<typeof rows> = {
  add: binary('add'),
  sub: binary('sub'),
  mul: binary('mul'),
  div: binary('div'),
  scale: one(({ inputs: [x], outputs: [y], attrs: { factor } }, at) =>
    records.scale({ ...at({ x, y }), count: count(x), factor }),
  ),
  cast: one(({ inputs: [x], outputs: [y] }, at) =>
    records.cast({ from: x.dtype, to: y.dtype, ...at({ x, y }), count: count(x) }),
  ),
  copy: copies(({ inputs: [x] }) => transposeCopy(x, { perm: x.shape.map((_, i) => i) })),
  fill: one(({ outputs: [y], attrs: { value } }, at) => fillRecord(y, value, at)),
};
