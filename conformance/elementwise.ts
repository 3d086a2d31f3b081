import type { elementwise as rows } from '../src/ops/elementwise.ts';
import { close, exact } from './kit/bound.ts';
import { type Family, noGradient, use, usesOf } from './kit/case.ts';
import { elementwise as each, LENGTHS } from './kit/uses.ts';

const DTYPES = ['i32', 'u8', 'i8', 'f32'] as const;

export const elementwise: Family<keyof typeof rows> = {
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
