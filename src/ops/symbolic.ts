import { type Shape, sameShape, sizeOf } from '../core/shape.ts';
import type { Emit, Sym } from './op.ts';

/**
 * Reduces any set of axes with ops that reduce one run of neighbouring axes each, the last run first, so that backends only ever
 * see (outer, reduced, inner). For sums, and whatever else is the same of all terms as of what groups of them came to.
 */
export function inRuns(
  emit: Emit,
  op: string,
  x: Sym,
  axes: readonly number[],
  keepDims: boolean,
  attrs: object = {},
): Sym {
  const sorted = ascending(axes);
  let y = x;
  for (let end = sorted.length; end > 0; ) {
    let start = end - 1;
    while (start > 0 && sorted[start - 1] === sorted[start] - 1) start--;
    y = emit(op, [y], { ...attrs, axes: sorted.slice(start, end), keepDims });
    end = start;
  }
  return y;
}

export const sumAxes = (emit: Emit, x: Sym, axes: readonly number[], keepDims: boolean): Sym =>
  inRuns(emit, 'sum', x, axes, keepDims);

/**
 * Reduces any set of axes in one op: those that are not neighbours are moved behind the others. So equals share the gradient of a
 * largest evenly wherever they are.
 */
export function atOnce(
  emit: Emit,
  op: string,
  x: Sym,
  axes: readonly number[],
  keepDims: boolean,
  attrs: object = {},
): Sym {
  const sorted = ascending(axes);
  if (sorted.at(-1)! - sorted[0] < sorted.length) return emit(op, [x], { ...attrs, axes: sorted, keepDims });
  const all = x.shape.map((_, i) => i);
  const kept = all.filter((i) => !sorted.includes(i));
  const moved = emit('transpose', [x], { perm: [...kept, ...sorted] });
  const y = emit(op, [moved], { ...attrs, axes: all.slice(kept.length), keepDims: false });
  const shape = x.shape.flatMap((n, i) => (sorted.includes(i) ? (keepDims ? [1] : []) : [n]));
  return reshaped(emit, y, shape);
}

const ascending = (axes: readonly number[]): number[] => [...new Set(axes)].sort((a, b) => a - b);

/** Sums a gradient over the dimensions in which `shape` was repeated by broadcasting. */
export function unbroadcast(emit: Emit, dy: Sym, shape: Shape): Sym {
  if (sameShape(dy.shape, shape)) return dy;
  const lead = dy.shape.length - shape.length;
  const axes = dy.shape.flatMap((n, i) => (i < lead || (shape[i - lead] === 1 && n !== 1) ? [i] : []));
  const reduced = axes.length ? sumAxes(emit, dy, axes, true) : dy;
  return reshaped(emit, reduced, shape);
}

/** One number, as a tensor without dimensions. */
export const scalar = (emit: Emit, value: number): Sym =>
  emit('fill', [], { value, shape: [], dtype: 'f32' });

export function reshaped(emit: Emit, x: Sym, shape: Shape): Sym {
  return sameShape(x.shape, shape) ? x : emit('reshape', [x], { shape });
}

/** The tensor repeated to `shape` (NumPy's broadcast_to). */
export function broadcastTo(emit: Emit, x: Sym, shape: Shape): Sym {
  return sameShape(x.shape, shape) ? x : emit('broadcast', [x], { shape });
}

/** Gradients of reductions: dy with its reduced dimensions back as size 1, repeated to the input's shape. */
export function spread(emit: Emit, dy: Sym, axes: readonly number[], to: Shape): Sym {
  const kept = to.map((n, i) => (axes.includes(i) ? 1 : n));
  return broadcastTo(emit, reshaped(emit, dy, kept), to);
}

export const swapLast = (shape: Shape): number[] => {
  const r = shape.length;
  return [...shape.slice(0, r - 2), shape[r - 1], shape[r - 2]];
};

export const elements = (t: Sym): number => sizeOf(t.shape);
