import { check, oneOf, whole } from '../core/checks.ts';
import { optionsOf } from '../core/options.ts';
import * as f from '../functions/index.ts';
import { type Layout, type Sizes, sizesOf } from '../functions/pixels.ts';
import { avgPoolChecks, maxPoolChecks } from '../functions/pool.ts';
import { layer, needed, optional } from './layer.ts';
import type { Module } from './module.ts';

const divisor = check('a whole number from 1, or nothing', (x) => x === undefined || whole(1)(x));
type Build<O> = (kernelSize: Sizes, options?: O) => Module;

const layout = optional<Layout>('NCHW', oneOf('NCHW', 'NHWC'));
const common = (axes: number) => ({
  kernelSize: needed<Sizes>(sizesOf(axes, 1)),
  stride: optional<Sizes>(({ kernelSize }) => kernelSize as Sizes, sizesOf(axes, 1)),
  padding: optional<Sizes>(0, sizesOf(axes, 0)),
  ceilMode: false,
  layout,
});

function maxPool(name: string, axes: number, pool: typeof f.maxPool2d): Build<f.MaxPoolOptions> {
  const check = optionsOf<f.MaxPoolOptions>(name, maxPoolChecks(axes));
  return layer(
    name,
    { ...common(axes), dilation: optional<Sizes>(1, sizesOf(axes, 1)) },
    ({ kernelSize, ...options }) =>
      (x) =>
        pool(x, kernelSize, options),
    (make) => (kernelSize: Sizes, options?: f.MaxPoolOptions) => make({ ...check(options), kernelSize }),
  );
}

function avgPool(name: string, axes: number, pool: typeof f.avgPool2d): Build<f.AvgPoolOptions> {
  const check = optionsOf<f.AvgPoolOptions>(name, avgPoolChecks(axes));
  return layer(
    name,
    {
      ...common(axes),
      countIncludePad: true,
      divisorOverride: optional<number | undefined>(undefined, divisor),
    },
    ({ kernelSize, ...options }) =>
      (x) =>
        pool(x, kernelSize, options),
    (make) => (kernelSize: Sizes, options?: f.AvgPoolOptions) => make({ ...check(options), kernelSize }),
  );
}

/** The largest of each window, (batch, channels, length) -> (batch, channels, windows), like torch.nn.MaxPool1d. */
export const maxPool1d: Build<f.MaxPoolOptions> = maxPool('maxPool1d', 1, f.maxPool1d);
/** The largest of each window, (batch, channels, height, width) -> (batch, channels, rows, columns), like torch.nn.MaxPool2d. */
export const maxPool2d: Build<f.MaxPoolOptions> = maxPool('maxPool2d', 2, f.maxPool2d);
/** The mean of each window, (batch, channels, length) -> (batch, channels, windows), like torch.nn.AvgPool1d. */
export const avgPool1d: Build<f.AvgPoolOptions> = avgPool('avgPool1d', 1, f.avgPool1d);
/** The mean of each window, (batch, channels, height, width) -> (batch, channels, rows, columns), like torch.nn.AvgPool2d. */
export const avgPool2d: Build<f.AvgPoolOptions> = avgPool('avgPool2d', 2, f.avgPool2d);

function adaptivePool(name: string, pool: typeof f.adaptiveAvgPool2d) {
  const check = optionsOf<f.AdaptivePoolOptions>(name, { layout: layout.is });
  return layer(
    name,
    { outputSize: needed<Sizes>(sizesOf(2, 1)), layout },
    ({ outputSize, ...options }) =>
      (x) =>
        pool(x, outputSize, options),
    (make) => (outputSize: Sizes, options?: f.AdaptivePoolOptions) => make({ ...check(options), outputSize }),
  );
}

/** The mean over outputSize parts of an image, like torch.nn.AdaptiveAvgPool2d; 1 for the mean of all. */
export const adaptiveAvgPool2d: (outputSize: Sizes, options?: f.AdaptivePoolOptions) => Module = adaptivePool(
  'adaptiveAvgPool2d',
  f.adaptiveAvgPool2d,
);
/** The largest over outputSize parts of an image, like torch.nn.AdaptiveMaxPool2d. */
export const adaptiveMaxPool2d: (outputSize: Sizes, options?: f.AdaptivePoolOptions) => Module = adaptivePool(
  'adaptiveMaxPool2d',
  f.adaptiveMaxPool2d,
);
