import * as records from '../../../generated/records.ts';
import type { loss as rows } from '../../../ops/loss.ts';
import { rowsOf } from '../../../ops/softmax.ts';
import { count, type Kernel, type Kernels, one } from './kernel.ts';

const forward = (kind: records.Loss): Kernel<{ delta?: number }> =>
  one(({ inputs: [x, t], outputs: [y], attrs: { delta = 0 } }, at) =>
    records.loss({ kind, ...at({ x, t, y }), count: count(x), delta }),
  );

const backward = (kind: records.Loss): Kernel<{ delta?: number }> =>
  one(({ inputs: [dy, x, t], outputs: [dx], attrs: { delta = 0 } }, at) =>
    records.lossBackward({
      kind,
      ...at({ dy, x, t, dx }),
      ...{ count: count(dy), delta },
    }),
  );

export const loss: Kernels<typeof rows> = {
  cross_entropy: one(({ inputs: [x, targets], outputs: [y], attrs }, at) =>
    records.crossEntropy({
      ...at({ x, targets, y }),
      ...rowsOf(x.shape),
      smoothing: attrs.labelSmoothing,
    }),
  ),
  cross_entropy_backward: one(({ inputs: [dy, x, targets], outputs: [dx], attrs }, at) =>
    records.crossEntropyBackward({
      ...at({ dy, x, targets, dx }),
      ...rowsOf(x.shape),
      smoothing: attrs.labelSmoothing,
    }),
  ),
  mse: forward('mse'),
  mse_backward: backward('mse'),
  bce_with_logits: forward('bce_with_logits'),
  bce_with_logits_backward: backward('bce_with_logits'),
  huber: forward('huber'),
  huber_backward: backward('huber'),
};
