import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classWeights, kFolds } from '../../src/data/index.ts';

const all = (length: number) => [...Array(length).keys()];

describe('k folds', () => {
  it('put each sample aside once, in parts of one size, the same for the same seed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 12 }),
        fc.integer({ min: 12, max: 200 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 0, max: 99 }),
        (k, length, kinds, seed) => {
          const classes = Int32Array.from({ length }, (_, i) => (i * i) % kinds);
          for (const options of [{ seed }, { seed, classes }]) {
            const folds = kFolds(length, k, options);
            expect(folds.flatMap(({ test }) => [...test]).sort((a, b) => a - b)).toEqual(all(length));
            for (const { train, test } of folds) {
              expect([...train, ...test].sort((a, b) => a - b)).toEqual(all(length));
              expect(Math.abs(test.length - length / k)).toBeLessThan(1);
              if (!('classes' in options)) continue;
              for (let c = 0; c < kinds; c++) {
                const count = (list: Iterable<number>) => [...list].filter((i) => classes[i] === c).length;
                expect(Math.abs(count(test) - count(all(length)) / k)).toBeLessThanOrEqual(1);
              }
            }
            expect(kFolds(length, k, options)).toEqual(folds);
          }
        },
      ),
    );
  });

  it('keep groups whole', () => {
    const groups = Int32Array.from({ length: 60 }, (_, i) => Math.floor(Math.sqrt(i)));
    const folds = kFolds(60, 3, { groups, seed: 5 });
    for (const { train, test } of folds) {
      const inside = new Set([...test].map((i) => groups[i]));
      expect([...train].some((i) => inside.has(groups[i]))).toBe(false);
      expect(test.length).toBeGreaterThan(15);
    }
    expect(folds.flatMap(({ test }) => [...test]).sort((a, b) => a - b)).toEqual(all(60));
  });

  it.each<[what: string, make: () => unknown, message: RegExp]>([
    ['one fold', () => kFolds(10, 1), /k is 1, expected a whole number from 2/],
    ['more folds than samples', () => kFolds(3, 4), /3 samples can't make 4 folds/],
    [
      'more folds than groups',
      () => kFolds(6, 3, { groups: [0, 0, 1, 1, 0, 1] }),
      /2 groups can't make 3 folds/,
    ],
    ['other classes', () => kFolds(6, 2, { classes: [0, 1] }), /2 classes for 6 samples/],
    ['both', () => kFolds(2, 2, { classes: [0, 1], groups: [0, 1] }), /classes and groups/],
  ])('refuse %s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});

describe('class weights', () => {
  it('are those of scikit-learn, and sum up to the samples', () => {
    const weights = classWeights([0, 0, 1, 0]);
    expect([...weights]).toEqual([expect.closeTo(2 / 3, 6), 2]);
    expect(weights[0] * 3 + weights[1]).toBeCloseTo(4, 6);
  });
  it('refuse a class without a sample', () => {
    expect(() => classWeights([0, 2])).toThrow(/class 1 has no sample/);
    expect(() => classWeights([0, -1])).toThrow(/sample 1 is of class -1/);
  });
});
