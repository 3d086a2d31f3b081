import { real, required, text } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import type { Range } from './quantization.ts';

/**
 * - minmax: from the smallest to the largest value seen
 * - percentile: without the rarest values on each side, which would cost the others resolution
 */
export type CalibrationMethod =
  | { readonly method: 'minmax' }
  | { readonly method: 'percentile'; readonly percentile: number };

const BINS = 4096;

/**
 * Watches the values of one tensor. Percentiles come from a histogram whose range doubles when a value
 * falls outside (bins are merged in pairs), so one pass over the data is enough: error at most 1/2048 of the range.
 */
export class RangeObserver {
  min = Infinity;
  max = -Infinity;
  private readonly bins = new Float64Array(BINS);
  private limit = 0;
  private count = 0;

  observe(values: ArrayLike<number>, what: string): void {
    for (let i = 0; i < values.length; i++) {
      const x = values[i];
      if (!Number.isFinite(x))
        fail('invalid_data', `${what} is ${x} at position ${i} during calibration; expected finite numbers`);
      if (x < this.min) this.min = x;
      if (x > this.max) this.max = x;
      this.add(x);
    }
  }

  range(method: CalibrationMethod): Range {
    if (this.count === 0) fail('invalid_data', 'calibration saw no values; give it at least one sample');
    if (method.method === 'minmax') return { min: this.min, max: this.max };
    const drop = (1 - method.percentile / 100) * this.count;
    const width = (2 * this.limit) / BINS;
    const low = this.edge(drop, (i) => i);
    const high = this.edge(drop, (i) => BINS - 1 - i);
    return {
      min: Math.max(this.min, -this.limit + low * width),
      max: Math.min(this.max, -this.limit + (high + 1) * width),
    };
  }

  /** First bin, in the order given, at which more than `drop` values have been passed. */
  private edge(drop: number, order: (i: number) => number): number {
    let passed = 0;
    for (let i = 0; i < BINS; i++) {
      passed += this.bins[order(i)];
      if (passed > drop) return order(i);
    }
    return order(BINS - 1);
  }

  /** Bins cover [-limit, limit). */
  private add(x: number): void {
    if (this.limit === 0) this.limit = Math.max(2 * Math.abs(x), 2 ** -60);
    while (Math.abs(x) >= this.limit) this.widen();
    this.bins[Math.min(BINS - 1, Math.floor(((x + this.limit) / (2 * this.limit)) * BINS))]++;
    this.count++;
  }

  private widen(): void {
    const half = BINS / 2;
    const merged = new Float64Array(BINS);
    for (let i = 0; i < half; i++) merged[half / 2 + i] = this.bins[2 * i] + this.bins[2 * i + 1];
    this.bins.set(merged);
    this.limit *= 2;
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
