import { bytesPerElement, type DType } from '../../../core/dtype.ts';
import type { elementwise as rows } from '../../../ops/elementwise.ts';
import { transposeCopy } from '../../../ops/layout.ts';
import { broadcastWalk } from '../../strides.ts';
import { float, wordOf } from '../record.ts';
import { copies, fillDispatch } from './copy.ts';
import { count, each, eight, type Kernel, type Kernels, one, packed, shader } from './kernel.ts';

/** KIND in binary.wgsl. */
const kinds = { add: 0, sub: 1, mul: 2, div: 3 };

const binary = (kind: keyof typeof kinds): Kernel =>
  one(({ inputs: [a, b], outputs: [output] }) => {
    const { dims, strides } = broadcastWalk(a.shape, b.shape, output.shape);
    const walk = [...eight(dims), ...eight(strides[0]), ...eight(strides[1])];
    return {
      shader: shader('binary', { KIND: kinds[kind] }),
      args: [wordOf(a), wordOf(b), wordOf(output), count(output), ...walk, dims.length],
      workgroups: each(count(output)),
    };
  });

/** FROM and TO in cast.wgsl. */
const typeCodes: Record<DType, number> = { f32: 0, i32: 1, u8: 2, i8: 3 };

export const elementwise: Kernels<typeof rows> = {
  add: binary('add'),
  sub: binary('sub'),
  mul: binary('mul'),
  div: binary('div'),
  scale: one(({ inputs: [x], outputs: [output], attrs }) => ({
    shader: shader('scale'),
    args: [wordOf(x), wordOf(output), count(x), float(attrs.factor)],
    workgroups: each(count(x)),
  })),
  cast: one(({ inputs: [x], outputs: [output] }) => ({
    shader: shader('cast', { FROM: typeCodes[x.dtype], TO: typeCodes[output.dtype] }),
    args: [wordOf(x), wordOf(output), count(x)],
    workgroups: each(bytesPerElement[output.dtype] === 4 ? count(x) : packed(count(x))),
  })),
  copy: copies(({ inputs: [x] }) => transposeCopy(x, { perm: x.shape.map((_, i) => i) })),
  fill: {
    encode: ({ outputs: [output], attrs }) => [fillDispatch(output, attrs.value)],
  },
};
