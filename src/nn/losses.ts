import { mean, sum } from '../graph/functions.ts';
import type { Tensor } from '../graph/trace.ts';
import type { OpName } from '../ops/index.ts';
import type { TensorType } from '../ops/op.ts';

/** How the losses of the elements (or rows) become one number. */
export interface LossOptions {
  /** 'mean' if not given. */
  readonly reduction?: 'mean' | 'sum';
}

/** A loss: a function from the model's output and the target to one number. */
export interface Loss {
  (output: Tensor, target: Tensor): Tensor;
  /** The target's type for a given output; the output's own type if not given. */
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

export interface CrossEntropyOptions extends LossOptions {
  /** Share of each target spread evenly over all classes. */
  readonly labelSmoothing?: number;
}

/** Softmax cross-entropy of logits (..., classes) against class numbers i32 (...). */
export function crossEntropyLoss(options: CrossEntropyOptions = {}): Loss {
  const attrs = { labelSmoothing: options.labelSmoothing ?? 0 };
  return Object.assign(
    (output: Tensor, target: Tensor) => reduced(apply('cross_entropy', output, target, attrs), options),
    { target: (output: TensorType): TensorType => ({ dtype: 'i32', shape: output.shape.slice(0, -1) }) },
  );
}

/** Mean of (output - target)^2. */
export const mseLoss = (options: LossOptions = {}): Loss => elementwise('mse', options);
/** Binary cross-entropy of sigmoid(output) against targets from 0 to 1. */
export const bceWithLogitsLoss = (options: LossOptions = {}): Loss => elementwise('bce_with_logits', options);
/** Square within delta of the target, straight outside. */
export const huberLoss = ({ delta = 1, ...options }: LossOptions & { delta?: number } = {}): Loss =>
  elementwise('huber', options, { delta });

/** crossEntropyLoss() with its defaults. */
export const crossEntropy: Loss = crossEntropyLoss();
/** mseLoss() with its defaults. */
export const mse: Loss = mseLoss();
/** bceWithLogitsLoss() with its defaults. */
export const bceWithLogits: Loss = bceWithLogitsLoss();
/** huberLoss() with its defaults: delta 1. */
export const huber: Loss = huberLoss();
