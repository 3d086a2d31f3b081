import { extendCopies, flipCopy, padCopy, type pad as rows } from '../../../ops/pad.ts';
import { fillRecord } from './fill.ts';
import { addressesIn, type Kernels } from './kernel.ts';
import { copies, copyOf } from './layout.ts';

export const pad: Kernels<typeof rows> = {
  flip: copies(({ inputs: [x], attrs }) => flipCopy(x, attrs)),
  pad: {
    encode({ inputs: [x], outputs: [y], attrs }, place) {
      const at = addressesIn(place);
      return [fillRecord(y, attrs.value, at), copyOf(x, y, padCopy(x, y, attrs), at)];
    },
  },
  extend: {
    encode({ inputs: [x], outputs: [y], attrs }, place) {
      const at = addressesIn(place);
      return extendCopies(x, y, attrs).map((copy) => copyOf(x, y, copy, at));
    },
  },
};
