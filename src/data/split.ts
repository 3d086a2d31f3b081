import { check, seed as wholeSeed } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { Random } from '../core/random.ts';
import { byNumber } from './groups.ts';
import { shuffleInPlace } from './order.ts';

/** Positions of samples, in two parts that have none in common; each in the order of the data. */
export interface Split {
  /** Those to train on. */
  readonly train: Uint32Array<ArrayBuffer>;
  /** Those put aside. */
  readonly test: Uint32Array<ArrayBuffer>;
}

/** Options of `split`. */
export interface SplitOptions {
  /** The same seed makes the same split; 0 if not given. */
  readonly seed?: number;
  /** The class of each sample: every class then has about the same share in both parts. Not with `groups`. */
  readonly classes?: ArrayLike<number>;
  /** The group of each sample, such as whose it is: those of one group are then all in one part. */
  readonly groups?: ArrayLike<number>;
}

const numbers = check('an array of numbers', (x) => Array.isArray(x) || ArrayBuffer.isView(x));
const checkSplit = optionsOf<SplitOptions>('split', { seed: wholeSeed, classes: numbers, groups: numbers });

/** No epoch's order is drawn from this stream. */
const STREAM = 0x5eed;

/**
 * Puts a share of `length` samples aside, drawn at random: floor(length * share) of them, but at least one, and never all.
 * With `classes` it is stratified, and a class keeps at least one sample to train on. With `groups` whole groups are put aside, drawn at
 * random, as long as that brings their samples nearer to the share.
 * Throws 'out_of_range' for a share outside 0 to 1 or fewer than 2 samples (or groups), 'shape_mismatch' for another number of classes or groups.
 */
export function split(length: number, share: number, given?: SplitOptions): Split {
  const { seed = 0, classes, groups } = checkSplit(given);
  if (!(share > 0 && share < 1))
    fail('out_of_range', `the share is ${share}, expected more than 0 and less than 1`);
  if (length < 2) fail('out_of_range', `${length} samples can't be split in two parts`);
  if (classes && groups) fail('invalid_argument', 'split: got classes and groups, expected one of them');
  for (const [what, list] of Object.entries({ classes, groups }))
    if (list && list.length !== length)
      fail('shape_mismatch', `${list.length} ${what} for ${length} samples`);
  const wanted = Math.min(length - 1, Math.max(1, Math.floor(length * share)));
  const random = new Random(seed, STREAM);
  const apart = new Set(
    groups ? ofGroups(groups, wanted, random) : ofClasses(length, classes, wanted, random),
  );
  const train = Uint32Array.from({ length }, (_, i) => i).filter((i) => !apart.has(i));
  return { train, test: Uint32Array.from(apart).sort() };
}

/** `wanted` samples, of each class its share. */
function ofClasses(
  length: number,
  classes: ArrayLike<number> | undefined,
  wanted: number,
  random: Random,
): number[] {
  // Classes of one sample each leave nothing to put aside by class.
  const lone = !classes || new Set(Array.from(classes)).size === length;
  const shuffled = byNumber(length, lone ? undefined : classes).map((set) => shuffleInPlace(set, random));
  const sizes = shuffled.map((set) => set.length);
  const counts = shares(sizes, wanted / length, wanted);
  return shuffled.flatMap((set, k) => set.slice(0, counts[k]));
}

/** Whole groups with about `wanted` samples: at least one group, and never all. */
function ofGroups(groups: ArrayLike<number>, wanted: number, random: Random): number[] {
  const sets = byNumber(groups.length, groups);
  if (sets.length < 2) fail('out_of_range', `split: ${sets.length} group can't be split in two parts`);
  const apart: number[] = [];
  let left = sets.length - 1;
  for (const set of shuffleInPlace(sets, random)) {
    const nearer = Math.abs(apart.length + set.length - wanted) < wanted - apart.length;
    if (left === 0 || !nearer) continue;
    apart.push(...set);
    left--;
  }
  // Where each group is more than twice what is wanted, the smallest is the nearest.
  return apart.length ? apart : sets.reduce((a, b) => (b.length < a.length ? b : a));
}

/** How many of each group: its whole part of the share, and what is missing from `total` by the largest remainders. */
function shares(sizes: readonly number[], share: number, total: number): number[] {
  const counts = sizes.map((size) => Math.min(size - 1, Math.floor(size * share)));
  const remainder = (g: number) => sizes[g] * share - counts[g];
  const byRemainder = sizes.map((_, g) => g).sort((a, b) => remainder(b) - remainder(a));
  let missing = total - counts.reduce((a, b) => a + b, 0);
  while (missing > 0) {
    const open = byRemainder.filter((g) => counts[g] < sizes[g] - 1).slice(0, missing);
    if (open.length === 0) break;
    for (const g of open) counts[g]++;
    missing -= open.length;
  }
  return counts;
}
