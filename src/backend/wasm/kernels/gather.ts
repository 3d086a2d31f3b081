import { bytesPerElement } from '../../../core/dtype.ts';
import * as records from '../../../generated/records.ts';
import type { TensorRef } from '../../../graph/plan.ts';
import { elementSizes, gatherSizes, type gather as rows } from '../../../ops/gather.ts';
import { padCopy } from '../../../ops/pad.ts';
import { fillRecord } from './fill.ts';
import { addressesIn, type Kernels, one } from './kernel.ts';
import { copyOf } from './layout.ts';

/** An element, and what stands for one where an index is outside: NaN, or 0. */
const elementOf = ({ dtype }: TensorRef) => ({
  width: bytesPerElement[dtype],
  outside: dtype === 'f32' ? 0x7fc00000 : 0,
});

export const gather: Kernels<typeof rows> = {
  gather: one(({ inputs: [x, indices], outputs: [y], attrs }, at) =>
    records.gather({
      ...{ ...at({ x, indices, y }), ...gatherSizes(x, indices, attrs), ...elementOf(x), each: false },
    }),
  ),
  gather_backward: {
    encode({ inputs: [source, indices], outputs: [y], attrs }, place) {
      const at = addressesIn(place);
      const sizes = gatherSizes(y, indices, attrs);
      return [
        fillRecord(y, 0, at),
        records.scatterAdd({
          ...{ ...at({ source, indices, y }), ...sizes, skipped: attrs.padding ?? -1, each: false },
        }),
      ];
    },
  },
  gather_elements: one(({ inputs: [x, indices], outputs: [y], attrs }, at) =>
    records.gather({
      ...{ ...at({ x, indices, y }), ...elementSizes(x, indices, attrs), ...elementOf(x), each: true },
    }),
  ),
  scatter_add: {
    encode({ inputs: [x, indices, source], outputs: [y], attrs }, place) {
      const at = addressesIn(place);
      const none = x.shape.map(() => 0);
      return [
        copyOf(x, y, padCopy(x, y, { before: none, after: none, value: 0 }), at),
        records.scatterAdd({
          ...{ ...at({ source, indices, y }), ...elementSizes(x, indices, attrs), skipped: -1, each: true },
        }),
      ];
    },
  },
};
