import type { Buffer } from '../graph/variable.ts';
import { type Operand, resolve, tracerOf } from './apply.ts';

/**
 * Makes x the value of a buffer while training: what runs after it reads the new value, and so does the next step. Throws
 * 'invalid_argument' in inference, where nothing changes, 'shape_mismatch' and 'dtype_mismatch' for a value of another type.
 */
export function assign(buffer: Buffer, x: Operand): void {
  const tracer = tracerOf('assign', [buffer, x]);
  tracer.assign(buffer, resolve(tracer, x));
}

/** Whether the model runs to be trained: what dropout and running statistics ask. */
export const training = (): boolean => tracerOf('training', []).training;
