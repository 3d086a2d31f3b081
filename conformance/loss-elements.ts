import type { elementLosses as rows } from '../src/ops/loss-elements.ts';
import { close, EPS, timesDy } from './kit/bound.ts';
import { type Case, type Family, noGradient, use } from './kit/case.ts';
import type { TensorText } from './kit/tensor.ts';
import { elementwise } from './kit/uses.ts';

/** Around vectors and workgroups. */
const FEW = [0, 1, 3, 4, 7, 17, 65, 257];

/** Outputs and targets of a loss that does not take any; with dy in front for the gradient. */
const uses = <A extends object>(
  dy: boolean,
  x: string,
  t: string,
  attrs: A,
  hard: readonly [x: string, t: string][] = [],
): Case<A>[] => {
  const one = (n: number, x: string, t: string) =>
    use(...(dy ? [`f32 ${n}` as TensorText] : []), `f32 ${n} ${x}`, `f32 ${n} ${t}`, attrs) as Case<A>;
  return [...FEW.map((n) => one(n, x, t)), ...noGradient(...hard.map(([x, t]) => one(23, x, t)))];
};
/** Both of a loss: its own cases, and those of its derivative. */
const both =
  <A extends object>(x: string, t: string, attrs: readonly A[], hard?: readonly [x: string, t: string][]) =>
  (dy: boolean) =>
    attrs.flatMap((a) => uses(dy, x, t, a, hard));

const NUMBERS = '=NaN,0.5,Infinity,-Infinity,0,30,-30,0.25';
const CHANCES = '=0,1,0.5,1e-9,0.999,0.25,1e-30';
const SIGNS = '=1,-1,-1';
const l1 = both('normal', '=0.5,-1.25,3', [{}], [[NUMBERS, '=0.5']]);
const bce = both(
  '=0.3,0.6,0.2,0.8,0.5',
  'unit',
  [{}],
  [
    [CHANCES, '=0,1,0.5'],
    ['=0.001,0.999', 'unit'],
    ['=NaN,0.5,1', '=0,1'],
  ],
);
const kl = both(
  'normal',
  'positive',
  [{}],
  [
    ['normal', CHANCES],
    [NUMBERS, '=0.5,0.25,0'],
  ],
);
const klLog = both(
  'normal',
  'normal',
  [{}],
  [
    ['=-3,2', '=-Infinity,-200,-0.5'],
    [NUMBERS, '=-0.5'],
  ],
);
const poisson = both('normal', 'positive', [{}], [[NUMBERS, '=0,3,12']]);
const rate = both(
  'positive',
  'positive',
  [{ eps: 1e-8 }, { eps: 0.1 }],
  [['=0,-1,Infinity,NaN,3', '=2,1,0.5']],
);
const hinge = both(
  'normal',
  SIGNS,
  [{ margin: 1 }, { margin: 0.3 }],
  [
    [NUMBERS, SIGNS],
    ['=1,0.5,2', '=0,0.5,-1'],
  ],
);
const softMargin = both('normal', SIGNS, [{}], [[NUMBERS, SIGNS]]);
const focal = both(
  'normal',
  'unit',
  [{ gamma: 2 }, { gamma: 0.5 }],
  [
    ['=40,-40,90,-90,200,-200', '=0,1'],
    ['=NaN,3,-3', '=1,0'],
  ],
);
const rounded = { abs: 2e-6, rel: 8 * EPS };
const slope = { abs: timesDy(2e-6), rel: 16 * EPS };

export const elementLosses: Family<keyof typeof rows> = {
  mse: { bound: close(4), cases: elementwise(2, {}) },
  mse_backward: { bound: close(4), cases: elementwise(3, {}) },
  bce_with_logits: {
    bound: close(4, 2e-6),
    cases: [...elementwise(2, {}), ...noGradient(use('f32 200 wide', 'f32 200 unit'))],
    withoutGradient: [1],
  },
  bce_with_logits_backward: { bound: { abs: timesDy(1e-6), rel: 16 * EPS }, cases: elementwise(3, {}) },
  huber: { bound: close(4, 1e-6), cases: [0.3, 1, 2].flatMap((delta) => elementwise(2, { delta })) },
  huber_backward: { bound: close(4), cases: [0.3, 1].flatMap((delta) => elementwise(3, { delta })) },
  l1: { bound: close(1), cases: l1(false) },
  l1_backward: { bound: close(1), cases: l1(true) },
  bce: { bound: rounded, cases: bce(false), withoutGradient: [1] },
  bce_backward: { bound: { abs: timesDy(2e-6), rel: 64 * EPS }, cases: bce(true) },
  kl_div: { bound: rounded, cases: kl(false), withoutGradient: [1] },
  kl_div_backward: { bound: close(1), cases: kl(true) },
  kl_div_log: { bound: rounded, cases: klLog(false), withoutGradient: [1] },
  kl_div_log_backward: { bound: close(4, 1e-37), cases: klLog(true) },
  poisson_nll: { bound: rounded, cases: poisson(false), withoutGradient: [1] },
  poisson_nll_backward: { bound: slope, cases: poisson(true) },
  poisson_nll_rate: { bound: rounded, cases: rate(false), withoutGradient: [1] },
  poisson_nll_rate_backward: { bound: slope, cases: rate(true) },
  hinge_embedding: { bound: close(2, 1e-6), cases: hinge(false), withoutGradient: [1] },
  hinge_embedding_backward: { bound: close(1), cases: hinge(true) },
  soft_margin: { bound: rounded, cases: softMargin(false), withoutGradient: [1] },
  soft_margin_backward: { bound: slope, cases: softMargin(true) },
  sigmoid_focal: { bound: rounded, cases: focal(false), withoutGradient: [1] },
  sigmoid_focal_backward: { bound: slope, cases: focal(true) },
};
