import { bytesPerElement } from '../../../core/dtype.ts';
import type { TensorRef } from '../../../graph/plan.ts';
import { elementSizes, gatherSizes, type gather as rows } from '../../../ops/gather.ts';
import { type Dispatch, readApart, wordOf } from '../record.ts';
import { count, each as eachOf, type Kernels, one, packed, shader } from './kernel.ts';

type Sizes = ReturnType<typeof gatherSizes>;

function pick(x: TensorRef, indices: TensorRef, y: TensorRef, sizes: Sizes, each: number): Dispatch {
  const bytes = bytesPerElement[x.dtype] === 1;
  const { size, inner, count: picked } = sizes;
  return {
    shader: shader('gather', { EACH: each, BYTES: bytes ? 1 : 0 }),
    args: [
      ...[x, indices, y].map(wordOf),
      ...[count(y), size, inner, picked, x.dtype === 'f32' ? 0x7fc00000 : 0],
    ],
    workgroups: eachOf(bytes ? packed(count(y)) : count(y)),
    weights: readApart(x),
  };
}

interface Scatter {
  /** What is added to; nothing, for zeros. */
  readonly base?: TensorRef;
  readonly source: TensorRef;
  readonly indices: TensorRef;
  readonly y: TensorRef;
  readonly sizes: Sizes;
  /** An index of which nothing is added. */
  readonly skipped?: number;
  /** 1: every element has an index. */
  readonly each: number;
}

const scatter = ({ base, source, indices, y, sizes, skipped, each }: Scatter): Dispatch => ({
  shader: { files: ['scatter_add', 'sums'], constants: { EACH: each, BASE: base ? 1 : 0 } },
  args: [
    ...[base ?? y, source, indices, y].map(wordOf),
    ...[count(y), sizes.size, sizes.inner, sizes.count, skipped ?? 0xffffffff],
  ],
  workgroups: eachOf(count(y)),
});

export const gather: Kernels<typeof rows> = {
  gather: one(
    ({ inputs: [x, indices], outputs: [y], attrs }) => pick(x, indices, y, gatherSizes(x, indices, attrs), 0),
    [0],
  ),
  gather_backward: one(({ inputs: [source, indices], outputs: [y], attrs }) => {
    const sizes = gatherSizes(y, indices, attrs);
    return scatter({ source, indices, y, sizes, skipped: attrs.padding, each: 0 });
  }),
  gather_elements: one(({ inputs: [x, indices], outputs: [y], attrs }) =>
    pick(x, indices, y, elementSizes(x, indices, attrs), 1),
  ),
  scatter_add: one(({ inputs: [base, indices, source], outputs: [y], attrs }) =>
    scatter({ base, source, indices, y, sizes: elementSizes(y, indices, attrs), each: 1 }),
  ),
};
