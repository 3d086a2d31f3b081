import { check, either, listOf, real, whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { showShape } from '../core/shape.ts';
import { type PadOptions, pad } from '../functions/pad.ts';
import { unflatten as divide } from '../functions/shape.ts';
import { layer, needed } from './layer.ts';
import type { Module } from './module.ts';

/** Elements around: as many on each side, or two numbers for each axis, the last axis first: [left, right, top, bottom]. */
export type Padding = number | readonly number[];

const one = whole(-(2 ** 31), 2 ** 31 - 1);
const pads = (axes: number) => {
  const list = check(
    `an array of ${2 * axes} whole numbers`,
    (x) => listOf(one)(x) && (x as number[]).length === 2 * axes,
  );
  return needed<Padding>(either(one, list));
};

const around = (name: string, axes: number, padding: Padding, options: PadOptions): Module['forward'] => {
  const all = typeof padding === 'number' ? Array<number>(2 * axes).fill(padding) : padding;
  return (x) => {
    if (x.shape.length < axes)
      fail('shape_mismatch', `${name}: got ${showShape(x.shape)}, expected at least ${axes} dimensions`);
    return pad(x, all, options);
  };
};

const padding = (
  name: string,
  axes: number,
  mode: Exclude<PadOptions['mode'], undefined>,
): ((padding: Padding) => Module) =>
  layer(
    name,
    { padding: pads(axes) },
    ({ padding }) => around(name, axes, padding, { mode }),
    (make) => (padding: Padding) => make({ padding }),
  );

const constant = (name: string, axes: number): ((padding: Padding, value: number) => Module) =>
  layer(
    name,
    { padding: pads(axes), value: needed<number>(real()) },
    ({ padding, value }) => around(name, axes, padding, { value }),
    (make) => (padding: Padding, value: number) => make({ padding, value }),
  );

/** A value around the last axis (torch.nn.ConstantPad1d). */
export const constantPad1d = constant('constantPad1d', 1);
/** A value around the last two axes (torch.nn.ConstantPad2d). */
export const constantPad2d = constant('constantPad2d', 2);
/** Zeros around the last axis (torch.nn.ZeroPad1d). */
export const zeroPad1d = padding('zeroPad1d', 1, 'constant');
/** Zeros around the last two axes (torch.nn.ZeroPad2d). */
export const zeroPad2d = padding('zeroPad2d', 2, 'constant');
/** The last axis mirrored at its ends, which are not repeated (torch.nn.ReflectionPad1d). */
export const reflectionPad1d = padding('reflectionPad1d', 1, 'reflect');
/** The last two axes mirrored at their ends, which are not repeated (torch.nn.ReflectionPad2d). */
export const reflectionPad2d = padding('reflectionPad2d', 2, 'reflect');
/** The ends of the last axis repeated (torch.nn.ReplicationPad1d). */
export const replicationPad1d = padding('replicationPad1d', 1, 'replicate');
/** The ends of the last two axes repeated (torch.nn.ReplicationPad2d). */
export const replicationPad2d = padding('replicationPad2d', 2, 'replicate');
/** The last axis as a ring (torch.nn.CircularPad1d). */
export const circularPad1d = padding('circularPad1d', 1, 'circular');
/** The last two axes as rings (torch.nn.CircularPad2d). */
export const circularPad2d = padding('circularPad2d', 2, 'circular');

/** An axis as several of these sizes, one of which may be -1 (torch.nn.Unflatten). */
export const unflatten: (dim: number, unflattenedSize: readonly number[]) => Module = layer(
  'unflatten',
  { dim: needed<number>(one), unflattenedSize: needed<readonly number[]>(listOf(whole(-1))) },
  ({ dim, unflattenedSize }) =>
    (x) =>
      divide(x, dim, unflattenedSize),
  (make) => (dim, unflattenedSize) => make({ dim, unflattenedSize }),
);
