import { flag, pair, real } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import type { Checks } from '../core/options.ts';
import { optimizerOf } from './groups.ts';
import { type Optimizer, type OptimizerOptions, optimizerChecks } from './optimizer.ts';
import { rateAt } from './rate.ts';

/** Options of sgd(). */
export interface SgdOptions extends OptimizerOptions {
  /** Share of the last update that is kept; 0 if not given. */
  readonly momentum?: number;
  /** Whether momentum takes Nesterov's step; off if not given. */
  readonly nesterov?: boolean;
  /** Share of each gradient but the first that momentum leaves out; 0 if not given. */
  readonly dampening?: number;
}

/** What optimizers with two moments take. */
export interface MomentsOptions extends OptimizerOptions {
  /** Decay of the mean and of the mean square of gradients; 0.9 and 0.999 if not given. */
  readonly betas?: readonly [number, number];
  /** Added to the root of the mean square; 1e-8 if not given. */
  readonly eps?: number;
}

/** Options of adam() and adamw(). */
export interface AdamOptions extends MomentsOptions {
  /** Divide by the root of the largest mean square so far (Reddi et al. 2018); off if not given. */
  readonly amsgrad?: boolean;
}

export const betas = pair(real(0, 1 - 2 ** -24));
export const momentsChecks: Checks<MomentsOptions> = { ...optimizerChecks, betas, eps: real(0, 1) };
const adamChecks: Checks<AdamOptions> = { ...momentsChecks, amsgrad: flag };

/** Stochastic gradient descent, with optional momentum and Nesterov's step; as torch.optim.SGD. */
export const sgd = optimizerOf<SgdOptions>(
  'sgd',
  { ...optimizerChecks, momentum: real(0, 1), nesterov: flag, dampening: real(0, 1) },
  ({ lr = 1e-3, momentum = 0, nesterov = false, dampening = 0, weightDecay = 0 }) => {
    if (nesterov && (momentum === 0 || dampening > 0))
      fail(
        'invalid_argument',
        `sgd: nesterov is true, momentum ${momentum} and dampening ${dampening}; expected a momentum above 0 for it, and no dampening`,
      );
    rateAt(lr, 1);
    return {
      op: 'sgd',
      attrs: { momentum, nesterov, weightDecay, ...(dampening > 0 && { dampening }) },
      moments: momentum > 0 ? ['momentum'] : [],
      hyper(step, into, observed) {
        into.fill(rateAt(lr, step, observed), 0, 2);
        into[2] = step === 1 ? 0 : dampening;
      },
    };
  },
);

/** What a mean that begins at 0 is multiplied by: computed in f64, where 1 - beta^step loses no digits. */
export const correction = (beta: number, step: number): number => 1 / (1 - beta ** step);

const adamLike = (op: 'adam' | 'adamw', defaultDecay: number) =>
  optimizerOf<AdamOptions>(
    op,
    adamChecks,
    ({
      lr = 1e-3,
      betas = [0.9, 0.999],
      eps = 1e-8,
      weightDecay = defaultDecay,
      amsgrad = false,
    }): Optimizer => {
      const [beta1, beta2] = betas;
      rateAt(lr, 1);
      const attrs = { beta1, beta2, eps, weightDecay };
      const hyper: Optimizer['hyper'] = (step, into, observed) => {
        const rate = rateAt(lr, step, observed);
        into[0] = rate;
        into[1] = rate / (1 - beta1 ** step);
        into[2] = 1 / Math.sqrt(1 - beta2 ** step);
      };
      if (!amsgrad) return { op, attrs, moments: ['exp_avg', 'exp_avg_sq'], hyper };
      return {
        op: 'amsgrad',
        attrs: { ...attrs, decoupled: op === 'adamw', centered: false },
        moments: ['exp_avg', 'exp_avg_sq', 'max_exp_avg_sq'],
        hyper,
      };
    },
  );

/** Adam (Kingma & Ba 2015); weight decay is added to the gradient; as torch.optim.Adam. */
export const adam = adamLike('adam', 0);

/** AdamW (Loshchilov & Hutter 2019); weight decay acts on the parameters alone; as torch.optim.AdamW. */
export const adamw = adamLike('adamw', 1e-2);
