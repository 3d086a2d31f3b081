import { fail } from './errors.ts';

/** Sizes of the dimensions, outermost first; tensors are dense and row-major. [] is a scalar. */
export type Shape = readonly number[];

/** No tensor has more dimensions than this. */
export const MAX_RANK = 8;

/** `[2, 3]`, as error messages print it. */
export const showShape = (shape: Shape): string => `[${shape.join(', ')}]`;

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

/** Throws unless every size is a whole number from 0 and the rank and element count are within limits. */
export function checkShape(shape: Shape, what: string): void {
  if (!Array.isArray(shape))
    fail('invalid_argument', `${what}: expected an array of sizes, got ${String(shape)}`);
  if (shape.length > MAX_RANK)
    fail('shape_mismatch', `${what} has ${shape.length} dimensions; at most ${MAX_RANK} are supported`);
  for (const n of shape)
    if (!Number.isInteger(n) || n < 0)
      fail('shape_mismatch', `${what} has shape ${showShape(shape)}; sizes must be whole numbers from 0`);
  if (sizeOf(shape) > 2 ** 31 - 1)
    fail('shape_mismatch', `${what} of shape ${showShape(shape)} has more than 2^31 - 1 elements`);
}

/** Elements to step for one step along each dimension, row-major. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

/** The shape NumPy would give `a op b`; throws where they don't broadcast. */
export function broadcastShapes(a: Shape, b: Shape, what: string): number[] {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1)
      fail(
        'shape_mismatch',
        `${what}: shapes ${showShape(a)} and ${showShape(b)} do not broadcast: ` +
          `sizes ${x} and ${y} differ and neither is 1 (dimensions are matched from the last)`,
      );
    out[i] = x === 1 ? y : x;
  }
  return out;
}

/** Strides that read `shape` as if it had the broadcast shape `to`: 0 where a size 1 is repeated. */
export function broadcastStrides(shape: Shape, to: Shape): number[] {
  const own = stridesOf(shape);
  const lead = to.length - shape.length;
  return to.map((_, i) => (i < lead || shape[i - lead] === 1 ? 0 : own[i - lead]));
}

/** Axis from 0, also when counted from the end (-1 is the last); throws outside the rank. */
export function normalizeAxis(axis: number, rank: number, what: string): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= Math.max(rank, 1))
    fail('out_of_range', `${what}: axis ${axis} is outside a tensor of ${rank} dimensions`);
  return axis < 0 ? axis + rank : axis;
}
