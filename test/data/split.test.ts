import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromArrays, pick, split, standardize, transformed } from '../../src/data/index.ts';

const count = (classes: ArrayLike<number>, part: Uint32Array) => {
  const counts: Record<number, number> = {};
  for (const i of part) counts[classes[i]] = (counts[classes[i]] ?? 0) + 1;
  return counts;
};

describe('split', () => {
  it('parts all samples, each in one part, the same for the same seed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 300 }),
        fc.double({ min: 0.01, max: 0.9, noNaN: true }),
        fc.integer({ min: 0, max: 1000 }),
        fc.integer({ min: 1, max: 9 }),
        (length, share, seed, kinds) => {
          const classes = Int32Array.from({ length }, (_, i) => (i * i) % kinds);
          for (const options of [{ seed }, { seed, classes }]) {
            const { train, test } = split(length, share, options);
            expect([...train, ...test].sort((a, b) => a - b)).toEqual([...Array(length).keys()]);
            expect(test.length).toBeGreaterThan(0);
            expect(train.length).toBeGreaterThan(0);
            expect(split(length, share, options)).toEqual({ train, test });
            if (!('classes' in options))
              expect(test.length).toBe(Math.min(length - 1, Math.max(1, Math.floor(length * share))));
          }
        },
      ),
    );
  });

  it('takes the same share of each class, however the classes lie', () => {
    const classes = Int32Array.from({ length: 150 }, (_, i) => Math.floor(i / 50));
    const { train, test } = split(150, 0.2, { seed: 1, classes });
    expect(count(classes, test)).toEqual({ 0: 10, 1: 10, 2: 10 });
    expect(count(classes, train)).toEqual({ 0: 40, 1: 40, 2: 40 });
    expect([...test].some((i, at) => i !== at && i < 50)).toBe(true);
    expect(split(150, 0.2, { seed: 2, classes }).test).not.toEqual(test);
  });

  it('leaves a class of one sample to train on', () => {
    const classes = Int32Array.from({ length: 20 }, (_, i) => +(i === 7));
    expect([...split(20, 0.5, { classes }).train]).toContain(7);
    // Where every sample is a class of its own, by chance.
    expect(split(5, 0.2, { classes: [0, 1, 2, 3, 4] }).test).toHaveLength(1);
  });

  it('refuses what can not be', () => {
    for (const share of [0, 1, -1, Number.NaN])
      expect(() => split(10, share)).toThrow('expected more than 0');
    expect(() => split(1, 0.5)).toThrow("can't be split");
    expect(() => split(3, 0.5, { classes: [1] })).toThrow('1 classes for 3 samples');
  });
});

describe('pick', () => {
  const set = fromArrays({
    input: Float32Array.of(1, 2, 3),
    inputShape: [1],
    target: Int32Array.of(4, 5, 6),
  });
  it('gives samples by their positions, and no others', () => {
    const picked = pick(set, [2, 0]);
    const [input, target] = [new Float32Array(2), new Int32Array(2)];
    picked.gather([1, 0], input, target);
    expect([picked.length, ...input, ...target]).toEqual([2, 1, 3, 4, 6]);
    expect(() => picked.gather([2], input, target)).toThrow('sample 2 was asked for; the data set has 2');
    expect(() => pick(set, [3])).toThrow('sample 3');
  });
});

describe('standardize', () => {
  it('gives each value the mean 0 and the deviation 1, over the samples named', () => {
    const values = Float32Array.of(1, 10, 3, 10, 5, 10, 1000, 7);
    const transform = standardize(values, 2, [0, 1, 2]);
    expect(Array.from(transform.mean)).toEqual([3, 10]);
    expect(transform.deviation[0]).toBeCloseTo(Math.sqrt(8 / 3), 12);
    // The same in all samples: nothing to divide by.
    expect(transform.deviation[1]).toBe(1);
    const seen = transformed(values, 2, transform);
    expect(seen[0] + seen[2] + seen[4]).toBeCloseTo(0, 6);
    expect([seen[1], seen[3], seen[5]]).toEqual([0, 0, 0]);
    expect(seen[7]).toBe(-3);
  });

  it('keeps the digits of values far from 0, and takes a constant for one whatever its rounding', () => {
    const years = Float32Array.from({ length: 100 }, (_, i) => 16_000_000 + (i % 2));
    const { mean, deviation } = standardize(years, 1);
    expect([mean[0], deviation[0]]).toEqual([16_000_000.5, 0.5]);
    const constant = standardize(new Float32Array(999).fill(0.1), 1);
    expect(constant.deviation[0]).toBe(1);
    expect(transformed(new Float32Array(1).fill(0.1), 1, constant)[0]).toBe(0);
  });

  it('takes bytes, and is what fromArrays does', () => {
    const input = Uint8Array.of(0, 255, 4, 0, 2, 255);
    const transform = standardize(input, 2);
    const set = fromArrays({ input, inputShape: [2], target: Int32Array.of(0, 1, 2), transform });
    const [into, target] = [new Float32Array(6), new Int32Array(3)];
    set.gather([0, 1, 2], into, target);
    expect(into).toEqual(transformed(input, 2, transform));
    expect(() => standardize(new Float32Array(0), 2)).toThrow('no samples');
    expect(() => transformed(input, 3, transform)).toThrow('2 means and 2 deviations; a sample has 3 values');
    expect(() =>
      fromArrays({
        ...{ input, inputShape: [2], target: Int32Array.of(0, 1, 2) },
        transform: { mean: [0, 0], deviation: [1, 0] },
      }),
    ).toThrow('deviation');
  });
});
