import { check, listOf, real, whole, seed as wholeSeed } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { expectValue, optionsOf } from '../core/options.ts';
import { Random } from '../core/random.ts';
import { typesOf } from './batches.ts';
import { type AnyDataSet, named } from './dataset.ts';
import { byNumber } from './groups.ts';
import { arraysFor } from './rows.ts';
import type { StreamDataSet } from './stream.ts';

/** Options of sample() and balance(). */
export interface DrawOptions {
  /** Draws of a pass; as many as there are samples if not given. */
  readonly length?: number;
  /** The same seed makes the same draws, others for each pass; 0 if not given. */
  readonly seed?: number;
}

const checks = { length: whole(1), seed: wholeSeed };
const checkSample = optionsOf<DrawOptions>('sample', checks);
const checkBalance = optionsOf<DrawOptions>('balance', checks);
const weightList = listOf(real(0), 'a list of finite numbers from 0');
const classList = check('an array of class numbers', (x) => Array.isArray(x) || ArrayBuffer.isView(x));

/** No epoch's order is drawn from these streams of random numbers: passes are counted from here. */
const STREAM = 0xd4a3_0000;
/** Draws that are gathered together. */
const TOGETHER = 64;

/**
 * Samples drawn at random, again and again, each with a chance as its weight: as torch's WeightedRandomSampler with replacement. A stream,
 * since each pass draws others.
 * Throws 'shape_mismatch' for another number of weights, 'invalid_data' where all are 0.
 */
export function sample(data: AnyDataSet, weights: ArrayLike<number>, given?: DrawOptions): StreamDataSet {
  const { length = data.length, seed = 0 } = checkSample(given);
  expectValue('sample', 'weights', weights, weightList);
  if (weights.length !== data.length)
    fail('shape_mismatch', `sample: ${weights.length} weights for ${data.length} samples`);
  let sum = 0;
  const sums = Float64Array.from({ length: weights.length }, (_, i) => (sum += weights[i]));
  if (!(sum > 0 && sum < Infinity))
    fail('invalid_data', `sample: the weights add up to ${sum}, expected a finite number above 0`);
  const set = named(data);
  const types = typesOf(data);
  return {
    ...types,
    length,
    async *rows(pass) {
      const random = new Random(seed, (STREAM + pass) >>> 0);
      for (let at = 0; at < length; at += TOGETHER) {
        const count = Math.min(TOGETHER, length - at);
        const drawn = Uint32Array.from({ length: count }, () => firstAbove(sums, random.uniform() * sum));
        const rows = arraysFor(types, count);
        await set.gather(drawn, rows.inputs, rows.targets);
        yield rows;
      }
    },
  };
}

/** The first position of a sum above a value, in sums that never fall. */
function firstAbove(sums: Float64Array, value: number): number {
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Samples drawn at random so that each class is as likely as the others, however many samples it has; within a class all are
 * alike. Draws are those of sample(). Throws 'shape_mismatch' for another number of classes.
 */
export function balance(data: AnyDataSet, classes: ArrayLike<number>, given?: DrawOptions): StreamDataSet {
  const options = checkBalance(given);
  expectValue('balance', 'classes', classes, classList);
  if (classes.length !== data.length)
    fail('shape_mismatch', `balance: ${classes.length} classes for ${data.length} samples`);
  const weights = new Float64Array(classes.length);
  for (const of of byNumber(classes.length, classes)) for (const i of of) weights[i] = 1 / of.length;
  return sample(data, weights, options);
}
