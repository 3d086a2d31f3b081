import { expect, it } from 'vitest';
import { duration } from '../../src/core/duration.ts';

it('a duration is told in the largest of the units that it has one of', () => {
  expect(duration(0)).toBe('0.0 us');
  expect(duration(0.9)).toBe('900.0 us');
  expect(duration(1)).toBe('1.0 ms');
  expect(duration(61_234)).toBe('61.2 s');
  expect(duration(2e-4, { ns: 0, us: 1, ms: 2 })).toBe('200 ns');
  expect(duration(1e-3, { ns: 0, us: 1, ms: 2 })).toBe('1.0 us');
  expect(duration(5000, { ns: 0, us: 1, ms: 2 })).toBe('5000.00 ms');
  expect(duration(0.25, { µs: 1, s: 1 })).toBe('250.0 µs');
});
