import { bytesPerElement, type DType } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { broadcastShapes, broadcastStrides, checkShape, type Shape, sizeOf } from '../core/shape.ts';
import { expectInputs } from './check.ts';
import { type GradientContext, type Op, op, type Sym, type Value } from './op.ts';
import { unbroadcast } from './symbolic.ts';

type Scalar = (a: number, b: number) => number;
type Rule = (c: GradientContext<object>, i: 0 | 1) => Sym;

/** Calls `visit(linear index, offset a, offset b)` over every element of `shape` in row-major order. */
function forEachPair(
  shape: Shape,
  a: number[],
  b: number[],
  visit: (i: number, ia: number, ib: number) => void,
) {
  const size = sizeOf(shape);
  const index = new Array<number>(shape.length).fill(0);
  let ia = 0;
  let ib = 0;
  for (let i = 0; i < size; i++) {
    visit(i, ia, ib);
    for (let d = shape.length - 1; d >= 0; d--) {
      ia += a[d];
      ib += b[d];
      if (++index[d] < shape[d]) break;
      ia -= a[d] * shape[d];
      ib -= b[d] * shape[d];
      index[d] = 0;
    }
  }
}

function binary(name: string, f: Scalar, rule: Rule, fuses?: 'bias'): Op {
  return op({
    fuses,
    permuted: (attrs) => attrs,
    infer(inputs) {
      expectInputs(name, inputs, ['f32', 'f32']);
      return { dtype: 'f32', shape: broadcastShapes(inputs[0].shape, inputs[1].shape, name) };
    },
    reference([a, b], y) {
      const sa = broadcastStrides(a.shape, y.shape);
      const sb = broadcastStrides(b.shape, y.shape);
      forEachPair(y.shape, sa, sb, (i, ia, ib) => {
        y.data[i] = f(a.data[ia], b.data[ib]);
      });
    },
    flops: (_, y) => sizeOf(y.shape),
    gradient: (c) =>
      ([0, 1] as const).map((i) =>
        c.wanted(i) ? unbroadcast(c.emit, rule(c, i), c.inputs[i].shape) : undefined,
      ),
  });
}

/** Whole numbers in the range of the dtype; NaN becomes 0 (as WebAssembly's trunc_sat does). */
function convert(x: number, to: DType): number {
  if (to === 'f32') return x;
  if (Number.isNaN(x)) return 0;
  const [low, high] = { i32: [-(2 ** 31), 2 ** 31 - 1], u8: [0, 255], i8: [-128, 127] }[to];
  return Math.min(high, Math.max(low, Math.trunc(x)));
}

function copyData(x: Value, y: Value): void {
  for (let i = 0; i < y.data.length; i++) y.data[i] = x.data[i];
}

export const elementwise = {
  add: binary(
    'add',
    (a, b) => a + b,
    (c) => c.dy,
    'bias',
  ),
  sub: binary(
    'sub',
    (a, b) => a - b,
    (c, i) => (i === 0 ? c.dy : c.emit('scale', [c.dy], { factor: -1 })),
  ),
  mul: binary(
    'mul',
    (a, b) => a * b,
    (c, i) => c.emit('mul', [c.dy, c.inputs[1 - i]]),
  ),
  div: binary(
    'div',
    (a, b) => a / b,
    (c, i) => {
      const [, b] = c.inputs;
      if (i === 0) return c.emit('div', [c.dy, b]);
      // dy * ((a / b) / b): dy / b is infinite for a tiny b, and would make NaN of a quotient of 0.
      return c.emit('scale', [c.emit('mul', [c.dy, c.emit('div', [c.output, b])])], { factor: -1 });
    },
  ),

  /** y = factor * x */
  scale: op<{ factor: number }>({
    permuted: (attrs) => attrs,
    infer(inputs) {
      expectInputs('scale', inputs, ['f32']);
      return inputs[0];
    },
    reference([x], y, { factor }) {
      for (let i = 0; i < y.data.length; i++) y.data[i] = x.data[i] * factor;
    },
    flops: (_, y) => sizeOf(y.shape),
    gradient: ({ dy, emit, attrs }) => [emit('scale', [dy], attrs)],
  }),

  /** Converts the element type. To integers: truncates, saturates, NaN becomes 0. */
  cast: op<{ dtype: DType }>({
    keepsWhole: true,
    permuted: (attrs) => attrs,
    infer(inputs, { dtype }) {
      expectInputs('cast', inputs, [null]);
      if (!(dtype in bytesPerElement)) fail('invalid_argument', `cast: unknown dtype '${dtype}'`);
      return { dtype, shape: inputs[0].shape };
    },
    reference([x], y, { dtype }) {
      for (let i = 0; i < y.data.length; i++) y.data[i] = convert(x.data[i], dtype);
    },
    flops: (_, y) => sizeOf(y.shape),
    gradient: ({ dy, inputs, attrs }) => [
      attrs.dtype === 'f32' && inputs[0].dtype === 'f32' ? dy : undefined,
    ],
  }),

  /** The same values in memory of their own. */
  copy: op({
    moves: true,
    infer(inputs) {
      expectInputs('copy', inputs, [null]);
      return inputs[0];
    },
    reference: ([x], y) => copyData(x, y),
    flops: () => 0,
    gradient: ({ dy }) => [dy],
  }),

  /** A tensor of one repeated value. */
  fill: op<{ value: number; shape: Shape; dtype: DType }>({
    infer(inputs, { shape, dtype }) {
      expectInputs('fill', inputs, []);
      checkShape(shape, 'fill: the output');
      return { dtype, shape };
    },
    reference(_, y, { value }) {
      y.data.fill(value);
    },
    flops: () => 0,
    gradient: () => [],
  }),
};
