import { listOf, real, required, whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { annealed } from './rate.ts';

// Steps are counted from 1. The rate of step s is that of torch's scheduler after s - 1 calls of its step().

/** Options of cosine(). */
export interface CosineOptions {
  /** The highest rate. */
  readonly lr: number;
  /** Steps in all. */
  readonly total: number;
  /** Steps in which the rate rises; 0 if not given. */
  readonly warmup?: number;
  /** The rate that it falls to; 0 if not given. */
  readonly least?: number;
}

const lr = required(real(0));
const checkCosine = optionsOf<CosineOptions>('cosine', {
  ...{ lr, total: required(whole(1)), warmup: whole(0), least: real(0) },
});

/**
 * Rises linearly to `lr` over `warmup` steps, then falls along half a cosine towards `least`, where it stays after step `total`.
 * Without warm-up it is what torch's CosineAnnealingLR gives, stepped after each of `total` steps: the first step has `lr`, and
 * `least` would be the rate of step `total + 1`. Torch's climbs again after that.
 */
export function cosine(options: CosineOptions): (step: number) => number {
  const { lr, total, warmup = 0, least = 0 } = checkCosine(options);
  if (!(total > warmup && warmup >= 0))
    fail(
      'invalid_argument',
      `cosine: ${warmup} warm-up steps of ${total} in all; expected fewer than in all`,
    );
  return (step) => {
    if (step <= warmup) return (lr * step) / warmup;
    const done = Math.min(1, (step - 1 - warmup) / (total - warmup));
    return annealed(lr, least, done);
  };
}

/** Options of cosineRestarts(). */
export interface CosineRestartsOptions {
  /** The highest rate, at the beginning and after each restart. */
  readonly lr: number;
  /** Steps until the first restart. */
  readonly t0: number;
  /** How much longer each time is than the one before, a whole number; 1 if not given. */
  readonly tMult?: number;
  /** The rate that it falls towards; 0 if not given. */
  readonly etaMin?: number;
}

const checkRestarts = optionsOf<CosineRestartsOptions>('cosineRestarts', {
  ...{ lr, t0: required(whole(1)), tMult: whole(1), etaMin: real(0) },
});

/** Half cosines with jumps back to `lr`; as torch's CosineAnnealingWarmRestarts. It never ends. */
export function cosineRestarts(options: CosineRestartsOptions): (step: number) => number {
  const { lr, t0, tMult = 1, etaMin = 0 } = checkRestarts(options);
  return (step) => {
    let [at, length] = [step - 1, t0];
    if (tMult === 1) at %= t0;
    else
      while (at >= length) {
        at -= length;
        length *= tMult;
      }
    return annealed(lr, etaMin, at / length);
  };
}

/** Options of constant(). */
export interface ConstantOptions {
  /** The rate after `totalIters` steps. */
  readonly lr: number;
  /** What the rate is multiplied by before; 1/3 if not given. */
  readonly factor?: number;
  /** Steps with the other rate; 5 if not given. */
  readonly totalIters?: number;
}

const totalIters = whole(0);
const checkConstant = optionsOf<ConstantOptions>('constant', { lr, factor: real(0, 1), totalIters });

/** `factor * lr` for `totalIters` steps, `lr` after that; as torch's ConstantLR. A rate that never changes is a number. */
export function constant(options: ConstantOptions): (step: number) => number {
  const { lr, factor = 1 / 3, totalIters = 5 } = checkConstant(options);
  return (step) => (step <= totalIters ? lr * factor : lr);
}

/** Options of linear(). */
export interface LinearOptions {
  /** The rate that the factors multiply. */
  readonly lr: number;
  /** The first step's; 1/3 if not given. */
  readonly startFactor?: number;
  /** That after `totalIters` steps; 1 if not given. */
  readonly endFactor?: number;
  /** Steps until then; 5 if not given. */
  readonly totalIters?: number;
}

const checkLinear = optionsOf<LinearOptions>('linear', {
  ...{ lr, startFactor: real(0, 1), endFactor: real(0, 1), totalIters: whole(1) },
});

/** Linear warm-up, or decay: from `startFactor * lr` to `endFactor * lr`, where it stays; as torch's LinearLR. */
export function linear(options: LinearOptions): (step: number) => number {
  const { lr, startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = checkLinear(options);
  return (step) => lr * (startFactor + (endFactor - startFactor) * Math.min(1, (step - 1) / totalIters));
}

/** Options of step(). */
export interface StepOptions {
  /** The first rate. */
  readonly lr: number;
  /** Steps from one fall to the next. */
  readonly stepSize: number;
  /** What the rate is multiplied by each time; 0.1 if not given. */
  readonly gamma?: number;
}

const gamma = real(0);
const checkStep = optionsOf<StepOptions>('step', { lr, stepSize: required(whole(1)), gamma });

/** Falls by a factor every `stepSize` steps, on and on; as torch's StepLR. */
export function step(options: StepOptions): (step: number) => number {
  const { lr, stepSize, gamma = 0.1 } = checkStep(options);
  return (step) => lr * gamma ** Math.floor((step - 1) / stepSize);
}

/** Options of multiStep(). */
export interface MultiStepOptions {
  /** The first rate. */
  readonly lr: number;
  /** Numbers of steps after which the rate falls. */
  readonly milestones: readonly number[];
  /** What it is multiplied by each time; 0.1 if not given. */
  readonly gamma?: number;
}

const checkMultiStep = optionsOf<MultiStepOptions>('multiStep', {
  ...{ lr, milestones: required(listOf(whole(0))), gamma },
});

/** Falls by a factor after each of these numbers of steps, and stays after the last; as torch's MultiStepLR. */
export function multiStep(options: MultiStepOptions): (step: number) => number {
  const { lr, milestones, gamma = 0.1 } = checkMultiStep(options);
  return (step) => lr * gamma ** milestones.filter((m) => m < step).length;
}

/** Options of exponential(). */
export interface ExponentialOptions {
  /** The first rate. */
  readonly lr: number;
  /** What the rate is multiplied by after each step. */
  readonly gamma: number;
}

const checkExponential = optionsOf<ExponentialOptions>('exponential', { lr, gamma: required(gamma) });

/** Falls by a factor after each step, on and on; as torch's ExponentialLR. */
export function exponential(options: ExponentialOptions): (step: number) => number {
  const { lr, gamma } = checkExponential(options);
  return (step) => lr * gamma ** (step - 1);
}

/** Options of polynomial(). */
export interface PolynomialOptions {
  /** The first rate. */
  readonly lr: number;
  /** Steps until the rate is 0; 5 if not given. */
  readonly totalIters?: number;
  /** The exponent: 1, a straight line, if not given. */
  readonly power?: number;
}

const checkPolynomial = optionsOf<PolynomialOptions>('polynomial', {
  ...{ lr, totalIters: whole(1), power: real(0) },
});

/** `lr * (1 - steps / totalIters) ** power`, and 0 after `totalIters` steps; as torch's PolynomialLR. */
export function polynomial(options: PolynomialOptions): (step: number) => number {
  const { lr, totalIters = 5, power = 1 } = checkPolynomial(options);
  return (step) => lr * (1 - Math.min(totalIters, step - 1) / totalIters) ** power;
}
