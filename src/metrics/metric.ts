import { callback, check, object, text } from '../core/checks.ts';

/** Numbers in an array of any kind. */
export type Numbers = ArrayLike<number>;

/**
 * What is measured of a model's answers. It is gathered over batches as counts and sums, so that it is the same for any batch size.
 */
export interface Metric<T = number> {
  /** What it is called in reports. */
  readonly name: string;
  /** Which way is better. */
  readonly mode: 'max' | 'min';
  /** Begins to gather. */
  start(): Gathering<T>;
}

/** A metric over the batches so far. */
export interface Gathering<T = number> {
  /** Takes in the answers to some samples, (samples x answers of one) row-major, and their targets. Throws 'shape_mismatch' where they don't fit. */
  add(outputs: Numbers, targets: Numbers): void;
  /** The metric of all that was taken in. */
  value(): T;
}

/** A metric of all samples at once. */
export function measure<T>(metric: Metric<T>, outputs: Numbers, targets: Numbers): T {
  const gathering = metric.start();
  gathering.add(outputs, targets);
  return gathering.value();
}

export const isMetric = check(
  'a metric, such as metrics.accuracy()',
  (x) => object(x) && callback((x as Metric).start) && text((x as Metric).name),
);
