import { describe, expect, it } from 'vitest';
import { breakEven } from '../../tools/digits/costs.ts';

describe('breakEven', () => {
  it.each([
    [100, 10, 10],
    [101, 10, 11],
    [1, 10, 1],
    [0, 10, 0],
    [309_980_661_120, 470_282, 659_138],
  ])('of %d once and %d each is %d', (training, inference, expected) => {
    expect(breakEven(training, inference)).toBe(expected);
  });

  it('is never where it makes no sense', () => {
    for (const [training, inference] of [
      [1, 0],
      [1, -1],
      [NaN, 1],
      [1, NaN],
    ])
      expect(breakEven(training, inference)).toBe(Infinity);
  });
});
