import { fail } from '../core/errors.ts';
import { showShape, sizeOf } from '../core/shape.ts';
import { expectInputs, expectSameShape, showType } from './check.ts';
import { op, type TensorType, type Value } from './op.ts';

/** Down, then across. */
export type Pair = readonly [number, number];

/** Windows of `kernel` taps, `dilation` apart, every `stride`, over a plane with `padding` around it. */
export interface PoolAttrs {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
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

/** Planes (of samples and channels) of x, and the windows over one. */
export function poolSizes(x: TensorType, { kernel, stride, padding, dilation }: PoolAttrs) {
  const along = (axis: 0 | 1): Windows => {
    const size = x.shape.at(axis - 2)!;
    const [taps, step, around, apart] = [kernel[axis], stride[axis], padding[axis], dilation[axis]];
    const windows = Math.floor((size + 2 * around - apart * (taps - 1) - 1) / step) + 1;
    return { size, windows, taps, stride: step, padding: around, dilation: apart };
  };
  return { planes: sizeOf(x.shape.slice(0, -2)), down: along(0), across: along(1) };
}

/** The taps of a window that lie inside: places along its axis. */
function tapsOf({ size, taps, stride, padding, dilation }: Windows, window: number): number[] {
  const start = window * stride - padding;
  return Array.from({ length: taps }, (_, t) => start + t * dilation).filter((at) => at >= 0 && at < size);
}

/**
 * For each window, in order, the place of its winner in x: the first largest, or the last NaN if there is one, as in PyTorch;
 * -1 for a window that lies in the padding.
 */
function* winners(x: Value, attrs: PoolAttrs): Generator<number> {
  const { planes, down, across } = poolSizes(x, attrs);
  const [rows, columns] = [down, across].map((axis) =>
    Array.from({ length: axis.windows }, (_, w) => tapsOf(axis, w)),
  );
  for (let plane = 0; plane < planes; plane++)
    for (const row of rows)
      for (const column of columns) {
        let best = -1;
        for (const i of row)
          for (const j of column) {
            const at = (plane * down.size + i) * across.size + j;
            const v = x.data[at];
            if (best < 0 || v > x.data[best] || Number.isNaN(v)) best = at;
          }
        yield best;
      }
}

function outputShape(name: string, x: TensorType, attrs: PoolAttrs): number[] {
  const whole = (least: number) => (n: number) => Number.isSafeInteger(n) && n >= least && n < 2 ** 15;
  for (const [what, least] of [['kernel', 1], ['stride', 1], ['padding', 0], ['dilation', 1]] as const) // biome-ignore format: pairs
    if (attrs[what]?.length !== 2 || !attrs[what].every(whole(least)))
      fail(
        'out_of_range',
        `${name}: ${what} is ${showShape(attrs[what] ?? [])}, expected two whole numbers from ${least}`,
      );
  if (x.shape.length !== 3 && x.shape.length !== 4)
    fail(
      'shape_mismatch',
      `${name}: got ${showType(x)}, expected [batch, channels, height, width] or [channels, height, width]`,
    );
  if (attrs.padding.some((p, i) => p > attrs.kernel[i] / 2))
    fail(
      'out_of_range',
      `${name}: padding is ${showShape(attrs.padding)}, expected at most half of the kernel ${showShape(attrs.kernel)}`,
    );
  const { down, across } = poolSizes(x, attrs);
  if (!(down.windows > 0 && across.windows > 0))
    fail(
      'shape_mismatch',
      `${name}: no window of ${showShape(attrs.kernel)} fits into ${showShape(x.shape.slice(-2))} with padding ${showShape(attrs.padding)}`,
    );
  return [...x.shape.slice(0, -2), down.windows, across.windows];
}

const tapsPerWindow = ({ kernel }: PoolAttrs) => kernel[0] * kernel[1];

export const pool = {
  /** max_pool(x): the largest of each window, NaN where there is one; the padding is -infinity (for u8: 0). */
  max_pool: op<PoolAttrs>({
    moves: true,
    infer(inputs, attrs) {
      expectInputs('max_pool', inputs, [null]);
      const [x] = inputs;
      if (x.dtype !== 'f32' && x.dtype !== 'u8')
        fail('dtype_mismatch', `max_pool: input 0 is ${showType(x)}, expected f32 or u8`);
      return { dtype: x.dtype, shape: outputShape('max_pool', x, attrs) };
    },
    reference([x], y, attrs) {
      const lowest = x.dtype === 'u8' ? 0 : -Infinity;
      let i = 0;
      for (const at of winners(x, attrs)) y.data[i++] = at < 0 ? lowest : x.data[at];
    },
    flops: (_, y, attrs) => tapsPerWindow(attrs) * sizeOf(y.shape),
    gradient: ({ inputs: [x], dy, attrs, emit }) => [emit('max_pool_backward', [dy, x], attrs)],
  }),

  /** max_pool_backward(dy, x): adds what each window gets to its winner, in order of the windows. */
  max_pool_backward: op<PoolAttrs>({
    infer(inputs, attrs) {
      expectInputs('max_pool_backward', inputs, ['f32', 'f32']);
      const [dy, x] = inputs;
      const shape = outputShape('max_pool_backward', x, attrs);
      expectSameShape('max_pool_backward', dy, { dtype: 'f32', shape });
      return x;
    },
    reference([dy, x], dx, attrs) {
      dx.data.fill(0);
      let i = 0;
      for (const at of winners(x, attrs)) {
        if (at >= 0) dx.data[at] += dy.data[i];
        i++;
      }
    },
    flops: ([dy], _, attrs) => (tapsPerWindow(attrs) + 1) * sizeOf(dy.shape),
  }),
};
