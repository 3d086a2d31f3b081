import { oneOf, positive, real } from '../core/checks.ts';
import { type Checks, optionsOf } from '../core/options.ts';
import { mean, sum } from '../functions/index.ts';
import type { Tensor } from '../graph/trace.ts';
import type { OpName } from '../ops/index.ts';
import type { TensorType } from '../ops/op.ts';
import type { Values } from './module.ts';

/** How the losses of the elements (or rows) become one number. */
export interface LossOptions {
  /** 'mean' if not given. */
  readonly reduction?: 'mean' | 'sum';
}

const lossChecks: Checks<LossOptions> = { reduction: oneOf('mean', 'sum') };
const checkMse = optionsOf<LossOptions>('mseLoss', lossChecks);
const checkBce = optionsOf<LossOptions>('bceWithLogitsLoss', lossChecks);

/**
 * A loss: a function from the model's output and the target to one number. Where a model has several outputs, or the data several
 * targets, it gets them by their names: `({ logits, value }, { next, reward }) => ...`.
 */
export interface Loss<O extends Values = Tensor, T extends Values = Tensor> {
  (output: O, target: T): Tensor;
  /** The type of the target without a name, for a given output without one; the output's own type if not given. */
  readonly target?: (output: TensorType) => TensorType;
}

const reduced = (loss: Tensor, { reduction = 'mean' }: LossOptions) =>
  reduction === 'sum' ? sum(loss) : mean(loss);

const apply = (op: OpName, output: Tensor, target: Tensor, attrs?: object) =>
  output.tracer.apply(op, [output, target], attrs);

const elementwise =
  (op: OpName, options: LossOptions, attrs?: object): Loss =>
  (output, target) =>
    reduced(apply(op, output, target, attrs), options);

/** Options of crossEntropyLoss(). */
export interface CrossEntropyOptions extends LossOptions {
  /** Share of each target spread evenly over all classes. */
  readonly labelSmoothing?: number;
}

const checkCrossEntropy = optionsOf<CrossEntropyOptions>('crossEntropyLoss', {
  ...lossChecks,
  labelSmoothing: real(0, 1),
});

/** Softmax cross-entropy of logits (..., classes) against class numbers i32 (...). */
export function crossEntropyLoss(given?: CrossEntropyOptions): Loss {
  const options = checkCrossEntropy(given);
  const attrs = { labelSmoothing: options.labelSmoothing ?? 0 };
  return Object.assign(
    (output: Tensor, target: Tensor) => reduced(apply('cross_entropy', output, target, attrs), options),
    { target: (output: TensorType): TensorType => ({ dtype: 'i32', shape: output.shape.slice(0, -1) }) },
  );
}

/** Mean of (output - target)^2. */
export const mseLoss = (options?: LossOptions): Loss => elementwise('mse', checkMse(options));
/** Binary cross-entropy of sigmoid(output) against targets from 0 to 1. */
export const bceWithLogitsLoss = (options?: LossOptions): Loss =>
  elementwise('bce_with_logits', checkBce(options));

/** Options of huberLoss(). */
export interface HuberOptions extends LossOptions {
  /** Where the loss turns from square to straight; 1 if not given. */
  readonly delta?: number;
}

const checkHuber = optionsOf<HuberOptions>('huberLoss', {
  ...lossChecks,
  delta: positive,
});

/** Square within delta of the target, straight outside. */
export function huberLoss(options?: HuberOptions): Loss {
  const { delta = 1, ...how } = checkHuber(options);
  return elementwise('huber', how, { delta });
}

/** crossEntropyLoss() with its defaults. */
export const crossEntropy: Loss = crossEntropyLoss();
/** mseLoss() with its defaults. */
export const mse: Loss = mseLoss();
/** bceWithLogitsLoss() with its defaults. */
export const bceWithLogits: Loss = bceWithLogitsLoss();
/** huberLoss() with its defaults: delta 1. */
export const huber: Loss = huberLoss();
