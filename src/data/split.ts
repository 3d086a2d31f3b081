import { check, seed as wholeSeed } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { Random } from '../core/random.ts';
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
  /** The class of each sample: every class then has about the same share in both parts. */
  readonly classes?: ArrayLike<number>;
}

const classes = check('an array of class numbers', (x) => Array.isArray(x) || ArrayBuffer.isView(x));
const checkSplit = optionsOf<SplitOptions>('split', { seed: wholeSeed, classes });

/** No epoch's order is drawn from this stream. */
const STREAM = 0x5eed;

/**
 * Puts a share of `length` samples aside, drawn at random: floor(length * share) of them, but at least one, and never all.
 * With `classes` it is stratified, and a class keeps at least one sample to train on.
 * Throws 'out_of_range' for a share outside 0 to 1 or fewer than 2 samples, 'shape_mismatch' for another number of classes.
 */
export function split(length: number, share: number, given?: SplitOptions): Split {
  const { seed = 0, classes } = checkSplit(given);
  if (!(share > 0 && share < 1))
    fail('out_of_range', `the share is ${share}, expected more than 0 and less than 1`);
  if (length < 2) fail('out_of_range', `${length} samples can't be split in two parts`);
  if (classes && classes.length !== length)
    fail('shape_mismatch', `${classes.length} classes for ${length} samples`);
  const wanted = Math.min(length - 1, Math.max(1, Math.floor(length * share)));
  // Classes of one sample each leave nothing to put aside by class.
  const lone = !classes || new Set(Array.from(classes)).size === length;
  const groups = new Map<number, number[]>();
  for (let i = 0; i < length; i++) {
    const of = lone ? 0 : classes[i];
    groups.get(of)?.push(i) ?? groups.set(of, [i]);
  }
  const random = new Random(seed, STREAM);
  const shuffled = [...groups.entries()]
    .sort(([a], [b]) => a - b)
    .map(([, group]) => shuffleInPlace(group, random));
  const counts = shares(
    shuffled.map((group) => group.length),
    wanted / length,
    wanted,
  );
  const test = Uint32Array.from(shuffled.flatMap((group, g) => group.slice(0, counts[g]))).sort();
  const apart = new Set(test);
  const train = Uint32Array.from({ length }, (_, i) => i).filter((i) => !apart.has(i));
  return { train, test };
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
