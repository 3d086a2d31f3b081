import {
  broadcastCopy,
  concatCopies,
  type layout as rows,
  sliceBackwardCopy,
  sliceCopy,
  transposeCopy,
} from '../../../ops/layout.ts';
import { copies, copyDispatch, fillDispatch } from './copy.ts';
import type { Kernels } from './kernel.ts';

export const layout: Kernels<typeof rows> = {
  reshape: { encode: () => [] },
  transpose: copies(({ inputs: [x], attrs }) => transposeCopy(x, attrs)),
  slice: copies(({ inputs: [x], attrs }) => sliceCopy(x, attrs)),
  slice_backward: {
    encode: ({ inputs: [dy], outputs: [output], attrs }) => [
      fillDispatch(output, 0),
      copyDispatch(dy, output, sliceBackwardCopy(output, attrs)),
    ],
  },
  concat: {
    encode: ({ inputs, outputs: [output], attrs }) =>
      concatCopies(inputs, output, attrs).map((c, i) => copyDispatch(inputs[i], output, c)),
  },
  broadcast: copies(({ inputs: [x], outputs: [output] }) => broadcastCopy(x, output)),
};
