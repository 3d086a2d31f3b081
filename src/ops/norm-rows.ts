import { fail } from '../core/errors.ts';
import { showShape, sizeOf } from '../core/shape.ts';
import { expectInputs, expectNumber, expectRank, expectSameShape } from './check.ts';
import type { NormAttrs } from './norm.ts';
import { type Op, type Sym, severalOutputs, type TensorType, type Value } from './op.ts';
import { rowsOf } from './softmax.ts';

/** Checks rows x (..., n) of at least one element, and what is beside each row; the type of one number a row. */
function expectRows(name: string, x: TensorType, vectors: readonly TensorType[], eps: number): TensorType {
  expectRank(name, x, 1);
  expectNumber(name, 'eps', eps, 0, 1e6);
  const n = x.shape.at(-1)!;
  if (n === 0) fail('shape_mismatch', `${name}: rows of ${showShape(x.shape)} have nothing to normalize`);
  for (const v of vectors)
    if (v.shape.length !== 1 || v.shape[0] !== n)
      fail(
        'shape_mismatch',
        `${name}: got a vector of shape ${showShape(v.shape)}, expected [${n}], as rows have elements`,
      );
  return { dtype: 'f32', shape: x.shape.slice(0, -1) };
}

/** What is known of a row: its mean (0 where none is subtracted) and 1 / sqrt(variance + eps). */
function statistics(x: Value, row: number, centered: boolean, eps: number) {
  const { n } = rowsOf(x.shape);
  let mean = 0;
  if (centered) {
    for (let i = 0; i < n; i++) mean += x.data[row * n + i];
    mean /= n;
  }
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (x.data[row * n + i] - mean) ** 2;
  return { mean, rstd: 1 / Math.sqrt(squares / n + eps) };
}

/** y, and of each row the mean where one is subtracted, and rstd; its operands in order, those that there may be with '?'. */
function forward(name: 'layer_norm' | 'rms_norm', centered: boolean): Op<NormAttrs> {
  return severalOutputs<NormAttrs>({
    infer(inputs, { eps }) {
      expectInputs(name, inputs, centered ? ['f32', 'f32?', 'f32?'] : ['f32', 'f32?']);
      const [x, ...vectors] = inputs;
      const row = expectRows(name, x, vectors, eps);
      const y: TensorType = { dtype: 'f32', shape: x.shape };
      return centered ? [y, row, row] : [y, row];
    },
    reference([x, weight, bias], [y, ...rest], { eps }) {
      const { rows, n } = rowsOf(x.shape);
      for (let r = 0; r < rows; r++) {
        const { mean, rstd } = statistics(x, r, centered, eps);
        for (let i = 0; i < n; i++) {
          const z = (x.data[r * n + i] - mean) * rstd;
          y.data[r * n + i] = z * (weight?.data[i] ?? 1) + (bias?.data[i] ?? 0);
        }
        rest[rest.length - 1].data[r] = rstd;
        if (centered) rest[0].data[r] = mean;
      }
    },
    flops: ([x]) => 7 * sizeOf(x.shape),
    gradient({ inputs, outputs, dys, attrs, emit, emitAll }) {
      const [x, weight, bias] = inputs;
      const { n } = rowsOf(x.shape);
      const dy = dys[0] ?? emit('fill', [], { value: 0, shape: x.shape, dtype: 'f32' });
      const operands: Sym[] = [dy, x, ...outputs.slice(1), ...(weight ? [weight] : [])];
      const given = { ...attrs, affine: weight ? (bias ? 'both' : 'weight') : 'none' };
      let [dx, ...vectors] = emitAll(`${name}_backward`, operands, given);
      const column = (t: Sym) => emit('reshape', [t], { shape: [...x.shape.slice(0, -1), 1] });
      const add = (term: Sym, factor: number) => {
        dx = emit('add', [dx, emit('scale', [term], { factor })]);
      };
      const [dMean, dRstd] = centered ? dys.slice(1) : [undefined, dys[1]];
      if (dMean) add(column(dMean), 1 / n);
      if (dRstd) {
        const rstd = outputs.at(-1)!;
        const cubed = emit('mul', [rstd, emit('mul', [rstd, rstd])]);
        const apart = centered ? emit('sub', [x, column(outputs[1])]) : x;
        add(emit('mul', [apart, column(emit('mul', [dRstd, cubed]))]), -1 / n);
      }
      return [dx, ...vectors];
    },
  });
}

/** Which vectors were beside the rows. */
export interface RowNormAttrs extends NormAttrs {
  readonly affine: 'none' | 'weight' | 'both';
}

/** (dy, x, mean where one was subtracted, rstd, weight if there is one) -> the gradients of x, and of the weight and bias there are. */
function backward(name: 'layer_norm' | 'rms_norm', centered: boolean): Op<RowNormAttrs> {
  return severalOutputs<RowNormAttrs>({
    infer(inputs, { eps, affine }) {
      const what = `${name}_backward`;
      const weighted = affine !== 'none';
      const count = (centered ? 4 : 3) + (weighted ? 1 : 0);
      expectInputs(what, inputs, new Array<'f32'>(count).fill('f32'));
      const [dy, x] = inputs;
      expectSameShape(what, dy, x);
      const row = expectRows(what, x, weighted ? [inputs.at(-1)!] : [], eps);
      for (const t of inputs.slice(2, centered ? 4 : 3)) expectSameShape(what, t, row);
      const vector: TensorType = { dtype: 'f32', shape: x.shape.slice(-1) };
      return [x, ...(weighted ? [vector] : []), ...(affine === 'both' ? [vector] : [])];
    },
    reference(inputs, [dx, dWeight, dBias], { affine }) {
      const [dy, x] = inputs;
      const mean = centered ? inputs[2] : undefined;
      const rstd = inputs[centered ? 3 : 2];
      const weight = affine === 'none' ? undefined : inputs.at(-1)!;
      const { rows, n } = rowsOf(x.shape);
      const [weights, biases] = [new Float64Array(n), new Float64Array(n)];
      for (let r = 0; r < rows; r++) {
        const z = (i: number) => (x.data[r * n + i] - (mean?.data[r] ?? 0)) * rstd.data[r];
        const g = (i: number) => dy.data[r * n + i] * (weight?.data[i] ?? 1);
        let [sum, product] = [0, 0];
        for (let i = 0; i < n; i++) {
          sum += centered ? g(i) : 0;
          product += g(i) * z(i);
          weights[i] += dy.data[r * n + i] * z(i);
          biases[i] += dy.data[r * n + i];
        }
        for (let i = 0; i < n; i++)
          dx.data[r * n + i] = rstd.data[r] * (g(i) - sum / n - (z(i) * product) / n);
      }
      dWeight?.data.set(weights);
      dBias?.data.set(biases);
    },
    flops: ([x]) => 12 * sizeOf(x.shape),
  });
}

export const normRows = {
  /**
   * layer_norm(x, weight?, bias?): each row (the last axis), y = (x - mean) rstd weight + bias with rstd = 1 / sqrt(variance + eps) ->
   * y, and mean and rstd of each row.
   */
  layer_norm: forward('layer_norm', true),
  layer_norm_backward: backward('layer_norm', true),
  /** rms_norm(x, weight?): y = x rstd weight with rstd = 1 / sqrt(mean(x^2) + eps) -> y, and rstd of each row. */
  rms_norm: forward('rms_norm', false),
  rms_norm_backward: backward('rms_norm', false),
};
