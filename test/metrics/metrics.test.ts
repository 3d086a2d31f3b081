import { describe, expect, it } from 'vitest';
import { metrics } from '../../src/index.ts';

/** Answers that name a class each. */
const classes = (count: number, ...picked: number[]) =>
  picked.flatMap((c) => Array.from({ length: count }, (_, i) => (i === c ? 1 : 0)));
const of = <T>(metric: metrics.Metric<T>, outputs: number[], targets: number[]) =>
  metrics.measure(metric, outputs, targets);

/** Values of scikit-learn's functions of the same names, for the same arrays. */
describe('metrics', () => {
  it('count over all samples, whatever the batches', () => {
    const outputs = classes(3, 0, 1, 2, 1, 0, 2, 2);
    const targets = [0, 1, 1, 1, 2, 2, 0];
    const all = [
      metrics.accuracy(),
      metrics.f1(),
      metrics.precision({ average: 'weighted' }),
      metrics.topK(2),
    ];
    for (const metric of all) {
      const whole = of(metric, outputs, targets);
      for (const size of [1, 2, 3, 7]) {
        const gathering = metric.start();
        for (let at = 0; at < 7; at += size)
          gathering.add(outputs.slice(at * 3, (at + size) * 3), targets.slice(at, at + size));
        expect(gathering.value()).toBeCloseTo(whole, 12);
      }
    }
    expect(of(metrics.accuracy(), outputs, targets)).toBeCloseTo(4 / 7, 12);
    // precision_score(average='weighted') of y_true [0,1,1,1,2,2,0], y_pred [0,1,2,1,0,2,2]
    expect(of(metrics.precision({ average: 'weighted' }), outputs, targets)).toBeCloseTo(0.6666666667, 9);
    expect(of(metrics.f1(), outputs, targets)).toBeCloseTo(0.5666666667, 9);
    expect(of(metrics.confusionMatrix(), outputs, targets)).toEqual([
      [1, 0, 1],
      [0, 2, 1],
      [1, 0, 1],
    ]);
  });

  it('are 0 where there is nothing to divide by, and count classes as scikit-learn does', () => {
    const pairs = classes(2, 1, 1);
    expect(of(metrics.f1({ average: null }), pairs, [0, 1])).toEqual([0, expect.closeTo(2 / 3, 12)]);
    expect(of(metrics.f1(), pairs, [0, 1])).toBeCloseTo(1 / 3, 12);
    const zeros = classes(4, 0, 0, 0, 0, 0);
    const f1 = of(metrics.f1({ average: null }), zeros, [0, 1, 0, 1, 2]);
    expect(f1).toEqual([expect.closeTo(4 / 7, 12), 0, 0, 0]);
    // The fourth class neither occurs nor is answered.
    expect(of(metrics.f1(), zeros, [0, 1, 0, 1, 2])).toBeCloseTo(4 / 21, 12);
    expect(of(metrics.recall({ average: 'binary' }), classes(2, 0, 0), [0, 0])).toBe(0);
    expect(of(metrics.f1({ average: 'micro' }), zeros, [0, 1, 0, 1, 2])).toBeCloseTo(0.4, 12);
  });

  it('take one logit a sample for two classes', () => {
    expect(of(metrics.accuracy(), [2, -1, 0.5, -3], [1, 0, 0, 0])).toBe(0.75);
    expect(of(metrics.confusionMatrix(), [2, -1, 0.5, -3], [1, 0, 0, 0])).toEqual([
      [2, 1],
      [0, 1],
    ]);
  });

  it('rank: auc with ties, top k with ties', () => {
    // roc_auc_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    expect(of(metrics.auc(), [0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])).toBe(0.75);
    expect(of(metrics.auc(), [1, 1, 1, 1], [0, 1, 0, 1])).toBe(0.5);
    expect(of(metrics.auc(), [0, 1, 1, 0], [0, 1])).toBe(0);
    expect(of(metrics.topK(2), [3, 3, 3, 1], [1])).toBe(1);
    expect(of(metrics.topK(2), [3, 3, 3, 1], [2])).toBe(0);
  });

  it('of values: errors and r2, over all values together', () => {
    const gathering = metrics.rmse().start();
    gathering.add([3], [0]);
    gathering.add([1, 1], [1, 1]);
    expect(gathering.value()).toBeCloseTo(Math.sqrt(3), 12);
    // r2_score, mean_absolute_error of y_true [3, -0.5, 2, 7], y_pred [2.5, 0, 2, 8]
    const [answers, targets] = [
      [2.5, 0, 2, 8],
      [3, -0.5, 2, 7],
    ];
    expect(of(metrics.r2(), answers, targets)).toBeCloseTo(0.9486081370449679, 12);
    expect(of(metrics.mae(), answers, targets)).toBe(0.5);
    expect(of(metrics.mse(), answers, targets)).toBe(0.375);
    expect(of(metrics.r2(), [1e8 + 1, 1e8 + 2], [1e8 + 1, 1e8 + 2])).toBe(1);
    expect(of(metrics.r2(), [1, 2], [1, 1])).toBe(0);
  });

  it.each<[what: string, make: () => unknown, message: RegExp]>([
    [
      'answers that are not as many for each',
      () => of(metrics.accuracy(), [1, 2, 3], [0, 1]),
      /3 answers for 2 targets/,
    ],
    [
      'a class that is none',
      () => of(metrics.accuracy(), [1, 2], [2]),
      /target 0 is 2, expected a class from 0 to 1/,
    ],
    ['an answer of NaN', () => of(metrics.accuracy(), [1, Number.NaN], [0]), /answer to sample 0 is NaN/],
    [
      'NaN among the largest',
      () => of(metrics.topK(1), [Number.NaN, 1, 2], [0]),
      /answer to sample 0 is NaN/,
    ],
    ['a score of NaN', () => of(metrics.auc(), [0.5, Number.NaN], [0, 1]), /answer to sample 1 is NaN/],
    ['a class that top k has no answer for', () => of(metrics.topK(2), [1, 2, 3], [7]), /target 0 is 7/],
    [
      'a third class of two',
      () => of(metrics.auc(), [1, 2], [0, 2]),
      /target 1 is 2, expected a class from 0 to 1/,
    ],
    ['a k of 0', () => metrics.topK(0), /k is 0, expected a whole number from 1/],
    [
      'an average that is none',
      () => metrics.f1({ average: 'mean' as never }),
      /average is 'mean', expected/,
    ],
    ['values beside fewer targets', () => of(metrics.mse(), [1, 2], [1]), /2 answers for 1 targets/],
  ])('refuse %s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});
