import { type Check, check, either, listOf, oneOf, whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { showShape } from '../core/shape.ts';
import type { Tensor } from '../graph/trace.ts';
import { reshape, transpose } from './layout.ts';

/** Where channels are: 'NCHW' as in PyTorch, (batch, channels, height, width), or 'NHWC', as pixels come. In one dimension without H. */
export type Layout = 'NCHW' | 'NHWC';

export const isLayout = oneOf('NCHW', 'NHWC');

/** A number for every axis, or one for each: down and across, or in one dimension along. */
export type Sizes = number | readonly number[];
/** Down and across. */
export type Pair = readonly [number, number];

/** Whole numbers, for `axes` dimensions or one for all. */
export const sizesOf = (axes: number, least: number): Check =>
  either(
    whole(least),
    check(`${axes} of them`, (x) => listOf(whole(least))(x) && (x as number[]).length === axes),
  );

/** Down and across; what has one dimension is an image of one row, for which `otherwise` stands. */
export function pairOf(given: Sizes | undefined, axes: number, otherwise: number): Pair {
  const all = typeof given === 'object' ? [...given] : new Array<number>(axes).fill(given ?? otherwise);
  return axes === 1 ? [otherwise, all[0]] : [all[0], all[1]];
}

/** Without moving anything where only axes of one element change places. */
export function permuted(x: Tensor, perm: readonly number[]): Tensor {
  const long = perm.filter((axis) => x.shape[axis] !== 1);
  const moves = long.some((axis, i) => i > 0 && axis < long[i - 1]);
  const shape = perm.map((axis) => x.shape[axis]);
  return moves ? transpose(x, perm) : reshape(x, shape);
}

/**
 * What an op does with images as (batch, height, width, channels), for those of any layout, with a batch or without; what has one
 * axis is an image of one row. Throws 'shape_mismatch' for what is no image.
 */
export function onPixels(
  name: string,
  given: Tensor,
  axes: number,
  layout: Layout,
  work: (x: Tensor) => Tensor,
): Tensor {
  const rank = given.shape.length;
  const channelsFirst = layout === 'NCHW';
  if (rank !== axes + 1 && rank !== axes + 2) {
    const spatial = axes === 1 ? 'length' : 'height, width';
    const expected = channelsFirst ? `channels, ${spatial}` : `${spatial}, channels`;
    fail(
      'shape_mismatch',
      `${name}: got ${showShape(given.shape)}, expected [batch, ${expected}] or [${expected}]`,
    );
  }
  const batched = rank === axes + 2;
  const [batch, ...rest] = batched ? given.shape : [1, ...given.shape];
  const row = channelsFirst ? [rest[0], 1, rest[1]] : [1, rest[0], rest[1]];
  const image = reshape(given, [batch, ...(axes === 2 ? rest : row)]);
  const y = work(channelsFirst ? permuted(image, [0, 2, 3, 1]) : image);
  const back = channelsFirst ? permuted(y, [0, 3, 1, 2]) : y;
  const [images, ...sizes] = back.shape;
  const flat = axes === 2 ? sizes : sizes.filter((_, i) => i !== (channelsFirst ? 1 : 0));
  return reshape(back, batched ? [images, ...flat] : flat);
}
