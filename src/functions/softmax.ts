import { normalizeAxis } from '../core/shape.ts';
import type { Tensor } from '../graph/trace.ts';
import { apply, type Operand, resolve, tracerOf } from './apply.ts';
import { transpose } from './layout.ts';

/** Runs an op of the last axis along any other one. */
function alongAxis(name: 'softmax' | 'log_softmax', x: Operand, axis: number): Tensor {
  const t = resolve(tracerOf(name, [x]), x);
  const rank = t.shape.length;
  const at = normalizeAxis(axis, rank, name);
  if (at === rank - 1) return apply(name, [t]);
  const perm = t.shape.map((_, i) => (i === at ? rank - 1 : i === rank - 1 ? at : i));
  return transpose(apply(name, [transpose(t, perm)]), perm);
}

/** exp(x) over its sum along an axis. */
export const softmax = (x: Operand, axis = -1) => alongAxis('softmax', x, axis);
/** Logarithm of softmax along an axis. */
export const logSoftmax = (x: Operand, axis = -1) => alongAxis('log_softmax', x, axis);
