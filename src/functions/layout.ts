import { listOf, whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { normalizeAxis, type Shape, sizeOf } from '../core/shape.ts';
import type { Tensor } from '../graph/trace.ts';
import { reshaped } from '../ops/symbolic.ts';
import { apply, emitter, type Operand, resolve, tracerOf } from './apply.ts';

/** The same elements under another shape; one size may be -1 and is worked out from the others. */
export function reshape(x: Operand, shape: Shape): Tensor {
  const tracer = tracerOf('reshape', [x]);
  const t = resolve(tracer, x);
  const open = shape.filter((n) => n === -1).length;
  if (open > 1) fail('invalid_argument', 'reshape: only one size may be -1');
  const known = shape.reduce((product, n) => (n === -1 ? product : product * n), 1);
  const full = shape.map((n) => (n === -1 ? (known === 0 ? 0 : sizeOf(t.shape) / known) : n));
  return reshaped(emitter(tracer), t, full) as Tensor;
}

/** Axis i of the result is axis perm[i] of x; without perm the axes are reversed. */
export function transpose(x: Operand, perm?: readonly number[]): Tensor {
  const t = resolve(tracerOf('transpose', [x]), x);
  const rank = t.shape.length;
  const axes = perm?.map((p) => normalizeAxis(p, rank, 'transpose')) ?? t.shape.map((_, i) => rank - 1 - i);
  return apply('transpose', [t], { perm: axes });
}

/** Options of slice(). */
export interface SliceOptions {
  /** Distance between the elements taken along each axis, from 1; 1 if not given. */
  readonly steps?: readonly number[];
}

const checkSlice = optionsOf<SliceOptions>('slice', { steps: listOf(whole(1)) });

/** x[starts[0]:ends[0], ...]; negative positions count from the end, ends beyond the size mean the size. */
export function slice(
  x: Operand,
  starts: readonly number[],
  ends: readonly number[],
  options?: SliceOptions,
): Tensor {
  const { steps = [] } = checkSlice(options);
  const t = resolve(tracerOf('slice', [x]), x);
  const place = (p: number | undefined, n: number, otherwise: number) =>
    p === undefined ? otherwise : Math.min(n, Math.max(0, p < 0 ? p + n : p));
  const from = t.shape.map((n, i) => place(starts[i], n, 0));
  const to = t.shape.map((n, i) => Math.max(from[i], place(ends[i], n, n)));
  return apply('slice', [t], {
    starts: from,
    ends: to,
    steps: t.shape.map((_, i) => steps[i] ?? 1),
  });
}

/** Tensors joined along an axis; all other sizes must agree. */
export function concat(xs: readonly Operand[], axis = 0): Tensor {
  const tracer = tracerOf('concat', xs);
  const first = resolve(tracer, xs[0]);
  return apply('concat', xs, { axis: normalizeAxis(axis, first.shape.length, 'concat') });
}

/** x repeated to a shape, as NumPy's broadcast_to. */
export const broadcast = (x: Operand, shape: Shape) => apply('broadcast', [x], { shape });
