import { fail } from '../core/errors.ts';
import { sameShape, showShape, sizeOf } from '../core/shape.ts';
import { expectInputs, expectNumber, expectRank, expectSameShape, showType } from './check.ts';
import { op, type TensorType, type Value } from './op.ts';
import { type QuantAttrs, type Reported, requantize } from './requantize.ts';

export type { QuantAttrs, Reported };

export interface MatmulI8Attrs extends Reported {
  /** Right shift of acc * multiplier: 17 to 62. */
  readonly shift: number;
  /** Zero point of the output. */
  readonly zeroPoint: number;
  /** Clamp of the output, in its own quantized units: 0 and 255, or tighter for ReLU. */
  readonly min: number;
  readonly max: number;
}

/** How two bytes are added. */
export interface AddI8Attrs extends Reported {
  /** The numbers that stand for 0. */
  readonly zeroA: number;
  readonly zeroB: number;
  readonly zeroPoint: number;
  /** Scale of an operand / scale of the result = factor / 2^shift; of what is subtracted it is below 0. */
  readonly factorA: number;
  readonly factorB: number;
  /** 1 to 30 */
  readonly shift: number;
  /** Clamp of the result, in its own units. */
  readonly min: number;
  readonly max: number;
}

/** Largest factor of add_i8, with which two products of a byte and their rounding stay within int32. */
export const MOST_FACTOR = 2 ** 21;

const limits = { u8: [0, 255], i8: [-128, 127] } as const;

/** Nearest whole number, halves to even. */
export function roundEven(x: number): number {
  const r = Math.round(x);
  return r - x === 0.5 && r % 2 !== 0 ? r - 1 : r;
}

/** The f32 that kernels multiply by when they quantize: no backend divides, so all round alike. */
export const inverseScale = (scale: number): number => Math.fround(1 / Math.fround(scale));

function checkQuant(name: string, { scale, zeroPoint }: QuantAttrs, dtype: 'u8' | 'i8'): void {
  if (!(scale >= 2 ** -100 && scale <= 2 ** 100) || Math.fround(scale) !== scale)
    fail('out_of_range', `${name}: scale is ${scale}, expected an f32 value from 2^-100 to 2^100`);
  const [low, high] = limits[dtype];
  if (!Number.isInteger(zeroPoint) || zeroPoint < low || zeroPoint > high)
    fail(
      'out_of_range',
      `${name}: zeroPoint is ${zeroPoint}, expected a whole number from ${low} to ${high}`,
    );
}

/** Checks what a requantized product of `n` columns and `k` terms is given besides its operands. */
export function checkRequantized(
  name: string,
  n: number,
  k: number,
  [bias, multiplier, table]: readonly (TensorType | undefined)[],
  { shift, zeroPoint, min, max }: MatmulI8Attrs,
): void {
  for (const [what, t] of [
    ['bias', bias],
    ['multiplier', multiplier],
  ] as const)
    if (!sameShape(t!.shape, [n]))
      fail('shape_mismatch', `${name}: the ${what} has shape ${showShape(t!.shape)}, expected [${n}]`);
  if (table && !table256(table))
    fail('shape_mismatch', `${name}: the table is ${showType(table)}, expected u8 [256]`);
  if (k > MAX_K_I8)
    fail(
      'unsupported',
      `${name}: ${k} products of u8 and i8 may overflow int32; at most ${MAX_K_I8} are exact`,
    );
  if (!Number.isInteger(shift)) fail('out_of_range', `${name}: shift is ${shift}, expected a whole number`);
  expectNumber(name, 'shift', shift, 17, 62);
  expectNumber(name, 'zeroPoint', zeroPoint, 0, 255);
  expectNumber(name, 'min', min, 0, max);
  expectNumber(name, 'max', max, min, 255);
}

/** The byte that a sum of column n becomes. */
export const requantizer =
  (multiplier: Value, table: Value | undefined, { shift, zeroPoint, min, max }: MatmulI8Attrs) =>
  (acc: number, n: number): number => {
    const q = Math.min(max, Math.max(min, requantize(acc, multiplier.data[n], shift) + zeroPoint));
    return table ? table.data[q] : q;
  };

const table256 = (t: TensorType) => t.dtype === 'u8' && sameShape(t.shape, [256]);

