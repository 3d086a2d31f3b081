import { oneOf } from '../../core/checks.ts';
import { fail } from '../../core/errors.ts';
import type { Checks } from '../../core/options.ts';
import { sameShape, showShape } from '../../core/shape.ts';
import { emitter } from '../../functions/apply.ts';
import { mean, mul, reshape, scale, sum } from '../../functions/index.ts';
import { Tensor } from '../../graph/trace.ts';
import type { OpName } from '../../ops/index.ts';
import type { TensorType } from '../../ops/op.ts';
import { broadcastTo } from '../../ops/symbolic.ts';
import type { Values } from '../module.ts';

/** How the losses of the elements (or rows) become one number. */
export interface LossOptions {
  /** 'mean' if not given. 'none' leaves a loss for each: for functions that go on from there, since a training needs one number. */
  readonly reduction?: 'mean' | 'sum' | 'none';
}

export const lossChecks: Checks<LossOptions> = { reduction: oneOf('mean', 'sum', 'none') };

/** A target with a weight for each sample; a mean is then divided by the sum of the weights. */
export type Weighted = {
  /** What each sample should have given. */
  readonly target: Tensor;
  /** f32, one number for each sample. */
  readonly weight: Tensor;
};

/** What losses of one output take: the target, or the target with weights. */
export type Target = Tensor | Weighted;

/**
 * A loss: a function from the model's output and the target to one number. Where a model has several outputs, or the data several
 * targets, it gets them by their names: `({ logits, value }, { next, reward }) => ...`.
 */
export interface Loss<O extends Values = Tensor, T extends Values = Target> {
  (output: O, target: T): Tensor;
  /** The type of the target without a name, for a given output without one; the output's own type if not given. */
  readonly target?: (output: TensorType) => TensorType;
}

/** The target, and the weights of the samples if there are any. Throws 'invalid_argument' for a record of other names. */
export function targetOf(of: string, given: Target): { target: Tensor; weight?: Tensor } {
  if (given instanceof Tensor) return { target: given };
  const names = Object.keys(given);
  if (names.length !== 2 || !(given.target instanceof Tensor) || !(given.weight instanceof Tensor))
    fail(
      'invalid_argument',
      `${of}: the targets are ${names.join(', ')}; expected one without a name, or { target, weight }`,
    );
  return given;
}

export const apply = (op: OpName, inputs: readonly Tensor[], attrs?: object): Tensor =>
  inputs[0].tracer.apply(op, inputs, attrs);

/** Weights of samples beside losses (batch, ...): of their shape. */
function beside(of: string, losses: Tensor, weight: Tensor): Tensor {
  const [batch] = losses.shape;
  if (losses.shape.length === 0 || !sameShape(weight.shape, [batch]))
    fail(
      'shape_mismatch',
      `${of}: the weights are ${showShape(weight.shape)}, expected one for each sample: [${batch ?? ''}]`,
    );
  const column = reshape(
    weight,
    losses.shape.map((n, i) => (i === 0 ? n : 1)),
  );
  return broadcastTo(emitter(losses.tracer), column, losses.shape) as Tensor;
}

/**
 * Losses reduced. `counts` says how much each counts: a mean is over that. Both are of one shape; losses without counts are means over
 * all, or of weighted samples over those.
 */
export function reduced(
  of: string,
  losses: Tensor,
  { reduction = 'mean' }: LossOptions,
  { counts, weight }: { counts?: Tensor; weight?: Tensor } = {},
): Tensor {
  const samples = weight && beside(of, losses, weight);
  const each = samples && counts ? mul(counts, samples) : (samples ?? counts);
  const weighted = samples ? mul(losses, samples) : losses;
  if (reduction === 'none') return weighted;
  if (reduction === 'sum') return sum(weighted);
  return each ? apply('mean_over', [weighted, each]) : mean(weighted);
}

/** The same for a loss of each element of the output, which `factor` multiplies in the end. */
export function elements(
  of: string,
  op: OpName,
  attrs: object,
  options: LossOptions,
  { rescale = (x: Tensor) => x, factor = 1 } = {},
): Loss {
  return (output, given) => {
    const { target, weight } = targetOf(of, given);
    const losses = rescale(apply(op, [output, target], attrs));
    const made = reduced(of, losses, options, { weight });
    return factor === 1 ? made : scale(made, factor);
  };
}
