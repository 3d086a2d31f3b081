import { fail } from '../core/errors.ts';
import { type Shape, sameShape, showShape, sizeOf } from '../core/shape.ts';
import { expectInputs, expectNumber, expectRank, expectSameShape } from './check.ts';
import { elementLosses } from './loss-elements.ts';
import { type IndexBound, op, severalOutputs, type TensorType } from './op.ts';
import { sumOver } from './reduce.ts';
import { rowMax, rowsOf, sumExp } from './softmax.ts';

export interface IgnoreAttrs {
  /** Rows with this target cost nothing and have no gradient; whether it is a class or none. Every row counts if not given. */
  readonly ignoreIndex?: number;
}

export interface CrossEntropyAttrs extends IgnoreAttrs {
  /** Share of the target spread evenly over all classes (Szegedy et al. 2016), 0 to 1. */
  readonly labelSmoothing: number;
  /** Rows are logarithms of chances already, so a loss is that of the target without its sign (PyTorch's nll_loss); no smoothing. */
  readonly logChances?: boolean;
}

function checkCrossEntropy(
  name: string,
  logits: TensorType,
  targets: TensorType,
  { labelSmoothing, logChances, ignoreIndex }: CrossEntropyAttrs,
): void {
  expectRank(name, logits, 1, 'logits');
  if (!sameShape(targets.shape, logits.shape.slice(0, -1)))
    fail(
      'shape_mismatch',
      `${name}: logits ${showShape(logits.shape)} need targets of shape ${showShape(logits.shape.slice(0, -1))}, ` +
        `got ${showShape(targets.shape)}`,
    );
  if (logits.shape.at(-1) === 0)
    fail('shape_mismatch', `${name}: logits ${showShape(logits.shape)} have no classes`);
  expectNumber(name, 'labelSmoothing', labelSmoothing, 0, logChances ? 0 : 1);
  expectIgnored(name, ignoreIndex);
}

function expectIgnored(name: string, target: number | undefined): void {
  if (target !== undefined) expectNumber(name, 'ignoreIndex', target, -(2 ** 31), 2 ** 31 - 1);
}

/** A target is a class, or the one that is ignored. */
const classBound = (input: number, logits: TensorType, { ignoreIndex }: IgnoreAttrs): IndexBound[] => [
  { input, below: logits.shape.at(-1)!, except: ignoreIndex },
];

export interface MeanOverBackwardAttrs {
  readonly shape: Shape;
}

