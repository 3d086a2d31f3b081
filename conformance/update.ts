import type { update as rows, UpdateAttrs } from '../src/ops/update.ts';
import { type Bound, close, EPS } from './kit/bound.ts';
import { type Case, type Family, use } from './kit/case.ts';
import type { TensorText } from './kit/tensor.ts';
import { times } from './kit/uses.ts';

const bound: Bound = { abs: 2e-6, rel: 16 * EPS };
const HYPER = 'f32 4 =0.01,0.05,3,0.02';
const attrs: UpdateAttrs = {
  ...{ beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0, decoupled: false, centered: false },
};
const decayed: UpdateAttrs = { ...attrs, beta1: 0.8, beta2: 0.95, eps: 1e-3, weightDecay: 0.1 };

/** As those of SGD and Adam: ordinary, of huge and tiny gradients, of parameters that are infinite, and clipped. */
const steps = (moments: number, ...of: UpdateAttrs[]): Case<UpdateAttrs>[] =>
  of.flatMap((a) => [
    ...[1, 3, 100, 1027].map((n) => step(n, moments, a)),
    step(37, moments, a, 'f32 37', 'f32 37 =1,2e17,-1e18,1e-22,0,-0'),
    step(19, moments, a, 'f32 19 =1,Infinity,-Infinity'),
    step(19, moments, a, 'f32 19', 'f32 19 =NaN,1,-1'),
    ...(['f32 =0.5', 'f32 =100'] as const).map((norm) =>
      step(50, moments, { ...a, maxNorm: 1 }, 'f32 50', 'f32 50', norm),
    ),
  ]);

const step = (
  n: number,
  moments: number,
  a: UpdateAttrs,
  p: TensorText = `f32 ${n}`,
  g: TensorText = `f32 ${n}`,
  ...norm: TensorText[]
): Case<UpdateAttrs> =>
  use(p, g, ...times(moments, `f32 ${n} positive`), HYPER, ...norm, a) as Case<UpdateAttrs>;

const decoupled = { ...decayed, decoupled: true };

export const update: Family<keyof typeof rows> = {
  rmsprop: {
    bound,
    cases: [
      ...steps(1, { ...attrs, beta1: 0 }),
      ...steps(2, decayed),
      // Means far below the root of mean squares: of what nearly cancels digits are lost on every machine.
      ...[64, 129].map((n) => {
        const moments: TensorText[] = [`f32 ${n} positive`, `f32 ${n} =0.1,-0.1`, `f32 ${n}`];
        return use(`f32 ${n}`, `f32 ${n}`, ...moments, HYPER, { ...decayed, centered: true });
      }),
      use('f32 30', 'f32 30', 'f32 30 positive', 'f32 30 =0.1,0', HYPER, {
        ...attrs,
        beta1: 0,
        centered: true,
      }),
    ],
  },
  adagrad: { bound, cases: steps(1, attrs, decayed) },
  adadelta: { bound, cases: steps(2, { ...attrs, eps: 1e-6 }, decayed) },
  nadam: { bound, cases: [...steps(2, attrs), ...steps(2, decoupled)] },
  lion: { bound, cases: steps(1, attrs, decoupled) },
  amsgrad: { bound, cases: [...steps(3, attrs), ...steps(3, decoupled)] },
  lamb: { bound, cases: steps(2, { ...attrs, decoupled: true }, decoupled) },
  lamb_step: {
    bound,
    cases: [
      ...[1, 3, 100, 1027].map((n) => use(`f32 ${n}`, `f32 ${n}`, HYPER, 'f32 =3', 'f32 =0.5')),
      use('f32 7', 'f32 7', HYPER, 'f32 =0', 'f32 =0.5'),
      use('f32 7', 'f32 7 zeros', HYPER, 'f32 =2', 'f32 =0'),
    ],
  },
  clip_values: {
    bound: close(0),
    cases: [1, 3, 100, 1027, 0].map((n) => use(`f32 ${n} specials`, { most: 1.5 })),
  },
  average: {
    bound,
    cases: [
      ...[1, 3, 100, 1027].map((n) => use(`f32 ${n}`, `f32 ${n}`, HYPER)),
      use('f32 9', 'f32 9 =Infinity,1,NaN', 'f32 4 =1,0,0,0'),
      use('f32 9', 'f32 9 =Infinity,1,NaN', 'f32 4 =0,0,0,0'),
      use('f32 33 =1e8,3,-2', 'f32 33', 'f32 4 =0.75,0,0,0'),
    ],
  },
};
