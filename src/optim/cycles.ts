import { flag, oneOf, positive, real, required, whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { annealed } from './rate.ts';

/** Options of oneCycle(). */
export interface OneCycleOptions {
  /** The highest rate. */
  readonly maxLr: number;
  /** Steps in all. */
  readonly totalSteps: number;
  /** Share of the steps in which the rate rises; 0.3 if not given. */
  readonly pctStart?: number;
  /** How rates change: along half a cosine, or a straight line; 'cos' if not given. */
  readonly annealStrategy?: 'cos' | 'linear';
  /** The first rate is the highest divided by this; 25 if not given. */
  readonly divFactor?: number;
  /** The last rate is the first divided by this; 1e4 if not given. */
  readonly finalDivFactor?: number;
  /** Falls to the first rate as fast as it rose, and then to the last; off if not given. */
  readonly threePhase?: boolean;
}

const checkOneCycle = optionsOf<OneCycleOptions>('oneCycle', {
  ...{ maxLr: required(real(0)), totalSteps: required(whole(1)), pctStart: real(0, 1) },
  ...{
    annealStrategy: oneOf('cos', 'linear'),
    divFactor: positive,
    finalDivFactor: positive,
    threePhase: flag,
  },
});

/**
 * One rise and one fall (Smith & Topin 2018); as torch's OneCycleLR with `cycle_momentum` off. After step `totalSteps`, where torch's throws,
 * the rate stays at the last.
 */
export function oneCycle(options: OneCycleOptions): (step: number) => number {
  const { maxLr, totalSteps, pctStart = 0.3, annealStrategy = 'cos' } = checkOneCycle(options);
  const { divFactor = 25, finalDivFactor = 1e4, threePhase = false } = options;
  const first = maxLr / divFactor;
  const least = first / finalDivFactor;
  const rise = pctStart * totalSteps - 1;
  const last = totalSteps - 1;
  // Each phase: the step after which it ends, and the rates at its beginning and end.
  const phases: (readonly [end: number, from: number, to: number])[] = threePhase
    ? [
        [rise, first, maxLr],
        [2 * pctStart * totalSteps - 2, maxLr, first],
        [last, first, least],
      ]
    : [
        [rise, first, maxLr],
        [last, maxLr, least],
      ];
  const between =
    annealStrategy === 'cos' ? annealed : (a: number, b: number, done: number) => a + (b - a) * done;
  return (step) => {
    const at = Math.min(step - 1, last);
    const phase = Math.max(
      0,
      phases.findIndex(([end], i) => at <= end || i === phases.length - 1),
    );
    const [end, from, to] = phases[phase];
    const begin = phase === 0 ? 0 : phases[phase - 1][0];
    return end > begin ? between(from, to, (at - begin) / (end - begin)) : to;
  };
}

/** Options of cyclic(). */
export interface CyclicOptions {
  /** The lowest rate. */
  readonly baseLr: number;
  /** The highest rate, of the first cycle at least. */
  readonly maxLr: number;
  /** Steps of a rise; 2000 if not given. */
  readonly stepSizeUp?: number;
  /** Steps of a fall; as of a rise if not given. */
  readonly stepSizeDown?: number;
  /** 'triangular': all cycles alike; 'triangular2': each half as high; 'exp_range': lower by `gamma` each step. 'triangular' if not given. */
  readonly mode?: 'triangular' | 'triangular2' | 'exp_range';
  /** Of 'exp_range'; 1 if not given. */
  readonly gamma?: number;
}

const checkCyclic = optionsOf<CyclicOptions>('cyclic', {
  ...{ baseLr: required(real(0)), maxLr: required(real(0)), stepSizeUp: whole(1), stepSizeDown: whole(1) },
  ...{ mode: oneOf('triangular', 'triangular2', 'exp_range'), gamma: real(0) },
});

/** Up and down between two rates (Smith 2017), on and on; as torch's CyclicLR with `cycle_momentum` off. */
export function cyclic(options: CyclicOptions): (step: number) => number {
  const {
    baseLr,
    maxLr,
    stepSizeUp = 2000,
    stepSizeDown = stepSizeUp,
    mode = 'triangular',
    gamma = 1,
  } = checkCyclic(options);
  if (maxLr < baseLr)
    fail('invalid_argument', `cyclic: maxLr is ${maxLr}, expected at least baseLr, which is ${baseLr}`);
  const length = stepSizeUp + stepSizeDown;
  const rising = stepSizeUp / length;
  return (step) => {
    const cycle = Math.floor((step - 1) / length);
    const at = (step - 1) / length - cycle;
    const height = (maxLr - baseLr) * (at <= rising ? at / rising : (at - 1) / (rising - 1));
    const scale = { triangular: 1, triangular2: 2 ** -cycle, exp_range: gamma ** (step - 1) }[mode];
    return baseLr + height * scale;
  };
}
