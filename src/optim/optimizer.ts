import { atOnce } from '../core/callbacks.ts';
import { callback, either, flag, pair, real } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { type Checks, optionsOf } from '../core/options.ts';
import type { OpName } from '../ops/index.ts';

/** A learning rate, or one for each step (counted from 1). */
export type Rate = number | ((step: number) => number);

/** How parameters are updated: one in-place op over all of them, and what it is told at each step. */
export interface Optimizer {
  /** The op that updates the parameters in place. */
  readonly op: Extract<OpName, 'sgd' | 'adam' | 'adamw'>;
  /** Its attributes, the same at every step. */
  readonly attrs: object;
  /** Moments it keeps for each parameter, by name, in the op's order. */
  readonly moments: readonly string[];
  /** Writes the op's `hyper` values (see ops/optimizer.ts) for step `step`, counted from 1. */
  hyper(step: number, into: Float32Array): void;
}

/** What all optimizers take. */
export interface OptimizerOptions {
  /** Learning rate, or one for each step. */
  readonly lr?: Rate;
  /** Weight decay; each optimizer's documentation says how it acts. */
  readonly weightDecay?: number;
}

/** Options of sgd(). */
export interface SgdOptions extends OptimizerOptions {
  /** Share of the last update that is kept; 0 if not given. */
  readonly momentum?: number;
  /** Whether momentum takes Nesterov's step; off if not given. */
  readonly nesterov?: boolean;
}

/** Options of adam() and adamw(). */
export interface AdamOptions extends OptimizerOptions {
  /** Decay of the mean and of the mean square of gradients; 0.9 and 0.999 if not given. */
  readonly betas?: readonly [number, number];
  /** Added to the root of the mean square; 1e-8 if not given. */
  readonly eps?: number;
}

function rateAt(rate: Rate, step: number): number {
  const lr = typeof rate === 'number' ? rate : atOnce('the function for the learning rate', rate(step));
  if (!(lr >= 0 && lr < Infinity))
    fail('out_of_range', `the learning rate of step ${step} is ${lr}, expected a finite number from 0`);
  return lr;
}

const rateChecks: Checks<OptimizerOptions> = {
  // Its range is checked for every step.
  lr: either(real(-Infinity, Infinity), callback),
  weightDecay: real(0),
};
const checkSgd = optionsOf<SgdOptions>('sgd', { ...rateChecks, momentum: real(0, 1), nesterov: flag });
const adamChecks: Checks<AdamOptions> = {
  ...rateChecks,
  betas: pair(real(0, 1 - 2 ** -24)),
  eps: real(0, 1),
};
const checkAdam = {
  adam: optionsOf<AdamOptions>('adam', adamChecks),
  adamw: optionsOf<AdamOptions>('adamw', adamChecks),
};

/** Stochastic gradient descent, with optional momentum and Nesterov's step; as torch.optim.SGD. */
export function sgd(options?: SgdOptions): Optimizer {
  const { lr = 1e-3, momentum = 0, nesterov = false, weightDecay = 0 } = checkSgd(options);
  if (nesterov && momentum === 0)
    fail('invalid_argument', 'sgd: nesterov is true and momentum 0, expected a momentum above 0 for it');
  rateAt(lr, 1);
  return {
    op: 'sgd',
    attrs: { momentum, nesterov, weightDecay },
    moments: momentum > 0 ? ['momentum'] : [],
    hyper(step, into) {
      into.fill(rateAt(lr, step), 0, 2);
    },
  };
}

function adamLike(op: 'adam' | 'adamw', options: AdamOptions | undefined, defaultDecay: number): Optimizer {
  const { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = defaultDecay } = checkAdam[op](options);
  const [beta1, beta2] = betas;
  rateAt(lr, 1);
  return {
    op,
    attrs: { beta1, beta2, eps, weightDecay },
    moments: ['exp_avg', 'exp_avg_sq'],
    hyper(step, into) {
      const rate = rateAt(lr, step);
      into[0] = rate;
      into[1] = rate / (1 - beta1 ** step);
      into[2] = 1 / Math.sqrt(1 - beta2 ** step);
    },
  };
}

/** Adam (Kingma & Ba 2015); weight decay is added to the gradient; as torch.optim.Adam. */
export const adam = (options?: AdamOptions): Optimizer => adamLike('adam', options, 0);

/** AdamW (Loshchilov & Hutter 2019); weight decay acts on the parameters alone; as torch.optim.AdamW. */
export const adamw = (options?: AdamOptions): Optimizer => adamLike('adamw', options, 1e-2);
