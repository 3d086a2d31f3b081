import type { Random } from '../../src/core/random.ts';

/** Values of a test tensor, one element at a time. */
export type Fill = (i: number, random: Random) => number;

/** Normal values that stay off the kinks at 0, so that central differences hold. */
export const normal: Fill = (_, random) => {
  const x = random.normal();
  return Math.abs(x) < 0.05 ? x + Math.sign(x || 1) * 0.1 : x;
};
export const wide: Fill = (_, random) => random.normal() * 30;
/** Around 0, where functions are the difference of what is almost the same. */
export const tiny: Fill = (i, random) => (random.uniform() + 0.5) * 10 ** -(1 + (i % 7)) * (i % 2 ? 1 : -1);
/** An activation's output or input, where its derivative is at most 1.2. */
export const tame: Fill = (_, random) => random.uniform() * 1.6 - 0.7;
export const positive: Fill = (_, random) => 0.1 + random.uniform();
export const unit: Fill = (_, random) => random.uniform();
/** Distinct values in random order, so that the largest is unique by a margin. */
export const distinct: Fill = (i, random) => i * 0.01 + 0.001 * random.uniform();
export const zeros: Fill = () => 0;
export const below =
  (n: number): Fill =>
  (_, random) =>
    random.int(n);
export const bytes: Fill = (_, random) => random.int(256);
export const weights: Fill = (_, random) => random.int(255) - 127;
export const constantly =
  (...values: number[]): Fill =>
  (i) =>
    values[i % values.length];

/** Everything that breaks careless kernels, among ordinary values. No denormals: GPUs may flush them to zero. */
export const specials = constantly(
  Number.NaN,
  1.5,
  Infinity,
  -Infinity,
  0,
  -0,
  3.4e38,
  -3.4e38,
  1e-37,
  -0.75,
  88.8,
  -88.8,
  104,
  -104,
  0.5,
  -2,
  1e4,
  -1e4,
  2.5,
  -3,
  3,
);
/** The same without the largest numbers, whose sums overflow in f32 but not in the reference's f64. */
export const modestSpecials: Fill = (i, random) => {
  const x = specials(i, random);
  return Math.abs(x) > 1e38 && Number.isFinite(x) ? 1e8 : x;
};
/** Operands of very different sizes: a small one beside a large one is lost or kept, never wrong by its own size. */
export const uneven = constantly(1e8, 1, -3e-8, -1e8, 2.5e-4, 7e5, -1e-3, 3);
/** The ends of f32, its least normal numbers, and both zeros: no NaN, no infinity, no denormals. */
export const extremes = constantly(
  3.4e38,
  -3.4e38,
  1.2e-38,
  -1.2e-38,
  0,
  -0,
  1e19,
  -1e-19,
  1,
  -1.5,
  1e-7,
  -1e-7,
  2e30,
);
/** Infinities without NaN, for ops in which one NaN would hide the rest. */
export const infinities = constantly(1, -Infinity, 2, -1, 0.5, -2, 3);

/** What a tensor's text may name. */
export const fills = {
  ...{ normal, wide, tiny, tame, positive, unit, distinct, zeros, bytes, weights },
  ...{ specials, modestSpecials, uneven, extremes, infinities },
} satisfies Record<string, Fill>;
