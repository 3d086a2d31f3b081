import type { TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { showShape } from '../core/shape.ts';
import type { Initializer } from '../graph/variable.ts';

/** Uniform in +-bound. */
export const uniform =
  (bound: number): Initializer =>
  (random, data) => {
    for (let i = 0; i < data.length; i++) data[i] = (2 * random.uniform() - 1) * bound;
  };

/** Normal with mean 0. */
export const normal =
  (deviation = 1): Initializer =>
  (random, data) => {
    for (let i = 0; i < data.length; i++) data[i] = random.normal() * deviation;
  };

/** He et al. 2015, for layers followed by ReLU: normal with variance 2 / fan-in, for weights (out, in). */
export const kaimingNormal = (): Initializer => (random, data, shape) => {
  const deviation = Math.sqrt(2 / (data.length / shape[0]));
  for (let i = 0; i < data.length; i++) data[i] = random.normal() * deviation;
};

/** Every element the same value. */
export const constant =
  (value: number): Initializer<TypedArray> =>
  (_, data) => {
    data.fill(value);
  };

/** Given values, for models that come from elsewhere. */
export const values =
  (given: ArrayLike<number>): Initializer<TypedArray> =>
  (_, data, shape) => {
    if (given.length !== data.length)
      fail(
        'shape_mismatch',
        `init.values: got ${given.length} values for a parameter of shape ${showShape(shape)}, expected ${data.length}`,
      );
    data.set(given);
  };
