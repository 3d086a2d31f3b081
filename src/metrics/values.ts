import { fail } from '../core/errors.ts';
import type { Metric, Numbers } from './metric.ts';

function expectPairs(name: string, outputs: Numbers, targets: Numbers): void {
  if (outputs.length !== targets.length)
    fail(
      'shape_mismatch',
      `${name}: got ${outputs.length} answers for ${targets.length} targets, expected one each`,
    );
}

/** The mean of what each value is off by, and what becomes of it. */
const meanOf = (
  name: string,
  off: (difference: number) => number,
  finish = (mean: number) => mean,
): Metric => ({
  name,
  mode: 'min',
  start() {
    let [sum, count] = [0, 0];
    return {
      add(outputs, targets) {
        expectPairs(name, outputs, targets);
        for (let i = 0; i < targets.length; i++) sum += off(outputs[i] - targets[i]);
        count += targets.length;
      },
      value: () => (count === 0 ? 0 : finish(sum / count)),
    };
  },
});

/** Mean absolute error, over all values. */
export const mae = (): Metric => meanOf('mae', Math.abs);
/** Mean squared error, over all values. */
export const mse = (): Metric => meanOf('mse', (d) => d * d);
/** Root of the mean squared error. */
export const rmse = (): Metric => meanOf('rmse', (d) => d * d, Math.sqrt);

/**
 * The coefficient of determination, 1 - sum (target - answer)^2 / sum (target - mean)^2, of all values together. Where all targets are
 * the same it is 1 for right answers, else 0, as scikit-learn's r2_score.
 */
export const r2 = (): Metric => ({
  name: 'r2',
  mode: 'max',
  start() {
    // Welford's way: the mean so far, and the squares around it.
    let [count, mean, around, off] = [0, 0, 0, 0];
    return {
      add(outputs, targets) {
        expectPairs('r2', outputs, targets);
        for (let i = 0; i < targets.length; i++) {
          const delta = targets[i] - mean;
          mean += delta / ++count;
          around += delta * (targets[i] - mean);
          off += (targets[i] - outputs[i]) ** 2;
        }
      },
      value() {
        if (around > 0) return 1 - off / around;
        return off === 0 ? 1 : 0;
      },
    };
  },
});
