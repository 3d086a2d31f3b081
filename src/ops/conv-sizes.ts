import { fail } from '../core/errors.ts';
import { showShape } from '../core/shape.ts';
import type { Epilogue } from './epilogue.ts';
import type { TensorType } from './op.ts';
import type { Pair } from './pool.ts';

/** How a kernel is laid over an image with zeros around it. */
export interface Laid {
  readonly stride: Pair;
  /** Rows above, columns to the left, rows below, columns to the right; below 0 they are cut off. */
  readonly padding: readonly [top: number, left: number, bottom: number, right: number];
  readonly dilation: Pair;
  /** Parts of the channels that are convolved apart, each with its part of the filters. */
  readonly groups: number;
}

export interface ConvAttrs extends Laid, Epilogue {}

/** Along one axis: how long the image is, and where the taps of each window are: window * stride - before + tap * dilation. */
export interface Axis {
  readonly size: number;
  readonly windows: number;
  readonly taps: number;
  readonly stride: number;
  readonly before: number;
  readonly dilation: number;
}

export interface ConvSizes {
  readonly batch: number;
  readonly channels: number;
  readonly filters: number;
  readonly groups: number;
  readonly down: Axis;
  readonly across: Axis;
}

/** Every channel by itself, with one filter. */
export const isDepthwise = ({ channels, filters, groups }: ConvSizes): boolean =>
  groups === channels && groups === filters;

/** (batch, rows, columns, filters) */
export const outputOf = ({ batch, down, across, filters }: ConvSizes): number[] => [
  batch,
  down.windows,
  across.windows,
  filters,
];

const MOST = 2 ** 15;
const whole = (least: number) => (n: number) => Number.isSafeInteger(n) && n >= least && n < MOST;

function checkAttrs(name: string, { stride, padding, dilation, groups }: Laid): void {
  for (const [what, values, count, least] of [
    ['stride', stride, 2, 1],
    ['padding', padding, 4, -MOST],
    ['dilation', dilation, 2, 1],
    ['groups', [groups], 1, 1],
  ] as const)
    if (values?.length !== count || !values.every(whole(least)))
      fail(
        'out_of_range',
        `${name}: ${what} is ${showShape(values ?? [])}, expected ${count === 1 ? 'a whole number' : `${count} whole numbers`} from ${least}`,
      );
}

/** Sizes of an image x and weights w. Throws where they don't fit each other. */
export function convSizes(name: string, x: TensorType, w: TensorType, attrs: Laid): ConvSizes {
  checkAttrs(name, attrs);
  const { stride, padding, dilation, groups } = attrs;
  const [batch, height, width, channels] = x.shape;
  const [kernelHeight, kernelWidth, perGroup, filters] = w.shape;
  if (channels !== perGroup * groups)
    fail(
      'shape_mismatch',
      `${name}: the image has ${channels} channels, the weight is for ${perGroup} in each of ${groups} group(s), so for ${perGroup * groups}`,
    );
  if (filters % groups !== 0)
    fail('shape_mismatch', `${name}: ${filters} filters can't be divided into ${groups} groups`);
  const along = (axis: 0 | 1, size: number, taps: number): Axis => {
    const room = size + padding[axis] + padding[axis + 2];
    const reach = dilation[axis] * (taps - 1) + 1;
    if (taps < 1 || reach > room)
      fail(
        'shape_mismatch',
        `${name}: a kernel of ${kernelHeight} x ${kernelWidth} with dilation ${showShape(dilation)} doesn't fit into an image of ` +
          `${height} x ${width} with padding ${showShape(padding)}: it needs ${reach}, and there are ${room}`,
      );
    const windows = Math.floor((room - reach) / stride[axis]) + 1;
    return { size, windows, taps, stride: stride[axis], before: padding[axis], dilation: dilation[axis] };
  };
  return {
    ...{ batch, channels, filters, groups },
    down: along(0, height, kernelHeight),
    across: along(1, width, kernelWidth),
  };
}

/** Visits every pixel of the output with every tap that lies inside the image: places of pixels, and of the tap. */
export function eachTap(sizes: ConvSizes, visit: (y: number, x: number, tap: number) => void): void {
  const { batch, down, across } = sizes;
  for (let n = 0; n < batch; n++)
    for (let row = 0; row < down.windows; row++)
      for (let column = 0; column < across.windows; column++) {
        const y = (n * down.windows + row) * across.windows + column;
        for (let i = 0; i < down.taps; i++) {
          const at = row * down.stride - down.before + i * down.dilation;
          if (at < 0 || at >= down.size) continue;
          for (let j = 0; j < across.taps; j++) {
            const left = column * across.stride - across.before + j * across.dilation;
            if (left >= 0 && left < across.size)
              visit(y, (n * down.size + at) * across.size + left, i * across.taps + j);
          }
        }
      }
}
