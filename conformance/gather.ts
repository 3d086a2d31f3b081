import type { gather as rows } from '../src/ops/gather.ts';
import { close, exact } from './kit/bound.ts';
import { type Family, noGradient, use } from './kit/case.ts';

export const gather: Family<keyof typeof rows> = {
  gather: {
    bound: exact,
    cases: [
      use('f32 7x5', 'i32 9 <7', { axis: 0 }),
      use('f32 3x7x5', 'i32 2x4 <7', { axis: 1 }),
      use('f32 6x4', 'i32 <4', { axis: 1 }),
      use('f32 6x4', 'i32 0 zeros', { axis: 0 }),
      ...noGradient(use('f32 4x3', 'i32 4 =0,4,-1,3', { axis: 0 })),
    ],
  },
  gather_backward: {
    bound: close(4, 1e-5),
    cases: [
      use('f32 9x5', 'i32 9 <7', { axis: 0, size: 7 }),
      use('f32 3x2x4x5', 'i32 2x4 <7', { axis: 1, size: 7 }),
      use('f32 6', 'i32 <4', { axis: 1, size: 4 }),
      ...noGradient(use('f32 4x3', 'i32 4 =0,4,-1,3', { axis: 0, size: 4 })),
      use('f32 0x3', 'i32 0 zeros', { axis: 0, size: 4 }),
    ],
  },
};
