import type { AttrsOf } from '../src/ops/index.ts';
import type { Value } from '../src/ops/op.ts';
import { reduceSizes, type reduce as rows, sumOver } from '../src/ops/reduce.ts';
import { type Abs, close, EPS, exact, oncePer, roundings, TINY } from './kit/bound.ts';
import { type Case, type Family, noGradient, use } from './kit/case.ts';
import { LENGTHS, minusInfinity, ROWS } from './kit/uses.ts';

/** The bound of each sum: the roundings of what is summed, without its signs. */
const sumBounds = oncePer(([x]: readonly Value[], { axes }: { axes: readonly number[] }) => {
  const sizes = reduceSizes(x.shape, axes);
  const bounds = new Float64Array(sizes.outer * sizes.inner);
  sumOver(Float64Array.from(x.data as Float32Array, Math.abs), sizes, bounds, 1);
  return bounds.map((sum) => sum * roundings(sizes.count) + TINY);
});
const summed: Abs = (inputs, attrs, i) => sumBounds(inputs, attrs as AttrsOf<'sum'>)[i];
const meaned: Abs = (inputs, attrs, i) =>
  summed(inputs, attrs, i) / reduceSizes(inputs[0].shape, (attrs as AttrsOf<'mean'>).axes).count + TINY;

/** Shape and axes. */
const REDUCTIONS: [shape: string, ...axes: number[]][] = [
  ['1', 0],
  ['7', 0],
  ['1000', 0],
  ['100003', 0],
  ['5x7', 0],
  ['5x7', 1],
  ['5x7', 0, 1],
  ['128x10', 0],
  ['128x300', 0],
  ['3x4x5x6', 1, 2],
  ['3x4x5x6', 0],
  ['3x4x5x6', 3],
  ['3x4x5x6', 2, 3],
  ['3x300x5', 1],
  ['0x3', 1],
  ['2x1x3', 1],
  ['257x33', 1],
];
/** Long runs of one value, whose roundings all go one way; in every direction, over one pass and several. */
const LONG: [shape: string, ...axes: number[]][] = [
  ['1000003', 0],
  ['300007x4', 0],
  ['70001x3', 0],
  ['9000x37', 0],
  ['3x40001', 1],
  ['2x5000x20', 1],
  ['3x700x41', 1, 2],
];
const HARD: [text: `f32 ${string}`, ...axes: number[]][] = [
  ['f32 6x64 uneven', 1],
  ['f32 64x20 uneven', 0],
  ['f32 2x2 =3e38', 0],
  ['f32 8x7 infinities', 1],
  ['f32 8x21 modestSpecials', 1],
  ['f32 8x21 modestSpecials', 0],
];
const over = (fill: string, long: string, empty: boolean): Case<AttrsOf<'sum'>>[] => [
  ...REDUCTIONS.flatMap(([shape, ...axes]) =>
    [true, false].map((keepDims) => use(`f32 ${shape} ${fill}`, { axes, keepDims })),
  ),
  ...(empty ? [use('f32 3x0', { axes: [1], keepDims: false })] : []),
  ...noGradient(
    ...LONG.map(([shape, ...axes]) => use(`f32 ${shape} ${long}`, { axes, keepDims: false })),
    ...HARD.map(([text, ...axes]) => use(text, { axes, keepDims: false })),
  ),
];
const sums = over('normal', '=0.1', true);

/** Rows and columns, tails of both types, and the middle; what only exact integers tell apart. */
const integers: Case<AttrsOf<'max'>>[] = [
  ...(['u8', 'i32'] as const).flatMap((dtype) =>
    (
      [
        ['1', 0],
        ['5x37', 1],
        ['37x5', 0],
        ['3x4', 1],
        ['3x40x5', 1],
        ['2x3x70', 1],
        ['9x33', 0, 1],
      ] as const
    ).map(([shape, ...axes]) =>
      use(`${dtype} ${shape}${dtype === 'i32' ? ' <1000' : ''}`, { axes, keepDims: false }),
    ),
  ),
  use('i32 5x6 =16777217,16777216,-16777217,-2147483648,2147483647', { axes: [1], keepDims: true }),
  use('i32 3x3 =-5,-7,-6', { axes: [1], keepDims: false }),
];

const positions: Case[] = [
  ...ROWS.filter((s) => !/(^|x)0$/.test(s)).flatMap((s) => [use(`f32 ${s}`), use(`u8 ${s}`)]),
  use('f32 3x100 =1,2,2,0'),
  use('i32 3x5 =16777216,16777217,-16777217,-16777216,-2147483648'),
  use('f32 8x20 specials'),
  use('f32 9x7 infinities'),
  minusInfinity,
];

export const reduce: Family<keyof typeof rows> = {
  sum: { bound: { abs: summed, rel: 2 * EPS }, cases: sums },
  mean: { bound: { abs: meaned, rel: 2 * EPS }, cases: sums },
  max: { bound: exact, cases: [...over('distinct', 'distinct', false), ...integers] },
  min: {
    bound: exact,
    cases: [...over('distinct', 'distinct', false).filter((_, i) => i % 2 === 0), ...integers],
  },
  max_backward: {
    bound: close(4),
    cases: [
      use('f32 5', 'f32 5x7 =1,3,2,3', 'f32 5 =3', { axes: [1], keepDims: false }),
      use('f32 7', 'f32 5x7 =1,3,2,3', 'f32 7 =3', { axes: [0], keepDims: false }),
      use('f32 3', 'f32 3x4x5 =1,3,2,3', 'f32 3 =3', { axes: [1, 2], keepDims: false }),
      use('f32', 'f32 1000 =1,3,2,3', 'f32 =3', { axes: [0], keepDims: false }),
      use('f32 3', 'f32 3x5 =1,NaN,2,3,3', 'f32 3 =NaN,NaN,3', { axes: [1], keepDims: false }),
    ],
  },
  argmax: { bound: exact, cases: positions },
  argmin: { bound: exact, cases: positions.filter((_, i) => i % 3 !== 0) },
  global_norm: {
    bound: { abs: TINY, rel: 2e-6 },
    cases: [
      ...[...LENGTHS, 100003].map((n) => use(`f32 ${n}`)),
      ...['specials', 'uneven', 'extremes', '=1e-30', '=2e19'].map((fill) => use(`f32 50 ${fill}`)),
      use('f32 1000003 =0.1'),
    ],
  },
};
