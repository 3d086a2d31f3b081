import { flag, real } from '../core/checks.ts';
import { optimizerOf } from './groups.ts';
import { type OptimizerOptions, optimizerChecks } from './optimizer.ts';
import { rateAt } from './rate.ts';
import { betas, correction, type MomentsOptions, momentsChecks } from './sgd-adam.ts';

/** Options of rmsprop(); `lr` is 0.01 if not given. */
export interface RmspropOptions extends OptimizerOptions {
  /** How much is kept of the mean square of gradients; 0.99 if not given. */
  readonly alpha?: number;
  /** Added to its root; 1e-8 if not given. */
  readonly eps?: number;
  /** Share of the last update that is kept; 0 if not given. */
  readonly momentum?: number;
  /** Divide by the deviation instead of the root of the mean square; off if not given. */
  readonly centered?: boolean;
}

/** Options of adagrad(); `lr` is 0.01 if not given. */
export interface AdagradOptions extends OptimizerOptions {
  /** The rate is divided by 1 + (step - 1) lrDecay; 0 if not given. */
  readonly lrDecay?: number;
  /** What the sum of squares begins with; 0 if not given. */
  readonly initialAccumulatorValue?: number;
  /** Added to its root; 1e-10 if not given. */
  readonly eps?: number;
}

/** Options of adadelta(); `lr` is 1 if not given. */
export interface AdadeltaOptions extends OptimizerOptions {
  /** How much is kept of the mean squares of gradients and of steps; 0.9 if not given. */
  readonly rho?: number;
  /** Added to both before their roots are taken; 1e-6 if not given. */
  readonly eps?: number;
}

/** Options of nadam(); `lr` is 2e-3 if not given. */
export interface NadamOptions extends MomentsOptions {
  /** How fast momentum grows to its full size; 4e-3 if not given. */
  readonly momentumDecay?: number;
  /** Weight decay acts on the parameters alone, as in AdamW; off if not given. */
  readonly decoupledWeightDecay?: boolean;
}

/** Options of lion(); `lr` is 1e-4 if not given. */
export interface LionOptions extends OptimizerOptions {
  /** Share of the mean in the step, and how much of the mean is kept; 0.9 and 0.99 if not given. */
  readonly betas?: readonly [number, number];
}

const eps = real(0, 1);
const share = real(0, 1);
/** What the update ops are told, of those that use less of it. */
const unused = { beta1: 0, beta2: 0, eps: 0, decoupled: false, centered: false };

/** RMSprop (Hinton 2012); weight decay is added to the gradient; as torch.optim.RMSprop, but a variance below 0 by rounding counts as 0. */
export const rmsprop = optimizerOf<RmspropOptions>(
  'rmsprop',
  { ...optimizerChecks, alpha: share, eps, momentum: share, centered: flag },
  ({ lr = 1e-2, alpha = 0.99, eps = 1e-8, weightDecay = 0, momentum = 0, centered = false }) => {
    rateAt(lr, 1);
    return {
      op: 'rmsprop',
      attrs: { ...unused, beta1: momentum, beta2: alpha, eps, weightDecay, centered },
      moments: [
        'square_avg',
        ...(centered ? ['grad_avg'] : []),
        ...(momentum > 0 ? ['momentum_buffer'] : []),
      ],
      hyper(step, into, observed) {
        into[0] = rateAt(lr, step, observed);
      },
    };
  },
);

/** Adagrad (Duchi et al. 2011); weight decay is added to the gradient; as torch.optim.Adagrad. */
export const adagrad = optimizerOf<AdagradOptions>(
  'adagrad',
  { ...optimizerChecks, lrDecay: real(0), initialAccumulatorValue: real(0), eps },
  ({ lr = 1e-2, lrDecay = 0, initialAccumulatorValue = 0, eps = 1e-10, weightDecay = 0 }) => {
    rateAt(lr, 1);
    return {
      op: 'adagrad',
      attrs: { ...unused, eps, weightDecay },
      moments: ['sum'],
      initial: { sum: initialAccumulatorValue },
      hyper(step, into, observed) {
        into[0] = rateAt(lr, step, observed);
        into[1] = into[0] / (1 + (step - 1) * lrDecay);
      },
    };
  },
);

