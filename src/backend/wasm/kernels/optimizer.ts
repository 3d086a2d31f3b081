import * as records from '../../../generated/records.ts';
import type { AdamAttrs, optimizer as rows } from '../../../ops/optimizer.ts';
import { count, type Kernel, type Kernels, one } from './kernel.ts';

const adam = (decoupled: boolean): Kernel<AdamAttrs> =>
  one(({ inputs: [p, g, m, v, hyper, norm], attrs }, at) => {
    const { maxNorm = 0, beta1, beta2, eps, weightDecay } = attrs;
    return records.adam({
      ...at({ p, g, m, v, hyper, norm }),
      ...{ count: count(p), maxNorm },
      ...{ beta1, rest1: 1 - beta1, beta2, rest2: 1 - beta2, eps, weightDecay, decoupled },
    });
  });

export const optimizer: Kernels<typeof rows> = {
  sgd: one(({ inputs: [p, g, ...rest], attrs }, at) => {
    const { maxNorm = 0, momentum, weightDecay, nesterov } = attrs;
    const buffer = momentum > 0 ? rest.shift() : undefined;
    const [hyper, norm] = rest;
    return records.sgd({
      ...at({ p, g, buffer, hyper, norm }),
      ...{ count: count(p), maxNorm, momentum, weightDecay, nesterov },
    });
  }),
  adam: adam(false),
  adamw: adam(true),
};
