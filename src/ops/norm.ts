import { fail } from '../core/errors.ts';
import { showShape, sizeOf } from '../core/shape.ts';
import { expectInputs, expectNumber, expectRank, expectSameShape, showType } from './check.ts';
import { type Op, type Sym, severalOutputs, type TensorType, type Value } from './op.ts';
import { rowsOf } from './softmax.ts';

/** Attributes of batch normalization. */
export interface NormAttrs {
  /** Added to the variance, so that a channel without any is not divided by zero. */
  readonly eps: number;
}

/** Checks x (..., n), of at least one row, and vectors (n) beside it; the types of an n-vector. */
function expectChannels(name: string, x: TensorType, vectors: readonly TensorType[]): TensorType {
  expectRank(name, x, 2);
  const n = x.shape.at(-1)!;
  if (rowsOf(x.shape).rows === 0)
    fail('shape_mismatch', `${name}: got ${showType(x)}, expected at least one value in each channel`);
  for (const v of vectors)
    if (v.shape.length !== 1 || v.shape[0] !== n)
      fail(
        'shape_mismatch',
        `${name}: got a vector of shape ${showShape(v.shape)}, expected [${n}], as x has channels`,
      );
  return { dtype: 'f32', shape: [n] };
}

const inverse = (variance: number, eps: number) => 1 / Math.sqrt(variance + eps);

/** Sum of f(row, channel) over the rows of each channel. */
function overRows({ shape }: Value, f: (at: number, c: number) => number): Float64Array {
  const { rows, n } = rowsOf(shape);
  const sums = new Float64Array(n);
  for (let r = 0; r < rows; r++) for (let c = 0; c < n; c++) sums[c] += f(r * n + c, c);
  return sums;
}

const batchNorm: Op<NormAttrs> = severalOutputs<NormAttrs>({
  infer(inputs, { eps }) {
    expectInputs('batch_norm', inputs, ['f32', 'f32', 'f32']);
    expectNumber('batch_norm', 'eps', eps, 0, 1e6);
    const [x, ...vectors] = inputs;
    const channel = expectChannels('batch_norm', x, vectors);
    return [{ dtype: 'f32', shape: x.shape }, channel, channel];
  },
  reference([x, weight, bias], [y, mean, variance], { eps }) {
    const { rows, n } = rowsOf(x.shape);
    const means = overRows(x, (i) => x.data[i]).map((sum) => sum / rows);
    const variances = overRows(x, (i, c) => (x.data[i] - means[c]) ** 2).map((sum) => sum / rows);
    for (let i = 0; i < x.data.length; i++) {
      const c = i % n;
      y.data[i] = (x.data[i] - means[c]) * inverse(variances[c], eps) * weight.data[c] + bias.data[c];
    }
    mean.data.set(means);
    variance.data.set(variances);
  },
  flops: ([x]) => 7 * sizeOf(x.shape),
  gradient({ inputs, outputs: [, mean, variance], dys, attrs, emit, emitAll }) {
    const [x, weight] = inputs;
    const [dy, dMean, dVariance] = dys;
    const { rows } = rowsOf(x.shape);
    const zeros = () => emit('fill', [], { value: 0, shape: x.shape, dtype: 'f32' });
    let [dx, dWeight, dBias] = emitAll(
      'batch_norm_backward',
      [dy ?? zeros(), x, weight, mean, variance],
      attrs,
    );
    const add = (term: Sym) => {
      dx = emit('add', [dx, emit('scale', [term], { factor: 1 / rows })]);
    };
    if (dMean) add(dMean);
    if (dVariance) add(emit('scale', [emit('mul', [emit('sub', [x, mean]), dVariance])], { factor: 2 }));
    return [dx, dWeight, dBias];
  },
});

export const norm = {
  /**
   * Each channel (the last axis) over all rows: y = (x - mean) / sqrt(variance + eps) weight + bias -> y, and the mean and biased
   * variance of each channel.
   */
  batch_norm: batchNorm,

  /** batch_norm_backward(dy, x, weight, mean, variance) -> the gradients of x, weight and bias. */
  batch_norm_backward: severalOutputs<NormAttrs>({
    infer(inputs) {
      expectInputs('batch_norm_backward', inputs, ['f32', 'f32', 'f32', 'f32', 'f32']);
      const [dy, x, ...vectors] = inputs;
      expectSameShape('batch_norm_backward', dy, x);
      const channel = expectChannels('batch_norm_backward', x, vectors);
      return [{ dtype: 'f32', shape: x.shape }, channel, channel];
    },
    reference([dy, x, weight, mean, variance], [dx, dWeight, dBias], { eps }) {
      const { rows, n } = rowsOf(x.shape);
      const scale = (c: number) => inverse(variance.data[c], eps);
      const normal = (i: number, c: number) => (x.data[i] - mean.data[c]) * scale(c);
      const bias = overRows(x, (i) => dy.data[i]);
      const factor = overRows(x, (i, c) => dy.data[i] * normal(i, c));
      for (let i = 0; i < x.data.length; i++) {
        const c = i % n;
        const rest = dy.data[i] - (bias[c] + normal(i, c) * factor[c]) / rows;
        dx.data[i] = weight.data[c] * scale(c) * rest;
      }
      dWeight.data.set(factor);
      dBias.data.set(bias);
    },
    flops: ([x]) => 12 * sizeOf(x.shape),
  }),

  /**
   * batch_norm_affine(weight, bias, mean, variance) -> scale and shift: with fixed statistics batch norm is x scale + shift. Of a
   * frozen model they are computed when a plan is made.
   */
  batch_norm_affine: severalOutputs<NormAttrs>({
    infer(inputs, { eps }) {
      expectInputs('batch_norm_affine', inputs, ['f32', 'f32', 'f32', 'f32']);
      expectNumber('batch_norm_affine', 'eps', eps, 0, 1e6);
      for (const t of inputs) expectSameShape('batch_norm_affine', inputs[0], t);
      return [inputs[0], inputs[0]];
    },
    reference([weight, bias, mean, variance], [scale, shift], { eps }) {
      for (let c = 0; c < scale.data.length; c++) {
        const factor = weight.data[c] * inverse(variance.data[c], eps);
        scale.data[c] = factor;
        shift.data[c] = bias.data[c] - mean.data[c] * factor;
      }
    },
    flops: ([x]) => 6 * sizeOf(x.shape),
    gradient({ inputs: [weight, , mean, variance], outputs: [scale], dys, attrs, emit, emitAll }) {
      const same = (value: number) => emit('fill', [], { value, shape: weight.shape, dtype: 'f32' });
      const [dScale, dShift] = dys.map((dy) => dy ?? same(0));
      // With a weight of 1 and a bias of 0: 1 / sqrt(variance + eps), and minus the mean times that.
      const [rstd, shift] = emitAll('batch_norm_affine', [same(1), same(0), mean, variance], attrs);
      const product = (...factors: Sym[]) => factors.reduce((a, b) => emit('mul', [a, b]));
      const throughScale = emit('sub', [dScale, product(dShift, mean)]);
      return [
        emit('add', [product(dScale, rstd), product(dShift, shift)]),
        dShift,
        emit('scale', [product(dShift, scale)], { factor: -1 }),
        emit('scale', [product(throughScale, scale, rstd, rstd)], { factor: -0.5 }),
      ];
    },
  }),
};
