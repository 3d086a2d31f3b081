import type { AttrsOf } from '../src/ops/index.ts';
import type { optimizer as rows } from '../src/ops/optimizer.ts';
import { type Bound, EPS } from './kit/bound.ts';
import { type Case, type Family, use } from './kit/case.ts';
import type { TensorText } from './kit/tensor.ts';
import { times } from './kit/uses.ts';

const bound: Bound = { abs: 2e-6, rel: 16 * EPS };
const LENGTHS = [1, 3, 16, 100, 1027, 5000];
const HYPER = 'f32 4 =0.01,0.05,3,0';

const sgds: AttrsOf<'sgd'>[] = [
  { momentum: 0, nesterov: false, weightDecay: 0 },
  { momentum: 0.9, nesterov: false, weightDecay: 0.01 },
  { momentum: 0.9, nesterov: true, weightDecay: 0 },
];
const adams: AttrsOf<'adam'>[] = [
  { beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0 },
  { beta1: 0.8, beta2: 0.9, eps: 1e-3, weightDecay: 0.1 },
];

/** Steps on parameters of these lengths: ordinary, of huge and tiny gradients, of parameters that are infinite, and clipped. */
const steps = <A extends object>(attrs: A, moments: number): Case<A & { maxNorm?: number }>[] =>
  LENGTHS.flatMap((n) => {
    const of = (parameter: TensorText, gradient: TensorText) =>
      [parameter, gradient, ...times(moments, `f32 ${n} positive`), HYPER] as const;
    const plain: TensorText = `f32 ${n}`;
    const step = (...operands: ReturnType<typeof of>): Case<A> => use(...operands, attrs) as Case<A>;
    return [
      step(...of(plain, plain)),
      step(...of(plain, `f32 ${n} =1,2e19,-1e20,1e-22`)),
      step(...of(`f32 ${n} =1,Infinity,-Infinity`, plain)),
      ...(['f32 =0.5', 'f32 =100', 'f32 =NaN'] as const).map(
        (norm) => use(...of(plain, plain), norm, { ...attrs, maxNorm: 1 }) as Case<A & { maxNorm: number }>,
      ),
    ];
  });

export const optimizer: Family<keyof typeof rows> = {
  sgd: { bound, cases: sgds.flatMap((a) => steps(a, a.momentum > 0 ? 1 : 0)) },
  adam: { bound, cases: adams.flatMap((a) => steps(a, 2)) },
  adamw: { bound, cases: adams.flatMap((a) => steps(a, 2)) },
};
