import { whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { expectValue } from '../core/options.ts';
import type { Tensor } from '../graph/trace.ts';
import type { Operand } from './apply.ts';
import { le, where } from './compare.ts';
import { tensorOf } from './shape.ts';

const DIAGONAL = whole(-(2 ** 30), 2 ** 30);

/** The row, and the column, of each element of the last two axes, counted from the diagonal on. */
function places(name: string, x: Operand, diagonal: number) {
  expectValue(name, 'diagonal', diagonal, DIAGONAL);
  const t = tensorOf(name, x);
  if (t.shape.length < 2) fail('shape_mismatch', `${name}: got [${t.shape}], expected matrices`);
  const [m, n] = t.shape.slice(-2);
  const counted = (length: number, from: number, shape: number[]) =>
    t.tracer.constant(
      Int32Array.from({ length }, (_, i) => from + i),
      { dtype: 'i32', shape },
    );
  return { t, last: counted(m, diagonal, [m, 1]), column: counted(n, 0, [n]) };
}

/** The lower triangle of matrices (..., m, n) up to a diagonal, above the main one if positive; the rest is 0 (torch.tril). f32 or i32. */
export function tril(x: Operand, diagonal = 0): Tensor {
  const { t, last, column } = places('tril', x, diagonal);
  return where(le(column, last), t, 0);
}

/** The upper triangle of matrices (..., m, n) from a diagonal on, above the main one if positive; the rest is 0 (torch.triu). f32 or i32. */
export function triu(x: Operand, diagonal = 0): Tensor {
  const { t, last, column } = places('triu', x, diagonal);
  return where(le(last, column), t, 0);
}
