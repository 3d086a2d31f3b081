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
      ...noGradient(use('f32 7x5', 'i32 9 <7', { axis: 0, padding: 3 })),
      use('u8 3x7x5', 'i32 2x4 <7', { axis: 1 }),
      use('i32 7x5 <99', 'i32 9 <7', { axis: 0 }),
      ...noGradient(
        use('f32 4x3', 'i32 4 =0,4,-1,3', { axis: 0 }),
        use('i8 4x3', 'i32 4 =0,4,-1,3', { axis: 0 }),
      ),
    ],
  },
  gather_backward: {
    bound: close(4, 1e-5),
    cases: [
      use('f32 9x5', 'i32 9 <7', { axis: 0, size: 7 }),
      use('f32 3x2x4x5', 'i32 2x4 <7', { axis: 1, size: 7 }),
      use('f32 6', 'i32 <4', { axis: 1, size: 4 }),
      // Many times the same entry, in columns for several threads.
      use('f32 130x67', 'i32 130 <3', { axis: 0, size: 3 }),
      ...noGradient(use('f32 9x5', 'i32 9 <7', { axis: 0, size: 7, padding: 3 })),
      ...noGradient(use('f32 4x3', 'i32 4 =0,4,-1,3', { axis: 0, size: 4 })),
      use('f32 0x3', 'i32 0 zeros', { axis: 0, size: 4 }),
    ],
  },
  gather_elements: {
    bound: exact,
    cases: [
      use('f32 7x5', 'i32 9x5 <7', { axis: 0 }),
      use('f32 3x7x5', 'i32 3x2x5 <7', { axis: 1 }),
      use('f32 6x4', 'i32 6x9 <4', { axis: 1 }),
      use('u8 3x7', 'i32 3x5 <7', { axis: 1 }),
      use('f32 6x4', 'i32 6x0 zeros', { axis: 1 }),
      ...noGradient(
        use('f32 4x1', 'i32 4x1 =0,4,-1,3', { axis: 0 }),
        use('i32 4x1 <9', 'i32 4x1 =0,4,-1,3', { axis: 0 }),
      ),
    ],
  },
  scatter_add: {
    bound: close(4, 1e-5),
    cases: [
      use('f32 7x5', 'i32 9x5 <7', 'f32 9x5', { axis: 0 }),
      use('f32 3x7x5', 'i32 3x2x5 <7', 'f32 3x2x5', { axis: 1 }),
      use('f32 9x4', 'i32 9x130 <4', 'f32 9x130', { axis: 1 }),
      use('f32 3x70', 'i32 9x70 <3', 'f32 9x70', { axis: 0 }),
      use('f32 6x4', 'i32 6x0 zeros', 'f32 6x0', { axis: 1 }),
      ...noGradient(use('f32 4x1', 'i32 4x1 =0,4,-1,3', 'f32 4x1', { axis: 0 })),
    ],
  },
};
