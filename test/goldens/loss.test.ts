import { distillation } from '../../src/distill.ts';
import { logSoftmax } from '../../src/functions/index.ts';
import type { Tensor } from '../../src/graph/trace.ts';
import * as nn from '../../src/nn/index.ts';
import { type Call, judge } from './kit.ts';

const of =
  (loss: (options: never) => nn.Loss): Call =>
  ([x, t], attrs) =>
    loss(attrs)(x, t);

/** PyTorch ignores -100 unasked. */
const ignoring = (attrs: object): nn.ClassOptions => ({ ignoreIndex: -100, ...attrs });

judge('loss', {
  cross_entropy: ([x, t], attrs) => nn.crossEntropyLoss(ignoring(attrs))(x, t),
  nll: ([x, t]: Tensor[], attrs) => nn.nllLoss(ignoring(attrs))(logSoftmax(x), t),
  mse: of(nn.mseLoss),
  l1: of(nn.l1Loss),
  smooth_l1: of(nn.smoothL1Loss),
  huber: of(nn.huberLoss),
  soft_margin: of(nn.softMarginLoss),
  hinge_embedding: of(nn.hingeEmbeddingLoss),
  poisson_nll: of(nn.poissonNllLoss),
  bce: of(nn.bceLoss),
  bce_with_logits: of(nn.bceWithLogitsLoss),
  multi_label: of(nn.multiLabelSoftMarginLoss),
  kl_div: of(nn.klDivLoss),
  margin_ranking: ([input1, input2, t], how) => nn.marginRankingLoss(how)({ input1, input2 }, t),
  cosine_embedding: ([input1, input2, t], how) => nn.cosineEmbeddingLoss(how)({ input1, input2 }, t),
  triplet: ([anchor, positive, negative], how) =>
    nn.tripletMarginLoss(how)({ anchor, positive, negative }, anchor),
  sigmoid_focal: of(nn.sigmoidFocalLoss),
  distill: ([student, teacher, t], how) =>
    distillation(student, teacher, t, {
      loss: nn.crossEntropy,
      ...(how as { temperature: number; alpha: number }),
    }),
});