/** Adadelta (Zeiler 2012); weight decay is added to the gradient; as torch.optim.Adadelta. */
export const adadelta = optimizerOf<AdadeltaOptions>(
  'adadelta',
  { ...optimizerChecks, rho: share, eps },
  ({ lr = 1, rho = 0.9, eps = 1e-6, weightDecay = 0 }) => {
    rateAt(lr, 1);
    return {
      op: 'adadelta',
      attrs: { ...unused, beta2: rho, eps, weightDecay },
      moments: ['square_avg', 'acc_delta'],
      hyper(step, into, observed) {
        into[0] = rateAt(lr, step, observed);
      },
    };
  },
);

/** The product of NAdam's momenta up to a step, which most often follows the one asked for last. */
function productOf(momentum: (step: number) => number) {
  let [known, product] = [0, 1];
  return (step: number): number => {
    if (step < known) [known, product] = [0, 1];
    while (known < step) product *= momentum(++known);
    return product;
  };
}

/** NAdam (Dozat 2016): Adam with Nesterov's step; weight decay is added to the gradient; as torch.optim.NAdam. */
export const nadam = optimizerOf<NadamOptions>(
  'nadam',
  { ...momentsChecks, momentumDecay: real(0), decoupledWeightDecay: flag },
  (options) => {
    const { lr = 2e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 } = options;
    const { momentumDecay = 4e-3, decoupledWeightDecay: decoupled = false } = options;
    const [beta1, beta2] = betas;
    rateAt(lr, 1);
    const momentum = (step: number) => beta1 * (1 - 0.5 * 0.96 ** (step * momentumDecay));
    const upTo = productOf(momentum);
    return {
      op: 'nadam',
      // The decay of momentum is in no attribute of the op, but tells one training from another.
      attrs: { ...unused, beta1, beta2, eps, weightDecay, decoupled, momentumDecay },
      moments: ['exp_avg', 'exp_avg_sq'],
      hyper(step, into, observed) {
        const rate = rateAt(lr, step, observed);
        const [now, next, product] = [momentum(step), momentum(step + 1), upTo(step)];
        into[0] = rate;
        into[1] = (rate * (1 - now)) / (1 - product);
        into[2] = Math.sqrt(correction(beta2, step));
        into[3] = (rate * next) / (1 - product * next);
      },
    };
  },
);

/**
 * Lion (Chen et al. 2023, algorithm 2): a step of the learning rate in the sign of each mean gradient; weight decay acts on the
 * parameters alone. The paper takes a rate 3 to 10 times smaller than AdamW's, and a decay as much larger.
 */
export const lion = optimizerOf<LionOptions>(
  'lion',
  { ...optimizerChecks, betas },
  ({ lr = 1e-4, betas: [beta1, beta2] = [0.9, 0.99], weightDecay = 0 }) => {
    rateAt(lr, 1);
    return {
      op: 'lion',
      attrs: { ...unused, beta1, beta2, weightDecay, decoupled: true },
      moments: ['exp_avg'],
      hyper(step, into, observed) {
        into[0] = rateAt(lr, step, observed);
      },
    };
  },
);

/**
 * LAMB (You et al. 2020, algorithm 2): Adam's direction with weight decay in it, for each parameter as long as the parameter is:
 * for large batches. `eps` is 1e-6 and `weightDecay` 0.01 if not given. The trust ratio is 1 where either length is 0.
 */
export const lamb = optimizerOf<MomentsOptions>(
  'lamb',
  momentsChecks,
  ({ lr = 1e-3, betas = [0.9, 0.999], eps = 1e-6, weightDecay = 0.01 }) => {
    const [beta1, beta2] = betas;
    rateAt(lr, 1);
    return {
      op: 'lamb',
      attrs: { ...unused, beta1, beta2, eps, weightDecay, decoupled: true },
      moments: ['exp_avg', 'exp_avg_sq'],
      each: 'lamb_step',
      hyper(step, into, observed) {
        into[0] = rateAt(lr, step, observed);
        into[1] = correction(beta1, step);
        into[2] = Math.sqrt(correction(beta2, step));
      },
    };
  },
);
