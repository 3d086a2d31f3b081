import type { NumberArray } from '../core/dtype.ts';
import { broadcastShapes, broadcastStrides, type Shape, sizeOf } from '../core/shape.ts';
import type { TensorType, Value } from './op.ts';

/** The shape of all operands, repeated as NumPy does. Throws BiphaseError 'shape_mismatch' where they don't fit. */
export const commonShape = (name: string, operands: readonly TensorType[]): Shape =>
  operands.map(({ shape }) => shape).reduce((all, shape) => broadcastShapes(all, shape, name));

/** y[i] = f of the operands' elements at i, each operand repeated to the shape of y. */
export function forEachOf(
  operands: readonly Value[],
  y: { readonly shape: Shape; readonly data: NumberArray },
  f: (...values: number[]) => number,
): void {
  const { shape } = y;
  const size = sizeOf(shape);
  const strides = operands.map((x) => broadcastStrides(x.shape, shape));
  const at = operands.map(() => 0);
  const index = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < size; i++) {
    y.data[i] = f(...operands.map((x, o) => x.data[at[o]]));
    for (let d = shape.length - 1; d >= 0; d--) {
      strides.forEach((s, o) => {
        at[o] += s[d];
      });
      if (++index[d] < shape[d]) break;
      strides.forEach((s, o) => {
        at[o] -= s[d] * shape[d];
      });
      index[d] = 0;
    }
  }
}
