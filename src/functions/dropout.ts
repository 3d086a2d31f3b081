import type { Tensor } from '../graph/trace.ts';
import { tracerOf } from './apply.ts';

/** Zeroes elements with probability p while training and scales the others by 1 / (1 - p); else does nothing. */
export function dropout(x: Tensor, p = 0.5): Tensor {
  const tracer = tracerOf('dropout', [x]);
  if (!tracer.training || p === 0) return x;
  const seed = tracer.input('seed', { dtype: 'i32', shape: [2] });
  return tracer.apply('dropout', [x, seed], { p, salt: tracer.nextSalt() });
}
