import { oneOf, real, required, whole } from '../core/checks.ts';
import { optionsOf } from '../core/options.ts';
import type { Observation, Schedule } from './rate.ts';

/** Options of reduceOnPlateau(). */
export interface ReduceOnPlateauOptions {
  /** The first rate. */
  readonly lr: number;
  /** Whether less is better ('min', the default) or more. */
  readonly mode?: 'min' | 'max';
  /** What the rate is multiplied by; 0.1 if not given. */
  readonly factor?: number;
  /** Observations without improvement that are put up with; 10 if not given. */
  readonly patience?: number;
  /** How much better counts as better; 1e-4 if not given. */
  readonly threshold?: number;
  /** Whether that is a share of the best value or a difference; 'rel' if not given. */
  readonly thresholdMode?: 'rel' | 'abs';
  /** Observations after a fall that do not count; 0 if not given. */
  readonly cooldown?: number;
  /** The rate never falls below; 0 if not given. */
  readonly minLr?: number;
  /** Falls by less than this are left out; 1e-8 if not given. */
  readonly eps?: number;
}

const check = optionsOf<ReduceOnPlateauOptions>('reduceOnPlateau', {
  ...{ lr: required(real(0)), mode: oneOf('min', 'max'), factor: real(0, 1 - 2 ** -24), patience: whole(0) },
  ...{
    threshold: real(0),
    thresholdMode: oneOf('rel', 'abs'),
    cooldown: whole(0),
    minLr: real(0),
    eps: real(0),
  },
});

/**
 * Falls when what is observed stops getting better; as torch's ReduceLROnPlateau. It learns by `training.observe(loss)`, which fits with
 * validation call after each. NaN is no improvement. Without observations the rate stays `lr`.
 *
 * It keeps no state: the rate follows from the observations before a step, which the training keeps, in checkpoints too.
 */
export function reduceOnPlateau(options: ReduceOnPlateauOptions): Schedule {
  const { lr, mode = 'min', factor = 0.1, patience = 10, threshold = 1e-4 } = check(options);
  const { thresholdMode = 'rel', cooldown = 0, minLr = 0, eps = 1e-8 } = options;
  const sign = mode === 'min' ? 1 : -1;
  const isBetter = (value: number, best: number) => {
    if (best === sign * Infinity) return sign * value < Infinity;
    const margin = thresholdMode === 'abs' ? threshold : threshold * best * sign;
    return sign * value < sign * best - margin;
  };
  return (step: number, observed: readonly Observation[] = []) => {
    let [rate, best, bad, cooling] = [lr, sign * Infinity, 0, 0];
    for (const { step: at, value } of observed) {
      if (at >= step) break;
      if (isBetter(value, best)) {
        best = value;
        bad = 0;
      } else bad++;
      if (cooling > 0) {
        cooling--;
        bad = 0;
      }
      if (bad > patience) {
        const lower = Math.max(rate * factor, minLr);
        if (rate - lower > eps) rate = lower;
        cooling = cooldown;
        bad = 0;
      }
    }
    return rate;
  };
}
