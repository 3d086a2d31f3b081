import { freedom, type NormAttrs, type fold as rows, type VarianceAttrs } from '../src/ops/fold.ts';
import type { Value } from '../src/ops/op.ts';
import { forEachRun, type ReduceAttrs, reduceSizes } from '../src/ops/reduce.ts';
import { type Abs, EPS, magnitude, oncePer, roundings, TINY } from './kit/bound.ts';
import { type Case, type Family, noGradient, use } from './kit/case.ts';

type Run = [shape: string, ...axes: number[]];

/** One run, several, in both directions; tails, and the middle of a shape. */
const SHORT: Run[] = [
  ['1', 0],
  ['7', 0],
  ['5x7', 1],
  ['5x7', 0, 1],
  ['5x1', 1],
  ['70x21', 0],
  ['3x4x5x6', 1, 2],
  ['3x300x5', 1],
  ['2x4099', 1],
  ['0x3', 1],
];
const NONE: Run = ['2x0', 1];
/** Over several blocks and passes. */
const LONG: Run[] = [
  ['100003', 0],
  ['2x9001x18', 1],
];

/** Each shape with a fill and attributes, dimensions kept or not. */
const over = <A extends object>(runs: Run[], fill: string, attrs: A): Case<A & ReduceAttrs>[] =>
  runs.map(([shape, ...axes], i) => use(`f32 ${shape} ${fill}`, { ...attrs, axes, keepDims: i % 2 === 1 }));

/** Of a gradient: dy, x, and y as if it had come from x. */
const backs = <A extends object>(fill: string, y: string, attrs: A): Case<A & ReduceAttrs>[] =>
  (
    [
      ['5', '5x7', 1],
      ['7', '5x7', 0],
      ['3x5', '3x40x5', 1],
      ['', '131', 0],
    ] as const
  ).map(([reduced, shape, axis]) =>
    use(`f32 ${reduced}`, `f32 ${shape} ${fill}`, `f32 ${reduced} ${y}`, {
      ...{ ...attrs, axes: [axis], keepDims: false },
    }),
  );

const countOf = (x: Value, { axes }: ReduceAttrs) => reduceSizes(x.shape, axes).count;

/** A product passes through as many roundings as it has factors. */
const products = oncePer(([x]: readonly Value[], attrs: ReduceAttrs) => {
  const sizes = reduceSizes(x.shape, attrs.axes);
  const bounds = new Float64Array(sizes.outer * sizes.inner);
  forEachRun(sizes, (o, start, step) => {
    let product = 1;
    for (let c = 0; c < sizes.count; c++) product *= x.data[start + c * step];
    bounds[o] = Math.abs(product) * sizes.count * EPS + TINY;
  });
  return bounds;
});
const factors: Abs = (inputs, attrs, i) => products(inputs, attrs as ReduceAttrs)[i];

/** What the mean's rounding leaves, squared. */
const leftOver = ([x]: readonly Value[], attrs: object) => {
  const { correction, ...of } = attrs as VarianceAttrs;
  const count = countOf(x, of);
  return (4 * (EPS * magnitude(x)) ** 2 * count) / Math.max(1, freedom(count, correction)) + TINY;
};

const exponents: Abs = ([x], attrs) =>
  4 * roundings(countOf(x, attrs as ReduceAttrs)) + 4 * EPS * magnitude(x) + TINY;
const exponentsBack: Abs = ([dy, x, y]) =>
  (8 + 4 * (magnitude(x) + magnitude(y))) * EPS * Math.max(1, magnitude(dy)) + TINY;

const spreads = (name: 'variance' | 'std'): Case<VarianceAttrs>[] => [
  ...over(SHORT.slice(1, 9), 'normal', { correction: 0 }).filter(
    (c) => name === 'variance' || c.inputs[0].shape.join() !== '5,1',
  ),
  ...over([SHORT[3], SHORT[5], SHORT[9]], 'normal', { correction: 1 }),
  ...noGradient(
    ...over(LONG, 'normal', { correction: 1 }),
    ...over(LONG, '=0.1', { correction: 1 }),
    ...over([['4', 0]], '=40000,40001,40002,40003', { correction: 0 }),
    ...over(
      [
        ['16', 0],
        ['16x5', 0],
      ],
      '=10000,10000.001,10000.002,10000.003,10000.004',
      { correction: 0 },
    ),
    ...over([['3x2', 1]], '=1,1,1,3', { correction: 2 }),
    ...over(
      [
        ['3x1', 1],
        ['3x0', 1],
      ],
      'normal',
      { correction: 1 },
    ),
    ...over([['8x7', 1]], 'infinities', { correction: 1 }),
    ...over([['5x8', 0]], '=1,NaN,2,3,3,5,6,7', { correction: 1 }),
  ),
];

