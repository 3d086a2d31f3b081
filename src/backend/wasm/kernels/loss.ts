import * as records from '../../../generated/records.ts';
import type { CrossEntropyAttrs, IgnoreAttrs, loss as rows } from '../../../ops/loss.ts';
import { rowsOf } from '../../../ops/softmax.ts';
import { count, type Kernel, type Kernels, one } from './kernel.ts';

/** The one number that a loss of elements may have, whatever its name. */
const numberOf = (attrs: object): number => (Object.values(attrs)[0] as number | undefined) ?? 0;

const forward = (kind: records.Loss): Kernel =>
  one(({ inputs: [x, t], outputs: [y], attrs }, at) =>
    records.loss({ kind, ...at({ x, t, y }), count: count(x), delta: numberOf(attrs) }),
  );

const backward = (kind: records.Loss): Kernel =>
  one(({ inputs: [dy, x, t], outputs: [dx], attrs }, at) =>
    records.lossBackward({
      kind,
      ...at({ dy, x, t, dx }),
      ...{ count: count(dy), delta: numberOf(attrs) },
    }),
  );

const ignoring = ({ ignoreIndex }: IgnoreAttrs) => ({
  ignores: ignoreIndex !== undefined,
  ignored: ignoreIndex ?? 0,
});
const targeted = ({ labelSmoothing, logChances = false, ...more }: CrossEntropyAttrs) => ({
  ...{ smoothing: labelSmoothing, logChances },
  ...ignoring(more),
});

export const loss: Kernels<typeof rows> = {
  cross_entropy: one(({ inputs: [x, targets], outputs: [y], attrs }, at) =>
    records.crossEntropy({
      ...at({ x, targets, y }),
      ...rowsOf(x.shape),
      ...targeted(attrs),
    }),
  ),
  cross_entropy_backward: one(({ inputs: [dy, x, targets], outputs: [dx], attrs }, at) =>
    records.crossEntropyBackward({
      ...at({ dy, x, targets, dx }),
      ...rowsOf(x.shape),
      ...targeted(attrs),
    }),
  ),
  target_weights: one(({ inputs: [targets, weights], outputs: [y], attrs }, at) =>
    records.targetWeights({
      ...at({ targets, y }),
      ...at({ weights }),
      ...{ count: count(y), classes: weights ? count(weights) : 0 },
      ...ignoring(attrs),
    }),
  ),
  mean_over: one(({ inputs: [x, w], outputs: [y, total] }, at) =>
    records.meanOver({ ...at({ x, w, y, total }), count: count(x), weights: count(w) }),
  ),
  mean_over_backward: one(({ inputs: [dy, total], outputs: [dx] }, at) =>
    records.meanOverBackward({ ...at({ dy, total, dx }), count: count(dx) }),
  ),
  mse: forward('mse'),
  mse_backward: backward('mse'),
  bce_with_logits: forward('bce_with_logits'),
  bce_with_logits_backward: backward('bce_with_logits'),
  huber: forward('huber'),
  huber_backward: backward('huber'),
  l1: forward('l1'),
  l1_backward: backward('l1'),
  bce: forward('bce'),
  bce_backward: backward('bce'),
  kl_div: forward('kl_div'),
  kl_div_backward: backward('kl_div'),
  kl_div_log: forward('kl_div_log'),
  kl_div_log_backward: backward('kl_div_log'),
  poisson_nll: forward('poisson_nll'),
  poisson_nll_backward: backward('poisson_nll'),
  poisson_nll_rate: forward('poisson_nll_rate'),
  poisson_nll_rate_backward: backward('poisson_nll_rate'),
  hinge_embedding: forward('hinge_embedding'),
  hinge_embedding_backward: backward('hinge_embedding'),
  soft_margin: forward('soft_margin'),
  soft_margin_backward: backward('soft_margin'),
  sigmoid_focal: forward('sigmoid_focal'),
  sigmoid_focal_backward: backward('sigmoid_focal'),
};
