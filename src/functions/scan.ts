import { flag } from '../core/checks.ts';
import { optionsOf } from '../core/options.ts';
import { normalizeAxis } from '../core/shape.ts';
import type { Tensor } from '../graph/trace.ts';
import { apply, type Operand, resolve, tracerOf } from './apply.ts';
import { axisCheck } from './reduce.ts';

/** Options of cumsum(). */
export interface CumsumOptions {
  /** From the end if negative; the last if not given. */
  readonly axis?: number;
  /** Each sum without the element at its own place. */
  readonly exclusive?: boolean;
  /** Sums from the end. */
  readonly reverse?: boolean;
}

const read = optionsOf<CumsumOptions>('cumsum', { axis: axisCheck, exclusive: flag, reverse: flag });

/** Sums of all elements up to each along an axis (torch.cumsum, ONNX CumSum); of f32 or i32, in that type. */
export function cumsum(x: Operand, options?: CumsumOptions): Tensor {
  const { axis = -1, exclusive = false, reverse = false } = read(options);
  const t = resolve(tracerOf('cumsum', [x]), x);
  return apply('cumsum', [t], { axis: normalizeAxis(axis, t.shape.length, 'cumsum'), exclusive, reverse });
}
