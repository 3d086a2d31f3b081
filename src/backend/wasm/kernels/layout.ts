import { bytesPerElement } from '../../../core/dtype.ts';
import { stridedCopy, type TapeRecord } from '../../../generated/records.ts';
import type { Operands, TensorRef } from '../../../graph/plan.ts';
import {
  broadcastCopy,
  concatCopies,
  type layout as rows,
  type StridedCopy,
  sliceBackwardCopy,
  sliceCopy,
  transposeCopy,
} from '../../../ops/layout.ts';
import { copyWalk, outerCount } from '../../strides.ts';
import { fillRecord } from './fill.ts';
import { type At, addressesIn, type Kernel, type Kernels, one } from './kernel.ts';

/** A strided copy, as a record. */
export function copyOf(x: TensorRef, y: TensorRef, copy: StridedCopy, at: At): TapeRecord {
  const size = bytesPerElement[x.dtype];
  const from = at({ x, y });
  const walk = copyWalk(copy);
  const { dims, strides } = walk;
  return stridedCopy({
    ...{ x: from.x + copy.sourceOffset * size, y: from.y + copy.targetOffset * size, size },
    ...{ outer: outerCount(walk), dims, stridesX: strides[0], stridesY: strides[1] },
  });
}

/** An op that is one strided copy. */
export const copies = <A extends object>(copy: (step: Operands<A>) => StridedCopy): Kernel<A> =>
  one((step, at) => copyOf(step.inputs[0], step.outputs[0], copy(step), at));

export const layout: Kernels<typeof rows> = {
  reshape: { encode: () => [] },
  transpose: copies(({ inputs: [x], attrs }) => transposeCopy(x, attrs)),
  slice: copies(({ inputs: [x], attrs }) => sliceCopy(x, attrs)),
  slice_backward: {
    encode({ inputs: [dy], outputs: [dx], attrs }, place) {
      const at = addressesIn(place);
      return [fillRecord(dx, 0, at), copyOf(dy, dx, sliceBackwardCopy(dx, attrs), at)];
    },
  },
  concat: {
    encode({ inputs, outputs: [y], attrs }, place) {
      const at = addressesIn(place);
      return concatCopies(inputs, y, attrs).map((copy, i) => copyOf(inputs[i], y, copy, at));
    },
  },
  broadcast: copies(({ inputs: [x], outputs: [y] }) => broadcastCopy(x, y)),
};
