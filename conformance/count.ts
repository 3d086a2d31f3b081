import type { counts as rows } from '../src/ops/count.ts';
import type { ReduceAttrs } from '../src/ops/reduce.ts';
import { exact } from './kit/bound.ts';
import { type Case, type Family, type Operand, use } from './kit/case.ts';

const over = (operand: Operand, ...axes: number[]): Case<ReduceAttrs> =>
  use(operand, { axes, keepDims: false });

const cases: Case<ReduceAttrs>[] = [
  over('f32 5x7 =0,1,0,0,-0,0', 1),
  over('f32 9x7 =0,1,-0,0,2', 0),
  over('f32 3x5 =0,NaN,0,0,0,1,1,1,1,1,-0,0,0,0,0', 1),
  over('f32 6x4 specials', 0),
  over('i32 3x4x5 <2', 1, 2),
  over('i32 3x40x5 <3', 1),
  over('u8 257x33 =0,1,0', 1),
  over('u8 5x3 =1', 0),
  over('u8 7 =0', 0),
  over('f32 70001 =1', 0),
  over('f32 3x0', 1),
  over('f32 0x3', 1),
];

export const counts: Family<keyof typeof rows> = {
  any: { bound: exact, cases },
  all: { bound: exact, cases },
  count_nonzero: { bound: exact, cases },
};
