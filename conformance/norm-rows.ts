import type { NormAttrs } from '../src/ops/norm.ts';
import type { RowNormAttrs, normRows as rows } from '../src/ops/norm-rows.ts';
import type { Value } from '../src/ops/op.ts';
import { rowsOf } from '../src/ops/softmax.ts';
import { type Abs, EPS, magnitude, oncePer, roundings, TINY } from './kit/bound.ts';
import { type Case, type Family, noGradient, use } from './kit/case.ts';
import { normal, positive } from './kit/fill.ts';
import { f32 } from './kit/tensor.ts';

/** The most that a row is scaled by. */
const steepest = oncePer((x: Value, centered: boolean, eps: number) => {
  const { rows: count, n } = rowsOf(x.shape);
  let most = 0;
  for (let r = 0; r < count; r++) {
    let [sum, squares] = [0, 0];
    for (let i = 0; i < n; i++) sum += x.data[r * n + i];
    const mean = centered ? sum / n : 0;
    for (let i = 0; i < n; i++) squares += (x.data[r * n + i] - mean) ** 2;
    const rstd = 1 / Math.sqrt(squares / n + eps);
    if (rstd > most) most = rstd;
  }
  return most;
});

const forward =
  (centered: boolean): Abs =>
  (inputs, attrs) => {
    const [x, weight, bias] = inputs;
    const steep = steepest(x, centered, (attrs as NormAttrs).eps);
    const scale = Math.max(1, weight ? magnitude(weight) : 1) * Math.max(1, steep);
    const most = Math.max(1, magnitude(x));
    return (
      2 * roundings(rowsOf(x.shape).n) * most * scale * (1 + (most * steep) ** 2) +
      EPS * (bias ? magnitude(bias) : 0) +
      TINY
    );
  };

const backward =
  (centered: boolean): Abs =>
  (inputs, attrs) => {
    const [dy, x] = inputs;
    const { affine } = attrs as RowNormAttrs;
    const rstd = magnitude(inputs[centered ? 3 : 2]);
    const most = 1 + (magnitude(x) + (centered ? magnitude(inputs[2]) : 0)) * rstd;
    const weight = affine === 'none' ? 1 : Math.max(1, magnitude(inputs.at(-1)!));
    const { rows: count, n } = rowsOf(x.shape);
    const rounding = (96 + count / 64 + 4 * Math.log2(n + 1)) * EPS;
    return 2 * rounding * Math.max(1, magnitude(dy)) * weight * most ** 2 * (rstd + count) + TINY;
  };

const eps = 1e-5;
const SHAPES = [[1], [4, 1], [3, 3], [5, 4], [2, 3, 7], [9, 16], [3, 65], [2, 1030], [70, 5], [130, 19]];
const vector = (n: number, fill = normal) => f32([n], fill);
const AFFINE = ['both', 'weight', 'none'] as const;
const beside = (affine: RowNormAttrs['affine'], n: number) =>
  ({ both: [vector(n, positive), vector(n)], weight: [vector(n)], none: [] })[affine];

const forwards = (kinds: readonly RowNormAttrs['affine'][]): Case<NormAttrs>[] =>
  SHAPES.map((shape, i) => use(f32(shape), ...beside(kinds[i % kinds.length], shape.at(-1)!), { eps }));
const backwards = (centered: boolean, kinds: readonly RowNormAttrs['affine'][]): Case<RowNormAttrs>[] =>
  SHAPES.map((shape, i) => {
    const affine = kinds[i % kinds.length];
    const statistics = [...(centered ? [f32(shape.slice(0, -1))] : []), f32(shape.slice(0, -1), positive)];
    const weight = affine === 'none' ? [] : [vector(shape.at(-1)!)];
    return use(f32(shape), f32(shape), ...statistics, ...weight, { eps, affine });
  });

/** Rows of equal values, rows far from 0 beside what they vary by, and rows that hold NaN or an infinity. */
const odd = (kind: 'both' | 'weight'): Case<NormAttrs>[] =>
  noGradient<NormAttrs>(
    use('f32 3x256 =1234', ...beside(kind, 256), { eps }),
    use('f32 2x4 =40000,40001,40002,40003', ...beside(kind, 4), { eps }),
    use('f32 3x5 =1,2,NaN,3,5,4', ...beside(kind, 5), { eps }),
    use('f32 2x8 =0', ...beside(kind, 8), { eps }),
  );

export const normRows: Family<keyof typeof rows> = {
  layer_norm: { bound: { abs: forward(true), rel: 8 * EPS }, cases: [...forwards(AFFINE), ...odd('both')] },
  layer_norm_backward: { bound: { abs: backward(true), rel: 8 * EPS }, cases: backwards(true, AFFINE) },
  rms_norm: {
    bound: { abs: forward(false), rel: 8 * EPS },
    cases: [...forwards(['weight', 'none']), ...odd('weight')],
  },
  rms_norm_backward: {
    bound: { abs: backward(false), rel: 8 * EPS },
    cases: backwards(false, ['weight', 'none']),
  },
};