export const loss = {
  ...elementLosses,

  /**
   * cross_entropy(logits (..., C), targets i32 (...)): one loss for each row, 0 where the target is ignored; any other target
   * outside [0, C) gives NaN.
   */
  cross_entropy: op<CrossEntropyAttrs>({
    infer(inputs, attrs) {
      expectInputs('cross_entropy', inputs, ['f32', 'i32']);
      checkCrossEntropy('cross_entropy', inputs[0], inputs[1], attrs);
      return { dtype: 'f32', shape: inputs[1].shape };
    },
    reference([x, targets], y, { labelSmoothing: s, ignoreIndex, logChances }) {
      const { rows, n } = rowsOf(x.shape);
      for (let r = 0; r < rows; r++) {
        const t = targets.data[r];
        if (t === ignoreIndex || t < 0 || t >= n) {
          y.data[r] = t === ignoreIndex ? 0 : Number.NaN;
          continue;
        }
        if (logChances) {
          y.data[r] = -x.data[r * n + t];
          continue;
        }
        // All relative to the row's largest, so that nothing large cancels.
        const most = rowMax(x.data, r, n);
        let below = 0;
        if (s > 0) for (let i = 0; i < n; i++) below += (most - x.data[r * n + i]) / n;
        const hit = (1 - s) * (most - x.data[r * n + t]);
        y.data[r] = Math.log(sumExp(x.data, r, n, most)) + hit + (s > 0 ? s * below : 0);
      }
    },
    flops: ([x]) => 8 * sizeOf(x.shape),
    gradient: ({ inputs: [x, t], dy, attrs, emit }) => [
      emit('cross_entropy_backward', [dy, x, t], attrs),
      undefined,
    ],
    indices: ([x], attrs) => classBound(1, x, attrs),
  }),

  /** cross_entropy_backward(dy (...), logits (..., C), targets): (softmax(logits) - smoothed target) * dy; 0 where it is ignored. */
  cross_entropy_backward: op<CrossEntropyAttrs>({
    infer(inputs, attrs) {
      expectInputs('cross_entropy_backward', inputs, ['f32', 'f32', 'i32']);
      const [dy, x, t] = inputs;
      checkCrossEntropy('cross_entropy_backward', x, t, attrs);
      expectSameShape('cross_entropy_backward', dy, t);
      return x;
    },
    reference([dy, x, targets], dx, { labelSmoothing: s, ignoreIndex, logChances }) {
      const { rows, n } = rowsOf(x.shape);
      for (let r = 0; r < rows; r++) {
        const t = targets.data[r];
        const row = dx.data.subarray(r * n, (r + 1) * n);
        if (t === ignoreIndex) {
          row.fill(0);
          continue;
        }
        const known = t >= 0 && t < n;
        if (logChances) {
          row.fill(known ? 0 : Number.NaN);
          if (known) row[t] = -dy.data[r];
          continue;
        }
        const most = rowMax(x.data, r, n);
        const total = known ? sumExp(x.data, r, n, most) : Number.NaN;
        for (let i = 0; i < n; i++) {
          const target = (i === t ? 1 - s : 0) + s / n;
          row[i] = dy.data[r] * (Math.exp(x.data[r * n + i] - most) / total - target);
        }
      }
    },
    flops: ([, x]) => 8 * sizeOf(x.shape),
    indices: ([, x], attrs) => classBound(2, x, attrs),
  }),

  /** target_weights(targets i32, [weights (C)]): how much each target counts: 0 if it is ignored, else the weight of its class, or 1. */
  target_weights: op<IgnoreAttrs>({
    infer(inputs, { ignoreIndex }) {
      expectInputs('target_weights', inputs, ['i32', 'f32?']);
      const [targets, weights] = inputs;
      if (weights && weights.shape.length !== 1)
        fail(
          'shape_mismatch',
          `target_weights: weights have shape ${showShape(weights.shape)}, expected one for each class`,
        );
      expectIgnored('target_weights', ignoreIndex);
      return { dtype: 'f32', shape: targets.shape };
    },
    reference([targets, weights], y, { ignoreIndex }) {
      for (let i = 0; i < y.data.length; i++) {
        const t = targets.data[i];
        const weight = weights ? (t >= 0 && t < weights.data.length ? weights.data[t] : Number.NaN) : 1;
        y.data[i] = t === ignoreIndex ? 0 : weight;
      }
    },
    flops: () => 0,
    indices: ([, weights], attrs) => (weights ? classBound(0, weights, attrs) : []),
  }),

  /** mean_over(x, w): the sum of x divided by that of w, and that of w: a mean of what is weighted already. NaN where all weights are 0. */
  mean_over: severalOutputs({
    infer(inputs) {
      expectInputs('mean_over', inputs, ['f32', 'f32']);
      const number = { dtype: 'f32', shape: [] } as const;
      return [number, number];
    },
    reference([x, w], [y, total]) {
      const sum = (of: typeof x, into: typeof y, divisor: number) =>
        sumOver(of.data, { outer: 1, count: of.data.length, inner: 1 }, into.data, divisor);
      sum(w, total, 1);
      sum(x, y, total.data[0]);
    },
    flops: ([x, w]) => sizeOf(x.shape) + sizeOf(w.shape),
    gradient({ inputs: [x], outputs: [, total], dys: [dy], emit, wanted }) {
      if (wanted(1))
        fail('unsupported', 'mean_over: the weights have no gradient; make them constants or inputs');
      return [dy && emit('mean_over_backward', [dy, total], { shape: x.shape }), undefined];
    },
  }),

  /** mean_over_backward(dy, total): dy / total everywhere; 0 where all weights are, so that a step without targets changes nothing. */
  mean_over_backward: op<MeanOverBackwardAttrs>({
    infer(inputs, { shape }) {
      expectInputs('mean_over_backward', inputs, ['f32', 'f32']);
      for (const t of inputs)
        if (sizeOf(t.shape) !== 1)
          fail('shape_mismatch', `mean_over_backward: got ${showShape(t.shape)}, expected one number`);
      return { dtype: 'f32', shape };
    },
    reference([dy, total], dx) {
      dx.data.fill(total.data[0] === 0 ? 0 : dy.data[0] / total.data[0]);
    },
    flops: ([, total]) => sizeOf(total.shape),
  }),
};
