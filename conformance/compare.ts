import type { compare as rows } from '../src/ops/compare.ts';
import { BROADCASTS, repeated } from './binary.ts';
import { exact } from './kit/bound.ts';
import { type Case, type Family, noGradient, type Operand, use } from './kit/case.ts';
import { specials } from './kit/fill.ts';
import { LENGTHS, pairs } from './kit/uses.ts';

const FEW = 'i32 =0,1,2,1,-2147483648,2147483647';
const BITS = 'u8 =0,1,0,0,255,1,1';

const numbers: Case[] = [
  ...LENGTHS.map((n) => use(`f32 ${n}`, `f32 ${n}`)),
  ...repeated('f32 =0,1,2', 'f32 =1,0,1,2'),
  ...repeated(FEW, 'i32 =1,0,2'),
  ...repeated(BITS, 'u8 =1,0'),
  pairs(specials, 21),
];
const bits: Case[] = [
  ...LENGTHS.map((n) => use(`u8 ${n} =0,1,0,0,255,1,1`, `u8 ${n} =1,0`)),
  ...repeated(BITS, 'u8 =1,0'),
];

export const compare: Family<keyof typeof rows> = {
  eq: { bound: exact, cases: numbers },
  ne: { bound: exact, cases: numbers },
  lt: { bound: exact, cases: numbers },
  le: { bound: exact, cases: numbers },
  logical_and: { bound: exact, cases: bits },
  logical_or: { bound: exact, cases: bits },
  where: {
    bound: exact,
    cases: [
      ...LENGTHS.map((n) => use(`u8 ${n} =0,1,1,0,2`, `f32 ${n}`, `f32 ${n}`)),
      ...BROADCASTS.flatMap(([a, b]): Case[] => [
        use(`u8 ${a} =0,1,1,0,2` as Operand, `f32 ${b}` as Operand, `f32 ${a}` as Operand),
        use(`u8 ${b} =0,1,1,0,2` as Operand, `f32 ${a}` as Operand, 'f32'),
      ]),
      use('u8 5x7 =0,1,1', 'i32 7 <1000', 'i32 5x1 <1000'),
      ...noGradient(use('u8 21 =0,1', 'f32 21 specials', 'f32 21 =7,NaN')),
    ],
  },
};
