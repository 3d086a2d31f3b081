import type { elementwise as rows } from '../src/ops/elementwise.ts';
import { close, exact } from './kit/bound.ts';
import { type Case, type Family, noGradient, use, usesOf } from './kit/case.ts';
import { specials, uneven } from './kit/fill.ts';
import { elementwise as each, LENGTHS, pairs } from './kit/uses.ts';

/** Two shapes; `-` is a scalar's. */
const BROADCASTS = [
  ...['5x7 7', '7 5x7', '5x7 5x1', '5x1 1x7', '5x7 -', '- 3', '2x3x4x5 3x1x5'],
  ...['2x1x4x1 1x3x1x5', '0x3 3', '4x1 4x0', '128x10 10', '33x130 33x1'],
].map((pair) => pair.replace('-', '').split(' '));

const binary = (fill = 'normal'): Case[] => [
  ...each(2, {}),
  ...BROADCASTS.map(([a, b]) => use(`f32 ${a}`, `f32 ${b} ${fill}`)),
  ...noGradient(pairs(specials, 21), pairs(uneven, 8)),
];

const DTYPES = ['i32', 'u8', 'i8', 'f32'] as const;

export const elementwise: Family<keyof typeof rows> = {
  add: { bound: close(1), cases: binary() },
  sub: { bound: close(1), cases: binary() },
  mul: { bound: close(1), cases: binary() },
  div: { bound: close(3), cases: binary('positive') },
  scale: { bound: close(1), cases: each(1, { factor: -2.5 }) },
  cast: {
    bound: exact,
    cases: [
      ...LENGTHS.map((n) => use(`f32 ${n} wide`, { dtype: 'i32' })),
      ...noGradient(...DTYPES.map((dtype) => use('f32 123 specials', { dtype }))),
      ...DTYPES.flatMap((dtype) =>
        usesOf(['i32 37 =0,-1,300,-300,127,128,255,256,2147483647,-2147483648', 'u8 37', 'i8 37'], { dtype }),
      ),
    ],
  },
  copy: {
    bound: exact,
    cases: [
      ...each(1, {}),
      ...LENGTHS.flatMap((n) => [use(`i32 ${n} <1000`), use(`u8 ${n}`), use(`i8 ${n}`)]),
    ],
  },
  fill: {
    bound: exact,
    cases: LENGTHS.flatMap((n) => [
      use({ value: 2.5, shape: [n], dtype: 'f32' }),
      use({ value: -7, shape: [n], dtype: 'i32' }),
      use({ value: 200, shape: [n], dtype: 'u8' }),
      use({ value: -100, shape: [n], dtype: 'i8' }),
    ]),
  },
};