const norms: Case<NormAttrs>[] = [
  ...[1, 2, Infinity, 3, 0.5].flatMap((p) =>
    over(p === 2 ? SHORT : SHORT.slice(2, 6), p === Infinity ? 'distinct' : 'normal', { p }),
  ),
  ...noGradient(
    ...[1, 2, Infinity, 1.5].flatMap((p) => [
      ...over(p === 2 ? [...LONG, NONE] : [NONE], 'normal', { p }),
      ...over(
        [
          ['6x8', 1],
          ['6x8', 0],
        ],
        '=1,0,-Infinity,2,0,0',
        { p },
      ),
      ...over([['3x5', 1]], '=1,NaN,2,3,0,0,0,0,0,0', { p }),
      ...over([['3x5', 1]], p === 1 ? '=1e30' : '=1e30,-1e30,1e-10', { p }),
    ]),
  ),
];

export const fold: Family<keyof typeof rows> = {
  prod: {
    bound: { abs: factors, rel: 2 * EPS },
    cases: [
      ...over(SHORT.slice(0, 6), 'normal', {}),
      ...over([['3x4', 1]], '=2,0,3,-1,0,0,1.5,2,1,2,3,4', {}),
      ...noGradient(
        ...over([...LONG, NONE, ...SHORT.slice(6)], '=1.0001,0.9999', {}),
        ...over([['4x3', 0]], '=NaN,0,2,Infinity,1,0', {}),
      ),
    ],
  },
  prod_backward: {
    bound: { abs: TINY, rel: 300 * EPS },
    cases: [
      ...backs('=1.5,-0.7,1.1,0.9', '=1', {}),
      ...backs('=1.5,0,-0.7,1.1,2,1,1.5,0.5,1.5,-1,1,0.75', '=0', {}),
      ...backs('=1.5,0,0,-0.7', '=0', {}),
    ],
  },
  norm: { bound: { abs: TINY, rel: 1e-5 }, cases: norms },
  norm_backward: {
    bound: { abs: TINY, rel: 1e-5 },
    cases: [1, 2, Infinity, 3, 0.5].flatMap((p) => [
      ...backs('=3,-2,0,3,1,-3,0.5', '=3', { p }),
      ...(p === 2 || p === Infinity ? backs('=0', '=0', { p }) : []),
    ]),
  },
  logsumexp: {
    bound: { abs: exponents, rel: 4 * EPS },
    cases: [
      ...over(SHORT, 'normal', {}),
      ...noGradient(
        ...over([...LONG, NONE], 'normal', {}),
        ...over(LONG, '=-0.3', {}),
        ...over(
          [
            ['3x3', 1],
            ['4x3', 0],
          ],
          '=-Infinity',
          {},
        ),
        ...over([['2x5', 1]], '=-Infinity,-Infinity,-Infinity,-Infinity,0', {}),
        ...over(
          [
            ['8x7', 1],
            ['8x7', 0],
          ],
          'infinities',
          {},
        ),
        ...over([['3x3', 1]], '=1000,1001,1002,Infinity,1,-Infinity,NaN,1,Infinity', {}),
      ),
    ],
  },
  logsumexp_backward: {
    bound: { abs: exponentsBack, rel: 8 * EPS },
    cases: [
      ...backs('normal', '=3', {}),
      ...backs('=-Infinity,1,-2,0.5', '=2', {}),
      ...backs('=-Infinity', '=-Infinity', {}),
    ],
  },
  variance: { bound: { abs: leftOver, rel: 2e-5 }, cases: spreads('variance') },
  std: {
    bound: { abs: (inputs, attrs) => Math.sqrt(leftOver(inputs, attrs)), rel: 1e-5 },
    cases: spreads('std'),
  },
};
