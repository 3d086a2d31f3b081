import type { NumberArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { type Shape, sameShape, showShape, sizeOf } from '../core/shape.ts';
import { expectInputs, expectOneOf, expectRank } from './check.ts';
import { type Op, op, type TensorType } from './op.ts';
import { spread } from './symbolic.ts';

export interface ReduceAttrs {
  /** Neighbouring axes, ascending; other sets are for symbolic.ts. */
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

/** How a reduction sees its input: (outer, count, inner), reducing the middle. */
export interface ReduceSizes {
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
}

export function reduceSizes(shape: Shape, axes: readonly number[]): ReduceSizes {
  const first = axes[0];
  const end = axes[axes.length - 1] + 1;
  return {
    outer: sizeOf(shape.slice(0, first)),
    count: sizeOf(shape.slice(first, end)),
    inner: sizeOf(shape.slice(end)),
  };
}

/** The shape that is left. Throws unless the axes are neighbours, ascending, and inside the shape. */
export function reducedShape(op: string, { shape }: TensorType, { axes, keepDims }: ReduceAttrs): Shape {
  const neighbours = axes.every((a, i) => Number.isInteger(a) && (i === 0 || a === axes[i - 1] + 1));
  if (axes.length === 0 || !neighbours)
    fail(
      'invalid_argument',
      `${op}: axes ${showShape(axes)} must be one or more neighbouring axes, ascending`,
    );
  if (axes[0] < 0 || axes[axes.length - 1] >= shape.length)
    fail('out_of_range', `${op}: axes ${showShape(axes)} are outside a tensor of shape ${showShape(shape)}`);
  return shape.flatMap((n, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [n]));
}

/** Visits each output element o with the input offset of its first term and the distance between terms. */
export function forEachRun(
  { outer, count, inner }: ReduceSizes,
  visit: (o: number, start: number, step: number) => void,
) {
  for (let i = 0; i < outer; i++)
    for (let j = 0; j < inner; j++) visit(i * inner + j, i * count * inner + j, inner);
}

/** What f32 can't hold is infinite, also where a mean would bring it back into range. */
const BEYOND_F32 = 2 ** 128;

/** Sums in f64, divided. */
export function sumOver(x: NumberArray, sizes: ReduceSizes, y: NumberArray, divisor: number): void {
  forEachRun(sizes, (o, start, step) => {
    let sum = 0;
    for (let c = 0; c < sizes.count; c++) sum += x[start + c * step];
    y[o] = (Math.abs(sum) >= BEYOND_F32 ? sum * Infinity : sum) / divisor;
  });
}

function summing(name: 'sum' | 'mean'): Op<ReduceAttrs> {
  return op<ReduceAttrs>({
    integers: name === 'mean' ? 'mean' : undefined,
    infer(inputs, attrs) {
      expectInputs(name, inputs, ['f32']);
      return { dtype: 'f32', shape: reducedShape(name, inputs[0], attrs) };
    },
    reference([x], y, { axes }) {
      const sizes = reduceSizes(x.shape, axes);
      sumOver(x.data, sizes, y.data, name === 'sum' ? 1 : sizes.count);
    },
    flops: ([x]) => sizeOf(x.shape),
    gradient({ inputs: [x], dy, attrs, emit }) {
      const { count } = reduceSizes(x.shape, attrs.axes);
      const scaled = name === 'sum' ? dy : emit('scale', [dy], { factor: 1 / count });
      return [spread(emit, scaled, attrs.axes, x.shape)];
    },
  });
}

function extreme(name: 'max' | 'min', of: (a: number, b: number) => number, what: string): Op<ReduceAttrs> {
  return op<ReduceAttrs>({
    moves: true,
    infer(inputs, attrs) {
      expectInputs(name, inputs, [null]);
      expectOneOf(name, inputs[0], ['f32', 'i32', 'u8']);
      const shape = reducedShape(name, inputs[0], attrs);
      if (reduceSizes(inputs[0].shape, attrs.axes).count === 0)
        fail(
          'shape_mismatch',
          `${name}: nothing to take the ${what} of along axes ${showShape(attrs.axes)} (size 0)`,
        );
      return { dtype: inputs[0].dtype, shape };
    },
    reference([x], y, { axes }) {
      const sizes = reduceSizes(x.shape, axes);
      forEachRun(sizes, (o, start, step) => {
        let most = x.data[start];
        for (let c = 1; c < sizes.count; c++) most = of(most, x.data[start + c * step]);
        y.data[o] = most;
      });
    },
    flops: ([x]) => sizeOf(x.shape),
    gradient: ({ inputs: [x], output, dy, attrs, emit }) => [emit('max_backward', [dy, x, output], attrs)],
  });
}

/** Position along the last axis, as i32: the first of equals; the first NaN if there is one. */
function position(name: 'argmax' | 'argmin', better: (a: number, b: number) => boolean): Op {
  return op({
    infer(inputs) {
      expectInputs(name, inputs, [null]);
      expectRank(name, inputs[0], 1);
      const { shape } = inputs[0];
      expectOneOf(name, inputs[0], ['f32', 'i32', 'u8']);
      if (shape.at(-1) === 0)
        fail('shape_mismatch', `${name}: the last axis of ${showShape(shape)} is empty`);
      return { dtype: 'i32', shape: shape.slice(0, -1) };
    },
    reference([x], y) {
      const n = x.shape.at(-1)!;
      for (let r = 0; r < y.data.length; r++) {
        let best = 0;
        for (let i = 1; i < n; i++) {
          const [now, then] = [x.data[r * n + i], x.data[r * n + best]];
          if (better(now, then) || (Number.isNaN(now) && !Number.isNaN(then))) best = i;
        }
        y.data[r] = best;
      }
    },
    flops: ([x]) => sizeOf(x.shape),
  });
}

export const reduce = {
  /** Sums over neighbouring axes; the sum of nothing is 0. */
  sum: summing('sum'),
  /** The mean over neighbouring axes; the mean of nothing is NaN. */
  mean: summing('mean'),

  /** The largest over neighbouring axes; NaN if any is NaN. */
  max: extreme('max', Math.max, 'largest'),
  /** The smallest over neighbouring axes; NaN if any is NaN. */
  min: extreme('min', Math.min, 'smallest'),

  /**
   * max_backward(dy, x, y): dy shared evenly among the elements of x that equal the largest, as PyTorch's amax does; NaN for
   * all of them where the largest is NaN. Of the smallest likewise: y says which it is.
   */
  max_backward: op<ReduceAttrs>({
    infer(inputs, attrs) {
      expectInputs('max_backward', inputs, ['f32', 'f32', 'f32']);
      const [dy, x, y] = inputs;
      const shape = reducedShape('max_backward', x, attrs);
      if (!sameShape(dy.shape, shape) || !sameShape(y.shape, shape))
        fail('shape_mismatch', `max_backward: expected dy and y of shape ${showShape(shape)}`);
      return x;
    },
    reference([dy, x, y], dx, { axes }) {
      const sizes = reduceSizes(x.shape, axes);
      forEachRun(sizes, (o, start, step) => {
        let ties = 0;
        for (let c = 0; c < sizes.count; c++) if (x.data[start + c * step] === y.data[o]) ties++;
        const rest = Number.isNaN(y.data[o]) ? Number.NaN : 0;
        for (let c = 0; c < sizes.count; c++) {
          const i = start + c * step;
          dx.data[i] = x.data[i] === y.data[o] ? dy.data[o] / ties : rest;
        }
      });
    },
    flops: ([, x]) => 2 * sizeOf(x.shape),
  }),

  /** Position of the largest along the last axis. */
  argmax: position('argmax', (a, b) => a > b),
  /** Position of the smallest along the last axis. */
  argmin: position('argmin', (a, b) => a < b),

  /** sqrt(sum of squares) of all elements, as a scalar: for clipping gradients by their global norm. */
  global_norm: op({
    infer(inputs) {
      expectInputs('global_norm', inputs, ['f32']);
      return { dtype: 'f32', shape: [] };
    },
    reference([x], y) {
      let sum = 0;
      for (const v of x.data) sum += v * v;
      y.data[0] = Math.sqrt(sum);
    },
    flops: ([x]) => 2 * sizeOf(x.shape),
  }),
};
