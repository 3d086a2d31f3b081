import { bytesPerElement, type DType } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { checkShape, type Shape, sizeOf } from '../core/shape.ts';
import { expectInputs } from './check.ts';
import { op, type Value } from './op.ts';

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
