import { check, whole, seed as wholeSeed } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { expectValue, optionsOf } from '../core/options.ts';
import { Random } from '../core/random.ts';
import { byNumber } from './groups.ts';
import { shuffleInPlace } from './order.ts';
import type { Split } from './split.ts';

/** Options of kFolds(). */
export interface FoldOptions {
  /** The same seed makes the same folds; 0 if not given. */
  readonly seed?: number;
  /** The class of each sample: every class then has about the same share in each fold. Not with `groups`. */
  readonly classes?: ArrayLike<number>;
  /** The group of each sample, such as whose it is: those of one group are then all in one fold. */
  readonly groups?: ArrayLike<number>;
}

const numbers = check('an array of numbers', (x) => Array.isArray(x) || ArrayBuffer.isView(x));
const checkFolds = optionsOf<FoldOptions>('kFolds', { seed: wholeSeed, classes: numbers, groups: numbers });

/** No other order is drawn from this stream. */
const STREAM = 0xf01d;

/**
 * `k` splits of `length` samples: each sample is put aside in one of them, and sizes differ by one at most (by group, as little as groups
 * allow). Positions are in the order of the data.
 * Throws 'out_of_range' for fewer samples (or groups) than folds, 'shape_mismatch' for another number of classes or groups.
 */
export function kFolds(length: number, k: number, given?: FoldOptions): Split[] {
  const { seed = 0, classes, groups } = checkFolds(given);
  expectValue('kFolds', 'k', k, whole(2));
  if (classes && groups) fail('invalid_argument', 'kFolds: got classes and groups, expected one of them');
  for (const [what, list] of Object.entries({ classes, groups }))
    if (list && list.length !== length)
      fail('shape_mismatch', `kFolds: ${list.length} ${what} for ${length} samples`);
  const sets = byNumber(length, groups ?? classes);
  const units = groups ? sets.length : length;
  if (units < k)
    fail('out_of_range', `kFolds: ${units} ${groups ? 'groups' : 'samples'} can't make ${k} folds`);
  const random = new Random(seed, STREAM);
  const folds = Array.from({ length: k }, (): number[] => []);
  if (groups) {
    // The largest first, each to the fold that has least.
    const order = [...shuffleInPlace([...sets.keys()], random)].sort(
      (a, b) => sets[b].length - sets[a].length,
    );
    for (const g of order) folds.reduce((a, b) => (b.length < a.length ? b : a)).push(...sets[g]);
  } else {
    // Classes one after the other, dealt out in turns: what one leaves over, the next goes on with.
    let turn = 0;
    for (const set of sets) for (const i of shuffleInPlace(set, random)) folds[turn++ % k].push(i);
  }
  return folds.map((fold) => {
    const apart = new Set(fold);
    return {
      test: Uint32Array.from(fold).sort(),
      train: Uint32Array.from({ length }, (_, i) => i).filter((i) => !apart.has(i)),
    };
  });
}

/**
 * A weight for each class, numbered from 0, with which all classes weigh the same together: samples / (classes * samples of the class), as
 * scikit-learn's 'balanced'. Throws 'invalid_data' for a class without a sample.
 */
export function classWeights(classes: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const counts: number[] = [];
  for (let i = 0; i < classes.length; i++) {
    const c = classes[i];
    if (!Number.isInteger(c) || c < 0 || c >= 2 ** 24)
      fail('out_of_range', `classWeights: sample ${i} is of class ${c}, expected a whole number from 0`);
    counts[c] = (counts[c] ?? 0) + 1;
  }
  return Float32Array.from(counts, (count, c) =>
    count
      ? classes.length / (counts.length * count)
      : fail('invalid_data', `classWeights: class ${c} has no sample`),
  );
}
