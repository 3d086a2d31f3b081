import { normalizeAxis } from '../core/shape.ts';
import type { Tensor } from '../graph/trace.ts';
import { type Operand, resolve, tracerOf } from './apply.ts';

/** Entries of x along an axis, picked by i32 indices (an embedding, for example). */
export function gather(x: Operand, indices: Tensor, axis = 0): Tensor {
  const tracer = tracerOf('gather', [x, indices]);
  const t = resolve(tracer, x);
  return tracer.apply('gather', [t, indices], {
    axis: normalizeAxis(axis, t.shape.length, 'gather'),
  });
}
