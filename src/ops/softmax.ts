import type { NumberArray } from '../core/dtype.ts';
import { sizeOf } from '../core/shape.ts';
import { expectInputs, expectRank, expectSameShape } from './check.ts';
import { type Op, op } from './op.ts';

/** Largest element of row r, NaN if any is NaN. */
export function rowMax(x: NumberArray, r: number, n: number): number {
  let most = -Infinity;
  for (let i = 0; i < n; i++) most = Math.max(most, x[r * n + i]);
  return most;
}

/** Sum of exp(x - shift) over row r; shifted by the row's largest, nothing overflows. */
export function sumExp(x: NumberArray, r: number, n: number, shift: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += Math.exp(x[r * n + i] - shift);
  return sum;
}

/** Rows along the last axis: (rows, n). */
export const rowsOf = (shape: readonly number[]) => ({ rows: sizeOf(shape.slice(0, -1)), n: shape.at(-1)! });

type RowFunction = (x: NumberArray, y: NumberArray, r: number, n: number) => void;
type RowBackward = (dy: NumberArray, y: NumberArray, dx: NumberArray, r: number, n: number) => void;

function forwardRow(name: string, f: RowFunction): Op {
  return op({
    infer(inputs) {
      expectInputs(name, inputs, ['f32']);
      expectRank(name, inputs[0], 1);
      return inputs[0];
    },
    reference([x], y) {
      const { rows, n } = rowsOf(x.shape);
      for (let r = 0; r < rows; r++) f(x.data, y.data, r, n);
    },
    flops: ([x]) => 8 * sizeOf(x.shape),
    gradient: ({ output, dy, emit }) => [emit(`${name}_backward`, [dy, output])],
  });
}

/** name_backward(dy, y) with y the output of the forward op. */
function backwardRow(name: string, f: RowBackward): Op {
  return op({
    infer(inputs) {
      expectInputs(name, inputs, ['f32', 'f32']);
      expectRank(name, inputs[0], 1);
      expectSameShape(name, inputs[0], inputs[1]);
      return inputs[0];
    },
    reference([dy, y], dx) {
      const { rows, n } = rowsOf(dy.shape);
      for (let r = 0; r < rows; r++) f(dy.data, y.data, dx.data, r, n);
    },
    flops: ([x]) => 4 * sizeOf(x.shape),
  });
}

/** Along the last axis. A row with NaN or +infinity, or of -infinity alone, gives NaN. */
export const softmax = {
  softmax: forwardRow('softmax', (x, y, r, n) => {
    const most = rowMax(x, r, n);
    const sum = sumExp(x, r, n, most);
    for (let i = 0; i < n; i++) y[r * n + i] = Math.exp(x[r * n + i] - most) / sum;
  }),
  softmax_backward: backwardRow('softmax_backward', (dy, y, dx, r, n) => {
    let dot = 0;
    for (let i = 0; i < n; i++) dot += dy[r * n + i] * y[r * n + i];
    for (let i = 0; i < n; i++) dx[r * n + i] = y[r * n + i] * (dy[r * n + i] - dot);
  }),
  log_softmax: forwardRow('log_softmax', (x, y, r, n) => {
    const most = rowMax(x, r, n);
    const sum = sumExp(x, r, n, most);
    for (let i = 0; i < n; i++) y[r * n + i] = x[r * n + i] - most - Math.log(sum);
  }),
  log_softmax_backward: backwardRow('log_softmax_backward', (dy, y, dx, r, n) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += dy[r * n + i];
    for (let i = 0; i < n; i++) dx[r * n + i] = dy[r * n + i] - Math.exp(y[r * n + i]) * sum;
  }),
};
