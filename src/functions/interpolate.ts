import { type Check, either, flag, oneOf, pair, real, whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { expectValue, optionsOf } from '../core/options.ts';
import type { Tensor } from '../graph/trace.ts';
import type { Operand } from './apply.ts';
import { add, mul } from './binary.ts';
import { gather } from './gather.ts';
import { isLayout, type Layout, onPixels } from './pixels.ts';
import { tensorOf } from './shape.ts';

/** How an image gets another size. */
export interface InterpolateOptions {
  /** Rows and columns of the result, or one number for both. Either this or `scaleFactor`. */
  readonly size?: number | readonly [number, number];
  /** How much larger: down and across, or one number for both; sizes are rounded down. */
  readonly scaleFactor?: number | readonly [number, number];
  /**
   * 'nearest' (if not given) takes the pixel at floor(i / scale), 'nearest-exact' the one whose middle is nearest, 'bilinear' and
   * 'bicubic' mix two and four in each direction.
   */
  readonly mode?: 'nearest' | 'nearest-exact' | 'bilinear' | 'bicubic';
  /** Whether the middles of the corners stay where they are, instead of the image's edges; for bilinear and bicubic. */
  readonly alignCorners?: boolean;
  /** 'NCHW' if not given. */
  readonly layout?: Layout;
}

const forBoth = (of: Check): Check => either(of, pair(of));

export const interpolateChecks = {
  size: forBoth(whole(1)),
  scaleFactor: forBoth(real(1e-9)),
  mode: oneOf('nearest', 'nearest-exact', 'bilinear', 'bicubic'),
  alignCorners: flag,
  layout: isLayout,
};
const checkOptions = optionsOf<InterpolateOptions>('interpolate', interpolateChecks);

type Mode = NonNullable<InterpolateOptions['mode']>;

/** What an output position is made of: positions along the axis, each with its weight. */
interface Taps {
  readonly positions: Int32Array[];
  /** None where the one position is taken as it is. */
  readonly weights?: Float32Array[];
}

/** Keys' cubic, with a = -0.75 as PyTorch and OpenCV have it: weights of the four pixels around a point `t` behind the second. */
function cubic(t: number): number[] {
  const a = -0.75;
  const near = (x: number) => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return [far(1 + t), near(t), near(1 - t), far(2 - t)];
}

/** The taps of an axis of n as one of `to`; `scale`: how much larger it was asked to be. */
function tapsOf(n: number, to: number, scale: number, mode: Mode, alignCorners: boolean): Taps {
  const held = (i: number) => Math.min(Math.max(i, 0), n - 1);
  const all = <T>(f: (i: number) => T) => Array.from({ length: to }, (_, i) => f(i));
  const nearest = { nearest: (i: number) => i / scale, 'nearest-exact': (i: number) => (i + 0.5) / scale };
  if (mode === 'nearest' || mode === 'nearest-exact')
    return { positions: [Int32Array.from(all((i) => held(Math.floor(nearest[mode](i)))))] };
  const place = (i: number) => {
    if (alignCorners) return to > 1 ? (i * (n - 1)) / (to - 1) : 0;
    const middle = (i + 0.5) / scale - 0.5;
    return mode === 'bilinear' ? Math.max(middle, 0) : middle;
  };
  const parts = all((i) => {
    const first = Math.floor(place(i));
    const t = place(i) - first;
    return mode === 'bilinear'
      ? { from: first, weights: [1 - t, t] }
      : { from: first - 1, weights: cubic(t) };
  });
  const taps = [...parts[0].weights.keys()];
  return {
    positions: taps.map((k) => Int32Array.from(parts, ({ from }) => held(from + k))),
    weights: taps.map((k) => Float32Array.from(parts, ({ weights }) => weights[k])),
  };
}

/** An axis of x made of its entries as the taps say. */
function along(x: Tensor, axis: number, { positions, weights }: Taps): Tensor {
  const { tracer } = x;
  const taken = positions.map((list) =>
    gather(x, tracer.constant(list, { dtype: 'i32', shape: [list.length] }), axis),
  );
  if (!weights) return taken[0];
  const shape = (n: number) => x.shape.map((_, d) => (d === axis ? n : 1));
  return taken
    .map((t, k) => mul(t, tracer.constant(weights[k], { dtype: 'f32', shape: shape(weights[k].length) })))
    .reduce((sum, t) => add(sum, t));
}

/**
 * Images of another size, (batch, channels, height, width) -> (batch, channels, rows, columns), as
 * torch.nn.functional.interpolate. Throws 'invalid_argument' unless just one of `size` and `scaleFactor` is given.
 */
export function interpolate(x: Operand, options: InterpolateOptions): Tensor {
  const {
    size,
    scaleFactor,
    mode = 'nearest',
    alignCorners = false,
    layout = 'NCHW',
  } = checkOptions(options);
  if ((size === undefined) === (scaleFactor === undefined))
    fail(
      'invalid_argument',
      `interpolate: got ${size ? 'size and scaleFactor' : 'neither size nor scaleFactor'}, expected one of them`,
    );
  if (alignCorners) expectValue('interpolate', 'mode', mode, oneOf('bilinear', 'bicubic'));
  const both = (given: number | readonly [number, number]) =>
    typeof given === 'number' ? [given, given] : given;
  return onPixels('interpolate', tensorOf('interpolate', x), 2, layout, (pixels) =>
    [0, 1].reduce((image, d) => {
      const n = image.shape[d + 1];
      const to = size === undefined ? Math.floor(n * both(scaleFactor!)[d]) : both(size)[d];
      if (n === 0 || to === 0) fail('out_of_range', `interpolate: an axis of ${n} can't become one of ${to}`);
      const scale = scaleFactor === undefined ? to / n : both(scaleFactor)[d];
      if (to === n && scale === 1) return image;
      return along(image, d + 1, tapsOf(n, to, scale, mode, alignCorners));
    }, pixels),
  );
}
