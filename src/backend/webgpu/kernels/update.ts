import type { TensorRef } from '../../../graph/plan.ts';
import type { update as rows, UpdateAttrs } from '../../../ops/update.ts';
import { type Dispatch, float, wordOf } from '../record.ts';
import { count, each, type Kernel, type Kernels, one } from './kernel.ts';

/** The numbers of the shader's kinds, which are those of the records. */
const kinds = {
  ...{
    rmsprop: 0,
    adagrad: 1,
    adadelta: 2,
    nadam: 3,
    lion: 4,
    amsgrad: 5,
    lamb: 6,
    lamb_step: 7,
    average: 8,
    clip: 9,
  },
} as const;

type Operands = Readonly<
  Record<'p' | 'g' | 'hyper', TensorRef> & Partial<Record<'a' | 'b' | 'c' | 'norm', TensorRef>>
>;

function dispatch(
  kind: keyof typeof kinds,
  { p, g, a, b, c, hyper, norm }: Operands,
  {
    maxNorm = 0,
    beta1 = 0,
    beta2 = 0,
    eps = 0,
    weightDecay = 0,
    decoupled = false,
  }: Partial<UpdateAttrs> = {},
): Dispatch {
  const places = [p, g, a, b, c, hyper, norm].map((t) => (t ? wordOf(t) : 0));
  const floats = [maxNorm, beta1, 1 - beta1, beta2, 1 - beta2, eps, weightDecay].map(float);
  return {
    shader: {
      files: ['update'],
      constants: { KIND: kinds[kind], CLIP: norm ? 1 : 0, SECOND: b ? 1 : 0, THIRD: c ? 1 : 0 },
    },
    args: [...places, count(p), ...floats, decoupled ? 1 : 0],
    workgroups: each(count(p)),
  };
}

/** Moments are operands a and b. */
const ofMoments = (kind: keyof typeof kinds, moments: 1 | 2): Kernel<UpdateAttrs> =>
  one(({ inputs: [p, g, ...rest], attrs }) => {
    const [a, b] = rest.splice(0, moments);
    const [hyper, norm] = rest;
    return dispatch(kind, { p, g, a, b, hyper, norm }, attrs);
  });

export const update: Kernels<typeof rows> = {
  rmsprop: one(({ inputs: [p, g, a, ...rest], attrs }) => {
    const b = attrs.centered ? rest.shift() : undefined;
    const c = attrs.beta1 > 0 ? rest.shift() : undefined;
    const [hyper, norm] = rest;
    return dispatch('rmsprop', { p, g, a, b, c, hyper, norm }, attrs);
  }),
  adagrad: ofMoments('adagrad', 1),
  adadelta: ofMoments('adadelta', 2),
  nadam: ofMoments('nadam', 2),
  lion: ofMoments('lion', 1),
  amsgrad: one(({ inputs: [p, g, a, b, c, hyper, norm], attrs }) =>
    dispatch('amsgrad', { p, g, a, b, c, hyper, norm }, attrs),
  ),
  lamb: one(({ inputs: [p, g, a, b, hyper, norm], outputs: [c], attrs }) =>
    dispatch('lamb', { p, g, a, b, c, hyper, norm }, attrs),
  ),
  lamb_step: one(({ inputs: [p, g, hyper, a, b] }) => dispatch('lamb_step', { p, g, a, b, hyper })),
  clip_values: one(({ inputs: [p], attrs: { most } }) =>
    dispatch('clip', { p, g: p, hyper: p }, { maxNorm: most }),
  ),
  average: one(({ inputs: [p, g, hyper] }) => dispatch('average', { p, g, hyper })),
};
