import { fail } from '../core/errors.ts';
import { showShape, sizeOf } from '../core/shape.ts';
import { expectInputs, expectNumber, expectSameShape, showType } from './check.ts';
import { op, type TensorType, type Value } from './op.ts';
import { type Reported, requantize } from './requantize.ts';

/** Down, then across. */
export type Pair = readonly [number, number];

/** Windows of `kernel` taps, `dilation` apart, every `stride`, over an image with `padding` around it. */
export interface PoolAttrs {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  /** Whether a last window may hang over the end, as long as it begins inside. */
  readonly ceil: boolean;
}

export interface AvgPoolAttrs extends PoolAttrs {
  /** Whether zeros of the padding count; what hangs over never does. */
  readonly countIncludePad: boolean;
  /** What sums are divided by, instead of what counts; 0 where there is none. */
  readonly divisor: number;
}

/** How sums of bytes become a byte: scale of the input / scale of the output = multiplier / 2^shift, before the division. */
export interface AvgPoolI8Attrs extends AvgPoolAttrs, Reported {
  /** The number that stands for 0 in the image, and in the result. */
  readonly inputZero: number;
  readonly zeroPoint: number;
  /** 0 to 2^31 - 1, and 17 to 62. */
  readonly multiplier: number;
  readonly shift: number;
}

/** Along one axis: how many windows there are, and what they are. */
interface Windows {
  readonly size: number;
  readonly windows: number;
  readonly taps: number;
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
}

/** An image (batch, height, width, channels), and the windows over it. */
export function poolSizes(x: TensorType, { kernel, stride, padding, dilation, ceil }: PoolAttrs) {
  const [images, , , channels] = x.shape;
  const along = (axis: 0 | 1): Windows => {
    const size = x.shape[axis + 1];
    const [taps, step, around, apart] = [kernel[axis], stride[axis], padding[axis], dilation[axis]];
    const room = size + 2 * around - apart * (taps - 1) - 1;
    const steps = room < 0 ? -1 : ceil ? Math.ceil(room / step) : Math.floor(room / step);
    const outside = ceil && steps * step >= size + around;
    return { size, windows: steps + (outside ? 0 : 1), taps, stride: step, padding: around, dilation: apart };
  };
  return { images, channels, down: along(0), across: along(1) };
}

/** The taps of a window that lie inside: places along its axis. */
function tapsOf({ size, taps, stride, padding, dilation }: Windows, window: number): number[] {
  const start = window * stride - padding;
  return Array.from({ length: taps }, (_, t) => start + t * dilation).filter((at) => at >= 0 && at < size);
}

/** Taps of a window that count where those in the padding do. */
function reachOf({ size, taps, stride, padding }: Windows, window: number): number {
  const start = window * stride - padding;
  return Math.min(start + taps, size + padding) - start;
}

/** Visits every channel of every window, in order: the places in x of its taps that lie inside, and how many count with the padding. */
function eachWindow(
  x: TensorType,
  attrs: PoolAttrs,
  visit: (i: number, taps: readonly number[], reach: number) => void,
): void {
  const { images, channels, down, across } = poolSizes(x, attrs);
  const lines = [down, across].map((axis) =>
    Array.from({ length: axis.windows }, (_, w) => ({ taps: tapsOf(axis, w), reach: reachOf(axis, w) })),
  );
  let i = 0;
  for (let image = 0; image < images; image++)
    for (const row of lines[0])
      for (const column of lines[1]) {
        const pixels = row.taps.flatMap((y) =>
          column.taps.map((z) => (image * down.size + y) * across.size + z),
        );
        for (let c = 0; c < channels; c++, i++)
          visit(
            i,
            pixels.map((pixel) => pixel * channels + c),
            row.reach * column.reach,
          );
      }
}

/** The place of the first largest of some, or of the last NaN if there is one, as in PyTorch; -1 of none. */
function winnerOf(x: Value, taps: readonly number[]): number {
  let best = -1;
  for (const at of taps) {
    const v = x.data[at];
    if (best < 0 || v > x.data[best] || Number.isNaN(v)) best = at;
  }
  return best;
}

