import type { dropout as rows } from '../src/ops/dropout.ts';
import { close } from './kit/bound.ts';
import { type Family, use } from './kit/case.ts';

export const dropout: Family<keyof typeof rows> = {
  dropout: {
    bound: close(1),
    cases: [0, 0.2, 0.5, 0.99].flatMap((p) =>
      [1, 2, 3, 8, 17, 1001].map((n, salt) => use(`f32 ${n}`, 'i32 2 =12345,-7', { p, salt })),
    ),
  },
};
