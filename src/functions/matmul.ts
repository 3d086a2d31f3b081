import { flag } from '../core/checks.ts';
import { optionsOf } from '../core/options.ts';
import { broadcastShapes, sameShape, sizeOf } from '../core/shape.ts';
import type { Tensor } from '../graph/trace.ts';
import { broadcastTo } from '../ops/symbolic.ts';
import { emitter, type Operand, resolve, tracerOf } from './apply.ts';

/** Which operands are stored transposed. */
export interface MatmulOptions {
  /** a is (..., k, m). */
  readonly transposeA?: boolean;
  /** b is (..., n, k). */
  readonly transposeB?: boolean;
}

const checkMatmul = optionsOf<MatmulOptions>('matmul', { transposeA: flag, transposeB: flag });

/**
 * Matrix product over the last two dimensions, (..., m, k) x (..., k, n) -> (..., m, n);
 * dimensions before them broadcast.
 */
export function matmul(a: Operand, b: Operand, options?: MatmulOptions): Tensor {
  const { transposeA = false, transposeB = false } = checkMatmul(options);
  const tracer = tracerOf('matmul', [a, b]);
  let [x, y] = [resolve(tracer, a), resolve(tracer, b)];
  const [batchX, batchY] = [x.shape.slice(0, -2), y.shape.slice(0, -2)];
  if (!sameShape(batchX, batchY) && sizeOf(batchX) !== 1 && sizeOf(batchY) !== 1) {
    const batch = broadcastShapes(batchX, batchY, 'matmul: the batch');
    const repeat = (t: Tensor) => broadcastTo(emitter(tracer), t, [...batch, ...t.shape.slice(-2)]) as Tensor;
    [x, y] = [repeat(x), repeat(y)];
  }
  return tracer.apply('matmul', [x, y], { transposeA, transposeB });
}