function outputType(name: string, x: TensorType, attrs: PoolAttrs): TensorType {
  const whole = (least: number) => (n: number) => Number.isSafeInteger(n) && n >= least && n < 2 ** 15;
  for (const [what, least] of [['kernel', 1], ['stride', 1], ['padding', 0], ['dilation', 1]] as const) // biome-ignore format: pairs
    if (attrs[what]?.length !== 2 || !attrs[what].every(whole(least)))
      fail(
        'out_of_range',
        `${name}: ${what} is ${showShape(attrs[what] ?? [])}, expected two whole numbers from ${least}`,
      );
  if (x.shape.length !== 4)
    fail('shape_mismatch', `${name}: got ${showType(x)}, expected [batch, height, width, channels]`);
  if (attrs.padding.some((p, i) => p > attrs.kernel[i] / 2))
    fail(
      'out_of_range',
      `${name}: padding is ${showShape(attrs.padding)}, expected at most half of the kernel ${showShape(attrs.kernel)}`,
    );
  const { images, channels, down, across } = poolSizes(x, attrs);
  if (!(down.windows > 0 && across.windows > 0))
    fail(
      'shape_mismatch',
      `${name}: no window of ${showShape(attrs.kernel)} fits into ${showShape(x.shape.slice(1, 3))} with padding ${showShape(attrs.padding)}`,
    );
  return { dtype: x.dtype, shape: [images, down.windows, across.windows, channels] };
}

/** The image that a gradient is of, from its height and width. */
const expectGradient = (name: string, dy: TensorType, x: TensorType, attrs: PoolAttrs): TensorType => {
  expectSameShape(name, dy, outputType(name, x, attrs));
  return x;
};

const tapsPerWindow = ({ kernel }: PoolAttrs) => kernel[0] * kernel[1];

/** Sums of so many bytes are exact in int32. */
export const MOST_TAPS_I8 = 2 ** 23;

const divisorOf = ({ countIncludePad, divisor }: AvgPoolAttrs, inside: number, reach: number): number =>
  divisor || (countIncludePad ? reach : inside);

function checkDivisor(name: string, { divisor }: AvgPoolAttrs): void {
  if (!Number.isSafeInteger(divisor) || divisor < 0 || divisor >= 2 ** 31)
    fail(
      'out_of_range',
      `${name}: divisor is ${divisor}, expected a whole number from 1, or 0 for what counts`,
    );
}

