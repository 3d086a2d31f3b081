import { fail } from '../core/errors.ts';
import { threefry2x32 } from '../core/random.ts';
import { sameShape, showShape, sizeOf } from '../core/shape.ts';
import { expectInputs } from './check.ts';
import { op } from './op.ts';

export interface DropoutAttrs {
  /** Probability that an element becomes 0, from 0 up to but not 1. */
  readonly p: number;
  /** Tells one dropout of a model from another under the same seed. */
  readonly salt: number;
}

/** Elements whose random word is below this become 0. */
export const dropThreshold = (p: number): number => Math.floor(p * 2 ** 32) >>> 0;

export const dropout = {
  /**
   * dropout(x, seed i32 [2] = (seed, step)): zero with probability p, else x / (1 - p).
   * Element e keeps its value when word e & 1 of threefry2x32(key = (seed, salt), counter = (e >>> 1, step))
   * is at least p * 2^32: the same mask on every backend, and in the gradient, which is this op again.
   */
  dropout: op<DropoutAttrs>({
    infer(inputs, { p, salt }) {
      expectInputs('dropout', inputs, ['f32', 'i32']);
      if (!(p >= 0 && p < 1))
        fail('out_of_range', `dropout: p is ${p}, expected a number from 0 up to, not including, 1`);
      if (!Number.isInteger(salt))
        fail('invalid_argument', `dropout: salt is ${salt}, expected a whole number`);
      if (!sameShape(inputs[1].shape, [2]))
        fail('shape_mismatch', `dropout: the seed has shape ${showShape(inputs[1].shape)}, expected [2]`);
      return inputs[0];
    },
    reference([x, seed], y, { p, salt }) {
      const threshold = dropThreshold(p);
      const scale = Math.fround(1 / (1 - p));
      const words = new Uint32Array(2);
      for (let e = 0; e < y.data.length; e++) {
        if ((e & 1) === 0) threefry2x32(seed.data[0], salt, e >>> 1, seed.data[1], words);
        y.data[e] = words[e & 1] >= threshold ? x.data[e] * scale : 0;
      }
    },
    flops: ([x]) => 60 * sizeOf(x.shape),
    gradient: ({ inputs: [, seed], dy, attrs, emit }) => [emit('dropout', [dy, seed], attrs), undefined],
  }),
};
