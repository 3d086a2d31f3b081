import { type Shape, sameShape, sizeOf } from '../core/shape.ts';
import type { Emit, Sym } from './op.ts';

/**
 * Reduces over any set of axes with ops that reduce one run of neighbouring axes each,
 * the last run first, so that backends only ever see (outer, reduced, inner).
 */
export function reduceAxes(
  emit: Emit,
  op: 'sum' | 'max',
  x: Sym,
  axes: readonly number[],
  keepDims: boolean,
): Sym {
  const sorted = [...new Set(axes)].sort((a, b) => a - b);
  let y = x;
  for (let end = sorted.length; end > 0; ) {
    let start = end - 1;
    while (start > 0 && sorted[start - 1] === sorted[start] - 1) start--;
    y = emit(op, [y], { axes: sorted.slice(start, end), keepDims });
    end = start;
  }
  return y;
}

/** Sums a gradient over the dimensions in which `shape` was repeated by broadcasting. */
export function unbroadcast(emit: Emit, dy: Sym, shape: Shape): Sym {
  if (sameShape(dy.shape, shape)) return dy;
  const lead = dy.shape.length - shape.length;
  const axes = dy.shape.flatMap((n, i) => (i < lead || (shape[i - lead] === 1 && n !== 1) ? [i] : []));
  const reduced = axes.length ? reduceAxes(emit, 'sum', dy, axes, true) : dy;
  return reshaped(emit, reduced, shape);
}

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