export const pool = {
  /** max_pool(x): the largest of each window, NaN where there is one; the padding is -infinity (for u8: 0). */
  max_pool: op<PoolAttrs>({
    moves: true,
    infer(inputs, attrs) {
      expectInputs('max_pool', inputs, [null]);
      const [x] = inputs;
      if (x.dtype !== 'f32' && x.dtype !== 'u8')
        fail('dtype_mismatch', `max_pool: input 0 is ${showType(x)}, expected f32 or u8`);
      return outputType('max_pool', x, attrs);
    },
    reference([x], y, attrs) {
      const lowest = x.dtype === 'u8' ? 0 : -Infinity;
      eachWindow(x, attrs, (i, taps) => {
        const at = winnerOf(x, taps);
        y.data[i] = at < 0 ? lowest : x.data[at];
      });
    },
    flops: (_, y, attrs) => tapsPerWindow(attrs) * sizeOf(y.shape),
    gradient: ({ inputs: [x], dy, attrs, emit }) => [emit('max_pool_backward', [dy, x], attrs)],
  }),

  /** max_pool_backward(dy, x): adds what each window gets to its winner, in order of the windows. */
  max_pool_backward: op<PoolAttrs>({
    infer(inputs, attrs) {
      expectInputs('max_pool_backward', inputs, ['f32', 'f32']);
      return expectGradient('max_pool_backward', inputs[0], inputs[1], attrs);
    },
    reference([dy, x], dx, attrs) {
      dx.data.fill(0);
      eachWindow(x, attrs, (i, taps) => {
        const at = winnerOf(x, taps);
        if (at >= 0) dx.data[at] += dy.data[i];
      });
    },
    flops: ([dy], _, attrs) => (tapsPerWindow(attrs) + 1) * sizeOf(dy.shape),
  }),

  /** avg_pool(x): the sum of each window, divided by what counts of it. */
  avg_pool: op<AvgPoolAttrs>({
    integers: 'average',
    infer(inputs, attrs) {
      expectInputs('avg_pool', inputs, ['f32']);
      checkDivisor('avg_pool', attrs);
      return outputType('avg_pool', inputs[0], attrs);
    },
    reference([x], y, attrs) {
      eachWindow(x, attrs, (i, taps, reach) => {
        let sum = 0;
        for (const at of taps) sum += x.data[at];
        y.data[i] = sum / divisorOf(attrs, taps.length, reach);
      });
    },
    flops: (_, y, attrs) => (tapsPerWindow(attrs) + 1) * sizeOf(y.shape),
    gradient: ({ inputs: [x], dy, attrs, emit }) => [
      emit('avg_pool_backward', [dy], { ...attrs, size: [x.shape[1], x.shape[2]] }),
    ],
  }),

  /**
   * avg_pool_i8(x u8) -> u8: y = clamp(requantize(sum of (x - inputZero), round(multiplier / d), shift) + zeroPoint), where d is what
   * counts of the window.
   */
  avg_pool_i8: op<AvgPoolI8Attrs>({
    infer(inputs, attrs) {
      expectInputs('avg_pool_i8', inputs, ['u8']);
      checkDivisor('avg_pool_i8', attrs);
      for (const [
        what,
        least,
        most,
      ] of [['inputZero', 0, 255], ['zeroPoint', 0, 255], ['multiplier', 0, 2 ** 31 - 1], ['shift', 17, 62]] as const) // biome-ignore format: a table
        expectNumber('avg_pool_i8', what, attrs[what], least, most);
      if (tapsPerWindow(attrs) > MOST_TAPS_I8)
        fail('unsupported', `avg_pool_i8: sums of ${tapsPerWindow(attrs)} bytes may overflow int32; at most ${MOST_TAPS_I8} are exact`); // biome-ignore format: a sentence
      return outputType('avg_pool_i8', inputs[0], attrs);
    },
    reference([x], y, attrs) {
      const { inputZero, zeroPoint, multiplier, shift } = attrs;
      eachWindow(x, attrs, (i, taps, reach) => {
        let sum = 0;
        for (const at of taps) sum += x.data[at] - inputZero;
        const part = Math.round(multiplier / divisorOf(attrs, taps.length, reach));
        y.data[i] = Math.min(255, Math.max(0, requantize(sum, part, shift) + zeroPoint));
      });
    },
    flops: (_, y, attrs) => (tapsPerWindow(attrs) + 1) * sizeOf(y.shape),
  }),

  /** avg_pool_backward(dy): what each window gets, divided, for each of its taps. */
  avg_pool_backward: op<AvgPoolAttrs & { readonly size: Pair }>({
    infer(inputs, attrs) {
      expectInputs('avg_pool_backward', inputs, ['f32']);
      checkDivisor('avg_pool_backward', attrs);
      return expectGradient('avg_pool_backward', inputs[0], pooledImage(inputs[0], attrs), attrs);
    },
    reference([dy], dx, attrs) {
      const sums = new Float64Array(dx.data.length);
      eachWindow(dx, attrs, (i, taps, reach) => {
        for (const at of taps) sums[at] += dy.data[i] / divisorOf(attrs, taps.length, reach);
      });
      dx.data.set(sums);
    },
    flops: ([dy], _, attrs) => (tapsPerWindow(attrs) + 1) * sizeOf(dy.shape),
    gradient: ({ dy, attrs: { size: _, ...attrs }, emit }) => [emit('avg_pool', [dy], attrs)],
  }),
};

/** The image that was pooled. */
export const pooledImage = (dy: TensorType, { size }: { readonly size: Pair }): TensorType => ({
  dtype: dy.dtype,
  shape: [dy.shape[0], ...size, dy.shape[3]],
});
