import type { NormAttrs, norm as rows } from '../src/ops/norm.ts';
import type { Value } from '../src/ops/op.ts';
import { rowsOf } from '../src/ops/softmax.ts';
import { EPS, magnitude, roundings, TINY } from './kit/bound.ts';
import { type Case, type Family, noGradient, use } from './kit/case.ts';
import { normal, positive } from './kit/fill.ts';
import { f32 } from './kit/tensor.ts';

/** A sum's error over the rows of a channel, and the most that a value is scaled by. */
function sizes(x: Value, weight: Value, eps: number, least: number) {
  const rounding = roundings(rowsOf(x.shape).rows);
  const steep = 1 / Math.sqrt(least + eps);
  return { rounding, steep, scale: Math.max(1, magnitude(weight)) * steep };
}

/** The smallest variance of a channel of x. */
function leastVariance(x: Value): number {
  const { rows: count, n } = rowsOf(x.shape);
  let least = Infinity;
  for (let c = 0; c < n; c++) {
    let [sum, squares] = [0, 0];
    for (let r = 0; r < count; r++) sum += x.data[r * n + c];
    for (let r = 0; r < count; r++) squares += (x.data[r * n + c] - sum / count) ** 2;
    // Not that of a channel with NaN.
    if (squares / count < least) least = squares / count;
  }
  return least;
}

const forward = (inputs: readonly Value[], attrs: object): number => {
  const [x, weight, bias] = inputs;
  const { rounding, steep, scale } = sizes(x, weight, (attrs as NormAttrs).eps, leastVariance(x));
  const most = Math.max(1, magnitude(x));
  return 2 * rounding * (most * scale * (1 + (most * steep) ** 2) + most ** 2) + EPS * magnitude(bias) + TINY;
};

const backward = (inputs: readonly Value[], attrs: object): number => {
  const [dy, x, weight, mean, variance] = inputs;
  const least = Math.min(...variance.data);
  const { rounding, steep, scale } = sizes(x, weight, (attrs as NormAttrs).eps, least);
  const most = 1 + (magnitude(x) + magnitude(mean)) * steep;
  return 2 * rounding * magnitude(dy) * most ** 2 * (scale + rowsOf(x.shape).rows) + TINY;
};

const affine = (inputs: readonly Value[], attrs: object): number => {
  const [weight, , mean, variance] = inputs;
  const least = Math.min(...variance.data);
  const { scale } = sizes(mean, weight, (attrs as NormAttrs).eps, least);
  return 8 * EPS * scale * Math.max(1, magnitude(mean)) + TINY;
};

const eps = 1e-5;
/** Rows and channels around vectors of four, several threads and workgroups. */
const SHAPES = [
  [3, 1],
  [5, 3],
  [4, 4],
  [7, 5],
  [6, 2, 9],
  [64, 17],
  [300, 6],
  [2000, 3],
];
const vector = (n: number, fill = normal) => f32([n], fill);

const training = (more: Partial<NormAttrs> = {}): Case<NormAttrs>[] =>
  SHAPES.map((shape) => {
    const n = shape.at(-1)!;
    return use(f32(shape, normal), vector(n, positive), vector(n), { eps, ...more });
  });

export const norm: Family<keyof typeof rows> = {
  batch_norm: {
    bound: { abs: forward, rel: 8 * EPS },
    cases: [
      ...training(),
      use('f32 9x6 tame', 'f32 6', 'f32 6', { eps: 0.5 }),
      // A channel whose values are all the same; and one that holds NaN.
      ...noGradient<NormAttrs>(
        use('f32 8x5 =0.25', 'f32 5', 'f32 5', { eps }),
        use('f32 8x3 =1,2,NaN,3,5,4', 'f32 3', 'f32 3', { eps }),
      ),
    ],
  },
  batch_norm_backward: {
    bound: { abs: backward, rel: 8 * EPS },
    cases: SHAPES.map((shape) => {
      const n = shape.at(-1)!;
      const x = f32(shape, normal);
      return use(f32(shape, normal), x, vector(n), vector(n), vector(n, positive), { eps });
    }),
  },
  batch_norm_affine: {
    bound: { abs: affine, rel: 8 * EPS },
    cases: [1, 4, 7, 130].map((n) => use(vector(n), vector(n), vector(n), vector(n, positive), { eps })),
  },
};
