import { real } from '../core/checks.ts';
import type { Checks } from '../core/options.ts';
import type { OpName } from '../ops/index.ts';
import { type Observation, type Rate, rateCheck } from './rate.ts';

/**
 * Which parameters, by their names in the state dict: a name or the name of a layer ('head' is 'head.weight' and 'head.bias', not
 * 'header.weight'; so is 'head.'), an expression (/bias$/), or a function of the name.
 */
export type Match = string | RegExp | ((name: string) => boolean);

/** Parameters, and whether they are trained. */
export interface GroupRule {
  /** Which parameters. */
  readonly match: Match;
  /** They stay as they are, and no gradient is computed for them. */
  readonly frozen?: boolean;
}

/** The parameter groups of an optimizer. */
export interface Groups {
  /** As they were given. */
  readonly rules: readonly GroupRule[];
  /** What updates a parameter, the same object for all parameters of one group: `others` where no entry matches; undefined where it is frozen. */
  of(name: string, others: Optimizer): Optimizer | undefined;
}

/** How parameters are updated: one in-place op over all of a group, and what it is told at each step. */
export interface Optimizer {
  /** The op that updates the parameters in place, or finds the way that `each` goes. */
  readonly op: Extract<
    OpName,
    'sgd' | 'adam' | 'adamw' | 'rmsprop' | 'adagrad' | 'adadelta' | 'nadam' | 'lion' | 'amsgrad' | 'lamb'
  >;
  /** Its attributes, the same at every step. */
  readonly attrs: object;
  /** Moments it keeps for each parameter, by name, in the op's order. */
  readonly moments: readonly string[];
  /** What moments begin with, where that is not 0. */
  readonly initial?: Readonly<Record<string, number>>;
  /** The op that goes a parameter's way, for each parameter alone; absent where `op` does it for all. */
  readonly each?: Extract<OpName, 'lamb_step'>;
  /** Which parameters are updated otherwise, or not at all; absent: none. */
  readonly groups?: Groups;
  /** Writes the op's `hyper` values (see ops/optimizer.ts) for step `step`, counted from 1. */
  hyper(step: number, into: Float32Array, observed?: readonly Observation[]): void;
}

/** What all optimizers take. */
export interface OptimizerOptions {
  /** Learning rate, or one for each step. */
  readonly lr?: Rate;
  /** Weight decay; each optimizer's documentation says how it acts. */
  readonly weightDecay?: number;
}

export const optimizerChecks: Checks<OptimizerOptions> = { lr: rateCheck, weightDecay: real(0) };
