import type { pad as rows } from '../src/ops/pad.ts';
import { exact } from './kit/bound.ts';
import { type Family, use, usesOf } from './kit/case.ts';

export const pad: Family<keyof typeof rows> = {
  flip: {
    bound: exact,
    cases: [
      ...usesOf(['f32 70', 'u8 67', 'f32 1', 'f32 0'], { axes: [0] }),
      ...usesOf(['f32 3x5x7', 'i8 3x5x7', 'i32 3x5x7 <99'], { axes: [0, 2] }),
      use('f32 3x0x7', { axes: [1] }),
      use('f32 3x5x7', { axes: [1] }),
    ],
  },
  pad: {
    bound: exact,
    cases: [
      use('f32 5', { before: [2], after: [3], value: 0 }),
      use('f32 3x5', { before: [1, 0], after: [0, 2], value: -1.5 }),
      use('i32 2x3 <9', { before: [0, 1], after: [1, 1], value: -7 }),
      use('u8 3x5', { before: [1, 2], after: [2, 1], value: 255 }),
      use('i8 3x5', { before: [0, 2], after: [0, 1], value: -128 }),
      use('f32 0x3', { before: [2, 0], after: [0, 1], value: 4 }),
      use('f32', { before: [], after: [], value: 4 }),
    ],
  },
  extend: {
    bound: exact,
    cases: [
      use('f32 2x5x3', { axis: 1, start: -4, size: 13, beyond: 'reflect' }),
      use('f32 6', { axis: 0, start: 2, size: 8, beyond: 'reflect' }),
      use('f32 2x1', { axis: 1, start: 0, size: 1, beyond: 'reflect' }),
      use('u8 3x5', { axis: 1, start: -2, size: 9, beyond: 'reflect' }),
      use('f32 2x5x3', { axis: 1, start: -7, size: 20, beyond: 'replicate' }),
      use('f32 5', { axis: 0, start: 7, size: 3, beyond: 'replicate' }),
      use('i32 2x3 <9', { axis: 0, start: -3, size: 4, beyond: 'replicate' }),
      use('f32 4x67', { axis: 1, start: -20, size: 67, beyond: 'circular' }),
      use('f32 5x3', { axis: 0, start: -5, size: 15, beyond: 'circular' }),
      use('i8 5x3', { axis: 0, start: 2, size: 5, beyond: 'circular' }),
      use('f32 5x3', { axis: 0, start: 2, size: 0, beyond: 'circular' }),
      use('f32 0x3', { axis: 0, start: 0, size: 0, beyond: 'circular' }),
    ],
  },
};
