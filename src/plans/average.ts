import { real, whole } from '../core/checks.ts';
import { nested } from '../core/options.ts';
import type { Tell } from '../optim/rate.ts';

/** A mean of the weights of all steps. */
export interface AverageOptions {
  /**
   * How much of the mean is kept when a step's weights come in: an exponential moving average, such as 0.999. Not given: the plain mean
   * (stochastic weight averaging, Izmailov et al. 2018).
   */
  readonly decay?: number;
  /** The step whose weights are the first; until then the mean is the weights. 1 if not given. */
  readonly start?: number;
  /** Takes in the weights of every so many steps from there; 1 if not given. */
  readonly every?: number;
}

export const averageCheck = nested<AverageOptions>("train's average", {
  ...{ decay: real(0, 1), start: whole(1), every: whole(1) },
});

/** How much of the way the mean goes to a step's weights; as torch's AveragedModel, whose first update copies. */
export function averaging({ decay, start = 1, every = 1 }: AverageOptions): Tell {
  return (step, into) => {
    const updates = Math.floor((step - start) / every);
    if (step <= start) into[0] = 1;
    else if ((step - start) % every !== 0) into[0] = 0;
    else into[0] = decay === undefined ? 1 / (updates + 1) : 1 - decay;
  };
}
