import type { TensorRef } from '../../../graph/plan.ts';
import type { AdamAttrs, optimizer as rows } from '../../../ops/optimizer.ts';
import { float, wordOf } from '../record.ts';
import { count, each, type Kernel, type Kernels, one } from './kernel.ts';

/** The place of an operand that may be missing. */
const placeOf = (t: TensorRef | undefined): number => (t ? wordOf(t) : 0);

const adam = (decoupled: 0 | 1): Kernel<AdamAttrs> =>
  one<AdamAttrs>(({ inputs: [p, g, m, v, hyper, norm], attrs }) => {
    const { maxNorm = 0, beta1, beta2, eps, weightDecay } = attrs;
    const floats = [maxNorm, beta1, 1 - beta1, beta2, 1 - beta2, eps, weightDecay].map(float);
    return {
      shader: { files: ['adam'], constants: { DECOUPLED: decoupled, CLIP: norm ? 1 : 0 } },
      args: [...[p, g, m, v, hyper, norm].map(placeOf), count(p), ...floats],
      workgroups: each(count(p)),
    };
  });

export const optimizer: Kernels<typeof rows> = {
  sgd: one(({ inputs, attrs }) => {
    const [p, g, ...rest] = inputs;
    const buffer = attrs.momentum > 0 ? rest.shift() : undefined;
    const [hyper, norm] = rest;
    const floats = [attrs.maxNorm ?? 0, attrs.momentum, attrs.weightDecay].map(float);
    return {
      shader: { files: ['sgd'], constants: { MOMENTUM: buffer ? 1 : 0, CLIP: norm ? 1 : 0 } },
      args: [...[p, g, buffer, hyper, norm].map(placeOf), count(p), ...floats, attrs.nesterov ? 1 : 0],
      workgroups: each(count(p)),
    };
  }),
  adam: adam(0),
  adamw: adam(1),
};
