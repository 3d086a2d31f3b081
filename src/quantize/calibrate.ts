import { real, required, text } from '../core/checks.ts';
import { dtypeOf } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { Histogram } from './histogram.ts';
import type { Range } from './quantization.ts';

/**
 * - minmax: from the smallest to the largest value seen
 * - percentile: without the rarest values on each side, which would cost the others resolution
 */
export type CalibrationMethod =
  | { readonly method: 'minmax' }
  | { readonly method: 'percentile'; readonly percentile: number };

/** Watches the values of one tensor, in one pass over the data. */
export class RangeObserver {
  min = Infinity;
  max = -Infinity;
  private readonly seen = new Histogram();

  observe(values: ArrayLike<number>, what: string): void {
    for (let i = 0; i < values.length; i++) {
      const x = values[i];
      if (!Number.isFinite(x))
        fail('invalid_data', `${what} is ${x} at position ${i} during calibration; expected finite numbers`);
      if (x < this.min) this.min = x;
      if (x > this.max) this.max = x;
    }
    this.seen.add(dtypeOf(values) === 'f32' ? (values as Float32Array) : Float32Array.from(values));
  }

  /** Percentiles are exact but for the width of a bin: 0.1 % of the value. */
  range(method: CalibrationMethod): Range {
    const { min, max, seen } = this;
    if (seen.count === 0) fail('invalid_data', 'calibration saw no values; give it at least one sample');
    if (method.method === 'minmax') return { min, max };
    const drop = (1 - method.percentile / 100) * seen.count;
    return { min: Math.max(min, seen.low(drop)), max: Math.min(max, seen.high(drop)) };
  }
}

const checkNames = optionsOf<{ method: string; percentile?: number }>("quantize's method", {
  method: required(text),
  percentile: real(),
});

export function checkMethod(method: CalibrationMethod): void {
  checkNames(method);
  if (method.method === 'minmax') return;
  if (method.method !== 'percentile')
    fail(
      'invalid_argument',
      `calibration method '${(method as { method: string }).method}' is unknown; expected 'minmax' or 'percentile'`,
    );
  if (!(method.percentile > 50 && method.percentile <= 100))
    fail('out_of_range', `percentile is ${method.percentile}, expected a number above 50, up to 100`);
}
