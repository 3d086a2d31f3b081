import { flag, positive, real } from '../../core/checks.ts';
import { optionsOf } from '../../core/options.ts';
import { add, div, minimum, mul, norm, relu, scale, sqrt, sub, sum } from '../../functions/index.ts';
import type { Tensor } from '../../graph/trace.ts';
import type { Values } from '../module.ts';
import { type Loss, type LossOptions, lossChecks, reduced, type Target, targetOf } from './loss.ts';

/** Two outputs of one shape that are compared. */
export type PairOf = {
  /** The first. */
  readonly input1: Tensor;
  /** The second. */
  readonly input2: Tensor;
};

/** Options of losses with a margin. */
export interface MarginOptions extends LossOptions {
  /** How far apart is far enough; 0 if not given. */
  readonly margin?: number;
}

const checkRanking = optionsOf<MarginOptions>('marginRankingLoss', { ...lossChecks, margin: real() });
const checkCosine = optionsOf<MarginOptions>('cosineEmbeddingLoss', { ...lossChecks, margin: real(-1, 1) });

/** max(0, margin - target (input1 - input2)): target 1 where input1 should be the larger, else -1; torch.nn.MarginRankingLoss. */
export function marginRankingLoss(given?: MarginOptions): Loss<PairOf, Target> {
  const { margin = 0, ...options } = checkRanking(given);
  return ({ input1, input2 }, record) => {
    const { target, weight } = targetOf('marginRankingLoss', record);
    const losses = relu(sub(margin, mul(target, sub(input1, input2))));
    return reduced('marginRankingLoss', losses, options, { weight });
  };
}

/**
 * Of rows (..., features): 1 - cos where the target is 1, max(0, cos - margin) where it is -1, targets (...); torch.nn.CosineEmbeddingLoss,
 * with its 1e-12 under the root.
 */
export function cosineEmbeddingLoss(given?: MarginOptions): Loss<PairOf, Target> {
  const { margin = 0, ...options } = checkCosine(given);
  const dot = (a: Tensor, b: Tensor) => sum(mul(a, b), { axes: -1 });
  return ({ input1, input2 }, record) => {
    const { target, weight } = targetOf('cosineEmbeddingLoss', record);
    const [a, b] = [input1, input2].map((x) => add(dot(x, x), 1e-12));
    const cosine = div(dot(input1, input2), sqrt(mul(a, b)));
    // 1 for alike, 0 for unlike.
    const alike = scale(add(target, 1), 0.5);
    const losses = add(mul(alike, sub(1, cosine)), mul(sub(1, alike), relu(sub(cosine, margin))));
    return reduced('cosineEmbeddingLoss', losses, options, { weight });
  };
}

/** Options of tripletMarginLoss(). */
export interface TripletOptions extends LossOptions {
  /** How much farther the negative should be than the positive; 1 if not given. */
  readonly margin?: number;
  /** The power of the distance; 2 if not given. */
  readonly p?: number;
  /** What is added to each difference; 1e-6 if not given. */
  readonly eps?: number;
  /** Take the distance from the positive to the negative where that is the smaller. */
  readonly swap?: boolean;
}

const checkTriplet = optionsOf<TripletOptions>('tripletMarginLoss', {
  ...{ ...lossChecks, margin: positive, p: positive, eps: real(0), swap: flag },
});

/** What tripletMarginLoss() compares: rows (..., features). */
export type Triplet = {
  /** What the others are compared with. */
  readonly anchor: Tensor;
  /** What should be near. */
  readonly positive: Tensor;
  /** What should be far. */
  readonly negative: Tensor;
};

/** max(0, d(anchor, positive) - d(anchor, negative) + margin); torch.nn.TripletMarginLoss. Targets have no say. */
export function tripletMarginLoss(given?: TripletOptions): Loss<Triplet, Values> {
  const { margin = 1, p = 2, eps = 1e-6, swap = false, ...options } = checkTriplet(given);
  const distance = (a: Tensor, b: Tensor) => norm(add(sub(a, b), eps), { p, axes: -1 });
  return ({ anchor, positive, negative }) => {
    const far = distance(anchor, negative);
    const least = swap ? minimum(far, distance(positive, negative)) : far;
    const losses = relu(add(sub(distance(anchor, positive), least), margin));
    return reduced('tripletMarginLoss', losses, options);
  };
}
