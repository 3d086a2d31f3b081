import { describe, expect, it } from 'vitest';
import { Random, threefry2x32 } from '../../src/core/random.ts';

describe('random numbers', () => {
  it.each([
    [
      [0, 0, 0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ])("Threefry gives Random123's known answers", ([k0, k1, c0, c1], want) => {
    const out = new Uint32Array(2);
    threefry2x32(k0, k1, c0, c1, out);
    expect([...out]).toEqual(want);
  });
  it('have the right mean and deviation', () => {
    const random = new Random(7);
    const draw = (f: () => number) => Array.from({ length: 20000 }, f);
    const mean = (a: number[]) => a.reduce((x, y) => x + y) / a.length;
    const [uniform, normal] = [draw(() => random.uniform()), draw(() => random.normal())];
    expect(mean(uniform)).toBeCloseTo(0.5, 1);
    expect(Math.abs(mean(normal))).toBeLessThan(0.03);
    expect(mean(normal.map((x) => x * x))).toBeCloseTo(1, 1);
    expect(new Set(draw(() => random.int(3))).size).toBe(3);
  });
});
