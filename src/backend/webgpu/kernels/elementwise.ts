import { bytesPerElement, type DType } from '../../../core/dtype.ts';
import type { elementwise as rows } from '../../../ops/elementwise.ts';
import { transposeCopy } from '../../../ops/layout.ts';
import { float, wordOf } from '../record.ts';
import { copies, fillDispatch } from './copy.ts';
import { count, each, type Kernels, one, packed, shader } from './kernel.ts';

/** FROM and TO in cast.wgsl. */
const typeCodes: Record<DType, number> = { f32: 0, i32: 1, u8: 2, i8: 3 };

export const elementwise: Kernels<typeof rows> = {
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
