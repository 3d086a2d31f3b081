import { rowsOf } from '../../../ops/softmax.ts';
import type { sort as rows } from '../../../ops/sort.ts';
import { type Dispatch, wordOf } from '../record.ts';
import { each, type Kernels, TYPES } from './kernel.ts';

/** Elements that the first pass puts in order. */
const BLOCK = 64;

export const sort: Kernels<typeof rows> = {
  sort: {
    encode({ inputs: [x], outputs: [values, indices], attrs: { k, descending } }, { scratch }) {
      const { rows, n } = rowsOf(x.shape);
      if (rows * k === 0) return [];
      const widths = [0];
      for (let width = BLOCK; width < n; width *= 2) widths.push(width);
      // Places in the rows, from one of two memories to the other.
      const places = [0, 1].map((i) => (widths.length > i + 1 ? scratch.lend(rows * n) : 0));
      return widths.map((width, pass): Dispatch => {
        const last = pass === widths.length - 1;
        const to = last ? wordOf(indices) : places[pass % 2];
        return {
          shader: {
            files: ['sort', 'ordered'],
            constants: {
              TYPE: TYPES[x.dtype],
              FIRST: pass === 0 ? 1 : 0,
              LAST: last ? 1 : 0,
              DESCENDING: descending ? 1 : 0,
            },
          },
          args: [wordOf(x), places[(pass + 1) % 2], to, wordOf(values), n, rows * n, width, k],
          workgroups: each(rows * n),
        };
      });
    },
  },
};
