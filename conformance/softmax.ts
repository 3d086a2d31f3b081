import type { softmax as rows } from '../src/ops/softmax.ts';
import { type Abs, EPS, logits, magnitude, rowLength, TINY } from './kit/bound.ts';
import { type Case, type Family, noGradient, use } from './kit/case.ts';
import { normal } from './kit/fill.ts';
import { f32 } from './kit/tensor.ts';
import { minusInfinity, ROWS, times } from './kit/uses.ts';

const rowSum: Abs = ([dy, y]) =>
  (rowLength(dy) + 8) * EPS * magnitude(dy) * Math.max(1, magnitude(y)) * 4 + TINY;

const onRows = (arity: number): Case[] => [
  ...ROWS.map((shape) => use(...times(arity, `f32 ${shape}`))),
  use(
    ...times(
      arity,
      f32([6, 40], (i, random) => normal(i, random) * 20),
    ),
  ),
  ...noGradient(use(...times(arity, 'f32 9x7 infinities')), use(...times(arity, 'f32 8x20 specials'))),
];
/** Rows of one value: as many roundings as there are terms, all one way. */
const longRow = (value: number) => f32([2, 30011], (i) => (i % 30011 === 7 ? 1 : value));
/** Logits whose differences are all that counts. */
const large = use('f32 4x6 =1e9,1000000064,999999936,-1e9,0,1e9');

const forward = [...onRows(1), minusInfinity, ...noGradient(use(longRow(-0.3)), large)];
const backward = [...onRows(2), ...noGradient(use(longRow(0.1), longRow(-0.3)))];

export const softmax: Family<keyof typeof rows> = {
  softmax: { bound: { abs: TINY, rel: 1e-5 }, cases: forward },
  softmax_backward: { bound: { abs: rowSum, rel: 8 * EPS }, cases: backward },
  log_softmax: { bound: { abs: logits(0), rel: 4 * EPS }, cases: forward },
  log_softmax_backward: {
    bound: { abs: (inputs, attrs, i) => 8 * rowSum(inputs, attrs, i), rel: 1e-5 },
    cases: backward,
  },
};