export const quantized = {
  /** q = clamp(roundHalfToEven(x * f32(1 / scale)) + zeroPoint); NaN gives the zero point. */
  quantize: op<QuantAttrs & { dtype: 'u8' | 'i8' }>({
    permuted: (attrs) => attrs,
    infer(inputs, attrs) {
      expectInputs('quantize', inputs, ['f32']);
      if (!(attrs.dtype in limits))
        fail('dtype_mismatch', `quantize: dtype is '${attrs.dtype}', expected 'u8' or 'i8'`);
      checkQuant('quantize', attrs, attrs.dtype);
      return { dtype: attrs.dtype, shape: inputs[0].shape };
    },
    reference([x], y, { scale, zeroPoint, dtype }) {
      const inverse = inverseScale(scale);
      const [low, high] = limits[dtype];
      for (let i = 0; i < y.data.length; i++) {
        const q = roundEven(Math.fround(x.data[i] * inverse)) + zeroPoint;
        y.data[i] = Number.isNaN(q) ? zeroPoint : Math.min(high, Math.max(low, q));
      }
    },
    flops: ([x]) => 4 * sizeOf(x.shape),
  }),

  /** x = (q - zeroPoint) * scale, one f32 multiplication. */
  dequantize: op<QuantAttrs>({
    permuted: (attrs) => attrs,
    infer(inputs, attrs) {
      expectInputs('dequantize', inputs, [null]);
      const { dtype, shape } = inputs[0];
      if (dtype !== 'u8' && dtype !== 'i8')
        fail('dtype_mismatch', `dequantize: got ${showType(inputs[0])}, expected u8 or i8`);
      checkQuant('dequantize', attrs, dtype);
      return { dtype: 'f32', shape };
    },
    reference([x], y, { scale, zeroPoint }) {
      for (let i = 0; i < y.data.length; i++) y.data[i] = Math.fround((x.data[i] - zeroPoint) * scale);
    },
    flops: ([x]) => 2 * sizeOf(x.shape),
  }),

  /**
   * matmul_i8(x u8 (..., K), weight i8 (N, K), bias i32 (N), multiplier i32 (N), [table u8 (256)]) -> u8 (..., N)
   *
   *     acc = bias[n] + sum over k of x[k] * weight[n][k]          (int32; the input's zero point is in the bias)
   *     q   = clamp(requantize(acc, multiplier[n], shift) + zeroPoint, min, max)
   *     y   = table ? table[q] : q
   */
  matmul_i8: op<MatmulI8Attrs>({
    product: ([
      x,
      {
        shape: [n, k],
      },
    ]) => ({ kind: 'i8', batch: 1, m: sizeOf(x.shape.slice(0, -1)), n, k, form: 'nt' }),
    infer(inputs, attrs) {
      expectInputs('matmul_i8', inputs, ['u8', 'i8', 'i32', 'i32', 'u8?']);
      const [x, weight, ...rest] = inputs;
      expectRank('matmul_i8', x, 1);
      const [n, k] = weight.shape;
      if (weight.shape.length !== 2 || x.shape.at(-1) !== k)
        fail(
          'shape_mismatch',
          `matmul_i8: input ${showShape(x.shape)} and weight ${showShape(weight.shape)}; expected (..., K) and (N, K)`,
        );
      checkRequantized('matmul_i8', n, k, rest, attrs);
      return { dtype: 'u8', shape: [...x.shape.slice(0, -1), n] };
    },
    reference([x, weight, bias, multiplier, table], y, attrs) {
      const [n, k] = weight.shape;
      const finished = requantizer(multiplier, table, attrs);
      const rows = sizeOf(x.shape.slice(0, -1));
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < n; c++) {
          let acc = bias.data[c];
          for (let l = 0; l < k; l++) acc += x.data[r * k + l] * weight.data[c * k + l];
          y.data[r * n + c] = finished(acc, c);
        }
    },
    flops: ([x, weight]) => 2 * sizeOf(x.shape) * weight.shape[0],
  }),

  /**
   * add_i8(a u8, b u8) -> u8, of one shape:
   *
   *     acc = (a - zeroA) * factorA + (b - zeroB) * factorB                 (int32)
   *     y   = clamp(round(acc / 2^shift) + zeroPoint, min, max)             (halves away from zero)
   */
  add_i8: op<AddI8Attrs>({
    permuted: (attrs) => attrs,
    infer(inputs, attrs) {
      expectInputs('add_i8', inputs, ['u8', 'u8']);
      expectSameShape('add_i8', inputs[0], inputs[1]);
      const { min, max } = attrs;
      const whole = (what: keyof AddI8Attrs, least: number, most: number) => {
        const value = attrs[what] as number;
        expectNumber('add_i8', what, value, least, most);
        if (!Number.isInteger(value))
          fail('out_of_range', `add_i8: ${what} is ${value}, expected a whole number`);
      };
      for (const what of ['zeroA', 'zeroB', 'zeroPoint'] as const) whole(what, 0, 255);
      for (const what of ['factorA', 'factorB'] as const) whole(what, -MOST_FACTOR, MOST_FACTOR);
      whole('shift', 1, 30);
      whole('min', 0, max);
      whole('max', min, 255);
      return inputs[0];
    },
    reference([a, b], y, { zeroA, zeroB, factorA, factorB, shift, zeroPoint, min, max }) {
      for (let i = 0; i < y.data.length; i++) {
        const acc = (a.data[i] - zeroA) * factorA + (b.data[i] - zeroB) * factorB;
        const q = Math.sign(acc) * Math.floor(Math.abs(acc) / 2 ** shift + 0.5) + zeroPoint;
        y.data[i] = Math.min(max, Math.max(min, q));
      }
    },
    flops: ([a]) => 8 * sizeOf(a.shape),
  }),

  /** activation_i8(x u8, table u8 (256)): y = table[x], any function of one quantized number. */
  activation_i8: op<Reported>({
    permuted: (attrs) => attrs,
    infer(inputs) {
      expectInputs('activation_i8', inputs, ['u8', 'u8']);
      if (!table256(inputs[1]))
        fail('shape_mismatch', `activation_i8: the table is ${showType(inputs[1])}, expected u8 [256]`);
      return inputs[0];
    },
    reference([x, table], y) {
      for (let i = 0; i < y.data.length; i++) y.data[i] = table.data[x.data[i]];
    },
    flops: ([x]) => sizeOf(x.shape),
  }),
};

/** Largest K for which bias (within 2^30) plus K products of at most 255 * 127 stay within int32. */
export const MAX_K_I8 = Math.floor(2 ** 30 / (255 * 127));
