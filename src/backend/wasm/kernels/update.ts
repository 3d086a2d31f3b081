import * as records from '../../../generated/records.ts';
import type { TensorRef } from '../../../graph/plan.ts';
import type { update as rows, UpdateAttrs } from '../../../ops/update.ts';
import { type At, count, type Kernel, type Kernels, one } from './kernel.ts';

/** For kinds that are told nothing but places. */
const none: UpdateAttrs = {
  ...{ beta1: 0, beta2: 0, eps: 0, weightDecay: 0, decoupled: false, centered: false },
};

function record(
  kind: records.Update,
  operands: Readonly<
    Record<'p' | 'g' | 'hyper', TensorRef> & Partial<Record<'a' | 'b' | 'c' | 'norm', TensorRef>>
  >,
  { maxNorm = 0, beta1, beta2, eps, weightDecay, decoupled }: UpdateAttrs,
  at: At,
) {
  const { p, g, hyper, a, b, c, norm } = operands;
  return records.update({
    ...{ kind, ...at({ p, g, a, b, c, hyper, norm }), count: count(p), maxNorm },
    ...{ beta1, rest1: 1 - beta1, beta2, rest2: 1 - beta2, eps, weightDecay, decoupled },
  });
}

/** Moments are operands a and b. */
const ofMoments = (kind: records.Update, moments: 1 | 2): Kernel<UpdateAttrs> =>
  one(({ inputs: [p, g, ...rest], attrs }, at) => {
    const [a, b] = rest.splice(0, moments);
    const [hyper, norm] = rest;
    return record(kind, { p, g, a, b, hyper, norm }, attrs, at);
  });

export const update: Kernels<typeof rows> = {
  rmsprop: one(({ inputs: [p, g, a, ...rest], attrs }, at) => {
    const b = attrs.centered ? rest.shift() : undefined;
    const c = attrs.beta1 > 0 ? rest.shift() : undefined;
    const [hyper, norm] = rest;
    return record('rmsprop', { p, g, a, b, c, hyper, norm }, attrs, at);
  }),
  adagrad: ofMoments('adagrad', 1),
  adadelta: ofMoments('adadelta', 2),
  nadam: ofMoments('nadam', 2),
  lion: ofMoments('lion', 1),
  amsgrad: one(({ inputs: [p, g, a, b, c, hyper, norm], attrs }, at) =>
    record('amsgrad', { p, g, a, b, c, hyper, norm }, attrs, at),
  ),
  lamb: one(({ inputs: [p, g, a, b, hyper, norm], outputs: [c], attrs }, at) =>
    record('lamb', { p, g, a, b, c, hyper, norm }, attrs, at),
  ),
  lamb_step: one(({ inputs: [p, g, hyper, a, b] }, at) =>
    record('lamb_step', { p, g, a, b, hyper }, none, at),
  ),
  clip_values: one(({ inputs: [p], attrs: { most } }, at) =>
    record('clip', { p, g: p, hyper: p }, { ...none, maxNorm: most }, at),
  ),
  average: one(({ inputs: [p, g, hyper] }, at) => record('average', { p, g, hyper }, none, at)),
};
