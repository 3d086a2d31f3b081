import { either, oneOf, whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { expectValue, optionsOf } from '../core/options.ts';
import type { Gathering, Metric, Numbers } from './metric.ts';

/** Answers of each sample; classes are numbers from 0 to one less. Throws 'shape_mismatch' where they don't fit. */
function widthOf(name: string, outputs: Numbers, targets: Numbers): number {
  const width = outputs.length / targets.length;
  if (targets.length > 0 && Number.isInteger(width) && width > 0) return width;
  if (targets.length === 0 && outputs.length === 0) return 1;
  return fail(
    'shape_mismatch',
    `${name}: got ${outputs.length} answers for ${targets.length} targets, expected as many for each`,
  );
}

/**
 * The class of a sample: where the largest answer is, the first of equals; of one answer, whether it is above 0 (a logit). Throws
 * 'invalid_data' for NaN, which is no answer.
 */
function classOf(name: string, outputs: Numbers, row: number, width: number): number {
  let best = 0;
  for (let i = 0; i < width; i++) {
    const answer = outputs[row * width + i];
    if (Number.isNaN(answer)) noAnswer(name, row);
    if (answer > outputs[row * width + best]) best = i;
  }
  return width > 1 ? best : outputs[row] > 0 ? 1 : 0;
}

const noAnswer = (name: string, row: number): never =>
  fail(
    'invalid_data',
    `${name}: the answer to sample ${row} is NaN; the model has diverged, or its inputs hold NaN`,
  );

function expectClass(name: string, targets: Numbers, row: number, classes: number): number {
  const target = targets[row];
  return Number.isInteger(target) && target >= 0 && target < classes
    ? target
    : fail('out_of_range', `${name}: target ${row} is ${target}, expected a class from 0 to ${classes - 1}`);
}

/** Visits every sample: its class as answered, and as it should be. */
function eachClass(
  name: string,
  outputs: Numbers,
  targets: Numbers,
  visit: (got: number, want: number) => void,
): void {
  const width = widthOf(name, outputs, targets);
  for (let row = 0; row < targets.length; row++)
    visit(classOf(name, outputs, row, width), expectClass(name, targets, row, Math.max(2, width)));
}

/** A part of the samples. */
function share(name: string, hits: (outputs: Numbers, targets: Numbers) => number): Metric {
  return {
    name,
    mode: 'max',
    start() {
      let [right, all] = [0, 0];
      return {
        add(outputs, targets) {
          right += hits(outputs, targets);
          all += targets.length;
        },
        value: () => (all === 0 ? 0 : right / all),
      };
    },
  };
}

/** The share of samples whose largest answer is their class; with one answer a sample, whose sign is. */
export const accuracy = (): Metric =>
  share('accuracy', (outputs, targets) => {
    let right = 0;
    eachClass('accuracy', outputs, targets, (got, want) => {
      right += got === want ? 1 : 0;
    });
    return right;
  });

/** The share of samples whose class is among the k largest answers; of equal ones those with the lower number come first. */
export function topK(k: number): Metric {
  expectValue('topK', 'k', k, whole(1));
  const name = `top${k}`;
  return share(name, (outputs, targets) => {
    const width = widthOf(name, outputs, targets);
    let right = 0;
    for (let row = 0; row < targets.length; row++) {
      const own = outputs[row * width + expectClass(name, targets, row, width)];
      let before = 0;
      for (let i = 0; i < width; i++) {
        const other = outputs[row * width + i];
        if (Number.isNaN(other)) noAnswer(name, row);
        if (other > own || (other === own && i < targets[row])) before++;
      }
      right += before < k ? 1 : 0;
    }
    return right;
  });
}

/** How often class i was answered with class j: counts[i][j], as scikit-learn's confusion_matrix. */
export function confusionMatrix(): Metric<number[][]> {
  return {
    name: 'confusionMatrix',
    mode: 'max',
    start() {
      const counts: number[][] = [];
      const grow = (n: number) => {
        while (counts.length < n) counts.push([]);
        for (const row of counts) while (row.length < counts.length) row.push(0);
      };
      return {
        add(outputs, targets) {
          grow(Math.max(2, widthOf('confusionMatrix', outputs, targets)));
          eachClass('confusionMatrix', outputs, targets, (got, want) => {
            counts[want][got]++;
          });
        },
        value: () => counts.map((row) => [...row]),
      };
    },
  };
}

/** How the values of classes become one: 'macro' their mean, 'micro' of all together, 'weighted' by how often a class occurs, 'binary' that of class 1. */
export type Average = 'macro' | 'micro' | 'weighted' | 'binary';

/** Options of precision(), recall() and f1(). */
export interface AverageOptions {
  /** 'macro' if not given; null: a value for each class. */
  readonly average?: Average | null;
}

interface Counts {
  readonly hits: number;
  /** Samples that were answered with the class, and that are of it. */
  readonly answered: number;
  readonly there: number;
}

/** Nothing to divide by gives 0, as in scikit-learn. */
const ratio = (a: number, b: number) => (b === 0 ? 0 : a / b);

function scored(
  name: string,
  score: (counts: Counts) => number,
): {
  (options: { readonly average: null }): Metric<number[]>;
  (options?: { readonly average?: Average }): Metric;
} {
  const isAverage = either(
    oneOf('macro', 'micro', 'weighted', 'binary'),
    Object.assign((x: unknown) => x === null, { expected: 'null' }),
  );
  const check = optionsOf<AverageOptions>(name, { average: isAverage });
  return ((given?: AverageOptions) => {
    const { average = 'macro' } = check(given);
    return {
      name,
      mode: 'max',
      start(): Gathering<number | number[]> {
        const matrix = confusionMatrix().start();
        return { add: matrix.add, value: () => averaged(matrix.value(), average, score) };
      },
    };
  }) as never;
}

function averaged(
  matrix: number[][],
  average: Average | null,
  score: (counts: Counts) => number,
): number | number[] {
  const classes = matrix.map(
    (row, c): Counts => ({
      hits: row[c],
      answered: matrix.reduce((sum, other) => sum + other[c], 0),
      there: row.reduce((a, b) => a + b, 0),
    }),
  );
  if (average === null) return classes.map(score);
  if (average === 'binary') return classes.length > 1 ? score(classes[1]) : 0;
  const sum = (of: (c: Counts) => number) => classes.reduce((total, c) => total + of(c), 0);
  if (average === 'micro')
    return score({ hits: sum((c) => c.hits), answered: sum((c) => c.answered), there: sum((c) => c.there) });
  // Classes that neither occur nor are answered count for nothing, as in scikit-learn.
  const seen = classes.filter(({ answered, there }) => answered + there > 0);
  if (average === 'weighted')
    return ratio(
      sum((c) => score(c) * c.there),
      sum((c) => c.there),
    );
  return ratio(
    seen.reduce((total, c) => total + score(c), 0),
    seen.length,
  );
}

/** Of the samples answered with a class, the share that is of it. */
export const precision = scored('precision', ({ hits, answered }) => ratio(hits, answered));
/** Of the samples of a class, the share answered with it. */
export const recall = scored('recall', ({ hits, there }) => ratio(hits, there));
/** 2 hits / (answered + there): the harmonic mean of precision and recall of a class. */
export const f1 = scored('f1', ({ hits, answered, there }) => ratio(2 * hits, answered + there));

/**
 * The area under the ROC curve of one score a sample (any number that grows with the chance of class 1), or of two answers, whose
 * difference it is: the share of pairs of both classes that are in order, ties counting half. NaN where a class is missing.
 */
export const auc = (): Metric => ({
  name: 'auc',
  mode: 'max',
  start() {
    const scores: number[] = [];
    const classes: number[] = [];
    return {
      add(outputs, targets) {
        const width = widthOf('auc', outputs, targets);
        if (width > 2) fail('shape_mismatch', `auc: got ${width} answers a sample, expected one or two`);
        for (let row = 0; row < targets.length; row++) {
          const score = width === 1 ? outputs[row] : outputs[row * 2 + 1] - outputs[row * 2];
          if (Number.isNaN(score)) noAnswer('auc', row);
          scores.push(score);
          classes.push(expectClass('auc', targets, row, 2));
        }
      },
      value() {
        const order = scores.map((_, i) => i).sort((a, b) => scores[a] - scores[b]);
        let ranks = 0;
        for (let i = 0; i < order.length; ) {
          let end = i;
          while (end < order.length && scores[order[end]] === scores[order[i]]) end++;
          // Equal scores share the mean of their ranks.
          for (let j = i; j < end; j++) if (classes[order[j]] > 0) ranks += (i + 1 + end) / 2;
          i = end;
        }
        const positive = classes.filter((c) => c > 0).length;
        return (ranks - (positive * (positive + 1)) / 2) / (positive * (classes.length - positive));
      },
    };
  },
});
