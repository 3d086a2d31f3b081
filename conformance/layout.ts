import type { layout as rows } from '../src/ops/layout.ts';
import { exact } from './kit/bound.ts';
import { type Case, type Family, use, usesOf } from './kit/case.ts';

const transposed = (shape: string, ...perm: number[]): Case<{ perm: readonly number[] }>[] =>
  usesOf([`f32 ${shape}`, `u8 ${shape}`, `i32 ${shape} <99`], { perm });

export const layout: Family<keyof typeof rows> = {
  reshape: {
    bound: exact,
    cases: [use('f32 3x4', { shape: [2, 6] }), use('f32 0x4', { shape: [8, 0] })],
  },
  transpose: {
    bound: exact,
    cases: [
      ...transposed('5x7', 1, 0),
      ...transposed('3x4x5', 2, 0, 1),
      ...transposed('3x4x5', 0, 2, 1),
      ...transposed('2x3x4x5', 3, 1, 2, 0),
      ...transposed('7', 0),
      ...transposed('0x3', 1, 0),
      ...transposed('130x67', 1, 0),
    ],
  },
  slice: {
    bound: exact,
    cases: [
      use('f32 10', { starts: [2], ends: [9], steps: [1] }),
      use('f32 10', { starts: [1], ends: [10], steps: [3] }),
      use('f32 5x7x9', { starts: [1, 0, 2], ends: [4, 7, 9], steps: [1, 2, 3] }),
      use('f32 5x7', { starts: [2, 3], ends: [2, 7], steps: [1, 1] }),
      use('u8 5x7', { starts: [1, 1], ends: [4, 7], steps: [1, 2] }),
    ],
  },
  slice_backward: {
    bound: exact,
    cases: [
      use('f32 7', { shape: [10], starts: [2], ends: [9], steps: [1] }),
      use('f32 3x4x3', { shape: [5, 7, 9], starts: [1, 0, 2], ends: [4, 7, 9], steps: [1, 2, 3] }),
      use('f32 0x4', { shape: [5, 7], starts: [2, 3], ends: [2, 7], steps: [1, 1] }),
      use('u8 3x3', { shape: [5, 7], starts: [1, 1], ends: [4, 7], steps: [1, 2] }),
    ],
  },
  concat: {
    bound: exact,
    cases: [
      use('f32 3', 'f32 5', { axis: 0 }),
      use('f32 2x3', 'f32 2x1', 'f32 2x0', 'f32 2x7', { axis: 1 }),
      use('f32 2x3x4', 'f32 5x3x4', { axis: 0 }),
      use('u8 2x3', 'u8 2x2', { axis: 1 }),
      use('f32 4', { axis: 0 }),
    ],
  },
  broadcast: {
    bound: exact,
    cases: [
      use('f32', { shape: [5, 3] }),
      use('f32 1x3', { shape: [5, 3] }),
      use('f32 5x1', { shape: [2, 5, 130] }),
      use('f32 1', { shape: [0] }),
      use('u8 3x1', { shape: [3, 5] }),
    ],
  },
};
