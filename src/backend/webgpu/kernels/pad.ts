import { extendCopies, flipCopy, padCopy, type pad as rows } from '../../../ops/pad.ts';
import { copies, copyDispatch, fillDispatch } from './copy.ts';
import type { Kernels } from './kernel.ts';

export const pad: Kernels<typeof rows> = {
  flip: copies(({ inputs: [x], attrs }) => flipCopy(x, attrs)),
  pad: {
    encode: ({ inputs: [x], outputs: [y], attrs }) => [
      fillDispatch(y, attrs.value),
      copyDispatch(x, y, padCopy(x, y, attrs)),
    ],
  },
  extend: {
    encode: ({ inputs: [x], outputs: [y], attrs }) =>
      extendCopies(x, y, attrs).map((copy) => copyDispatch(x, y, copy)),
  },
};
