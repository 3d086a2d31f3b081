import { fail } from '../core/errors.ts';
import { sameShape, showShape, sizeOf } from '../core/shape.ts';
import { expectInputs, expectNumber, expectRank, expectSameShape } from './check.ts';
import { type Op, op, type TensorType } from './op.ts';
import { rowMax, rowsOf, sumExp } from './softmax.ts';

export interface CrossEntropyAttrs {
  /** Share of the target spread evenly over all classes (Szegedy et al. 2016), 0 to 1. */
  readonly labelSmoothing: number;
}

function checkCrossEntropy(
  name: string,
  logits: TensorType,
  targets: TensorType,
  attrs: CrossEntropyAttrs,
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
  expectNumber(name, 'labelSmoothing', attrs.labelSmoothing, 0, 1);
}

/** A loss of one element at a time: f(x, t), its derivative by x, and whether t has one (its opposite) too. */
interface ElementLoss<A extends object> {
  readonly f: (x: number, t: number, attrs: A) => number;
  readonly df: (x: number, t: number, attrs: A) => number;
  readonly symmetric: boolean;
  /** What a target may be; finite if not given. */
  readonly target?: readonly [least: number, most: number];
  readonly check?: (attrs: A) => void;
}

function elementLoss<N extends string, A extends object>(name: N, l: ElementLoss<A>) {
  const [least, most] = l.target ?? [-Number.MAX_VALUE, Number.MAX_VALUE];
  const forward = op<A>({
    domains: [{ input: 1, least, most }],
    infer(inputs, attrs) {
      expectInputs(name, inputs, ['f32', 'f32']);
      expectSameShape(name, inputs[0], inputs[1]);
      l.check?.(attrs);
      return inputs[0];
    },
    reference([x, t], y, attrs) {
      for (let i = 0; i < y.data.length; i++) y.data[i] = l.f(x.data[i], t.data[i], attrs);
    },
    flops: ([x]) => 8 * sizeOf(x.shape),
    gradient({ inputs: [x, t], dy, attrs, emit, wanted }) {
      const dx = emit(`${name}_backward`, [dy, x, t], attrs);
      if (wanted(1) && !l.symmetric)
        fail('unsupported', `${name}: the target has no gradient; make it a constant or an input`);
      return [dx, wanted(1) ? emit('scale', [dx], { factor: -1 }) : undefined];
    },
  });
  const backward = op<A>({
    infer(inputs, attrs) {
      expectInputs(`${name}_backward`, inputs, ['f32', 'f32', 'f32']);
      expectSameShape(`${name}_backward`, inputs[0], inputs[1]);
      expectSameShape(`${name}_backward`, inputs[0], inputs[2]);
      l.check?.(attrs);
      return inputs[0];
    },
    reference([dy, x, t], y, attrs) {
      for (let i = 0; i < y.data.length; i++) y.data[i] = dy.data[i] * l.df(x.data[i], t.data[i], attrs);
    },
    flops: ([x]) => 6 * sizeOf(x.shape),
  });
  return { [name]: forward, [`${name}_backward`]: backward } as Record<N | `${N}_backward`, Op<A>>;
}

export interface HuberAttrs {
  /** Where the loss turns from square to straight. */
  readonly delta: number;
}

export const loss = {
  /** cross_entropy(logits (..., C), targets i32 (...)): one loss for each row; a target outside [0, C) gives NaN. */
  cross_entropy: op<CrossEntropyAttrs>({
    infer(inputs, attrs) {
      expectInputs('cross_entropy', inputs, ['f32', 'i32']);
      checkCrossEntropy('cross_entropy', inputs[0], inputs[1], attrs);
      return { dtype: 'f32', shape: inputs[1].shape };
    },
    reference([x, targets], y, { labelSmoothing: s }) {
      const { rows, n } = rowsOf(x.shape);
      for (let r = 0; r < rows; r++) {
        const t = targets.data[r];
        if (t < 0 || t >= n) {
          y.data[r] = Number.NaN;
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
    indices: ([x]) => [{ input: 1, below: x.shape.at(-1)! }],
  }),

  /** cross_entropy_backward(dy (...), logits (..., C), targets): (softmax(logits) - smoothed target) * dy */
  cross_entropy_backward: op<CrossEntropyAttrs>({
    infer(inputs, attrs) {
      expectInputs('cross_entropy_backward', inputs, ['f32', 'f32', 'i32']);
      const [dy, x, t] = inputs;
      checkCrossEntropy('cross_entropy_backward', x, t, attrs);
      expectSameShape('cross_entropy_backward', dy, t);
      return x;
    },
    reference([dy, x, targets], dx, { labelSmoothing: s }) {
      const { rows, n } = rowsOf(x.shape);
      for (let r = 0; r < rows; r++) {
        const t = targets.data[r];
        const most = rowMax(x.data, r, n);
        const total = t < 0 || t >= n ? Number.NaN : sumExp(x.data, r, n, most);
        for (let i = 0; i < n; i++) {
          const target = (i === t ? 1 - s : 0) + s / n;
          dx.data[r * n + i] = dy.data[r] * (Math.exp(x.data[r * n + i] - most) / total - target);
        }
      }
    },
    flops: ([, x]) => 8 * sizeOf(x.shape),
    indices: ([, x]) => [{ input: 2, below: x.shape.at(-1)! }],
  }),

  /** (x - t)^2 for each element. */
  ...elementLoss('mse', {
    symmetric: true,
    f: (x, t) => (x - t) ** 2,
    df: (x, t) => 2 * (x - t),
  }),

  /**
   * Binary cross-entropy of sigmoid(x) with targets in 0..1: (1 - t) max(x, 0) + t max(-x, 0) + log(1 + exp(-|x|)). Nothing
   * cancels, and what has no share is left out: an infinite logit on the target's side costs nothing.
   */
  ...elementLoss('bce_with_logits', {
    symmetric: false,
    target: [0, 1],
    f: (x, t) => {
      const wrong = x > 0 ? 1 - t : t;
      return (wrong === 0 ? 0 : wrong * Math.abs(x)) + Math.log1p(Math.exp(-Math.abs(x)));
    },
    df: (x, t) => 1 / (1 + Math.exp(-x)) - t,
  }),

  /** Huber (1964): (x - t)^2 / 2 within delta of the target, delta * (|x - t| - delta / 2) outside. */
  ...elementLoss<'huber', HuberAttrs>('huber', {
    symmetric: true,
    check: ({ delta }) => {
      if (!(delta > 0 && delta < Infinity))
        fail('out_of_range', `huber: delta is ${delta}, expected a finite number above 0`);
    },
    f: (x, t, { delta }) => {
      const d = Math.abs(x - t);
      return d <= delta ? 0.5 * d * d : delta * (d - 0.5 * delta);
    },
    df: (x, t, { delta }) => (Number.isNaN(x - t) ? x - t : Math.max(-delta, Math.min(delta, x - t))),
  }),
};
