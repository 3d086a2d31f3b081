import { type Check, either, flag, oneOf, whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import type { ConvOptions, ConvTransposeOptions } from '../functions/conv.ts';
import * as f from '../functions/conv.ts';
import { convChecks, convTransposeChecks } from '../functions/conv.ts';
import { type Layout, type Sizes, sizesOf } from '../functions/pixels.ts';
import type { Tensor } from '../graph/trace.ts';
import { Parameter } from '../graph/variable.ts';
import * as init from './init.ts';
import { layer, needed, optional } from './layer.ts';
import { type Module, module } from './module.ts';

/** Options of conv1d() and conv2d(). */
export interface ConvLayerOptions extends ConvOptions {
  /** Add a learned bias; on by default. */
  readonly bias?: boolean;
}

/** Options of convTranspose1d() and convTranspose2d(). */
export interface ConvTransposeLayerOptions extends ConvTransposeOptions {
  /** Add a learned bias; on by default. */
  readonly bias?: boolean;
}

type Build<O> = (inChannels: number, outChannels: number, kernelSize: Sizes, options?: O) => Module;

function divides(name: string, inChannels: number, outChannels: number, groups: number): void {
  for (const [what, n] of Object.entries({ inChannels, outChannels }))
    if (n % groups !== 0)
      fail('invalid_argument', `${name}: ${what} is ${n}, expected a multiple of the ${groups} groups`);
}

const list = (kernelSize: Sizes, axes: number): number[] =>
  typeof kernelSize === 'number' ? new Array<number>(axes).fill(kernelSize) : [...kernelSize];

/** Weight and bias, uniform in +-1/sqrt(fan-in) as in torch: fan-in is what one result is a sum of. */
function withWeights(
  shape: readonly number[],
  outChannels: number,
  bias: boolean,
  compute: (x: Tensor, weight: Parameter, bias?: Parameter) => Tensor,
): Module {
  const uniform = init.uniform(1 / Math.sqrt(shape.slice(1).reduce((a, b) => a * b, 1)));
  const weight = new Parameter(shape, uniform);
  if (!bias) return module({ weight }, (x, p) => compute(x, p.weight));
  return module({ weight, bias: new Parameter([outChannels], uniform) }, (x, p) =>
    compute(x, p.weight, p.bias),
  );
}

const common = (axes: number) => ({
  inChannels: needed<number>(whole(1)),
  outChannels: needed<number>(whole(1)),
  kernelSize: needed<Sizes>(sizesOf(axes, 1)),
  stride: optional<Sizes>(1, sizesOf(axes, 1)),
  dilation: optional<Sizes>(1, sizesOf(axes, 1)),
  groups: optional<number>(1, whole(1)),
  bias: true,
  layout: optional<Layout>('NCHW', oneOf('NCHW', 'NHWC')),
});

const padding = (axes: number): Check =>
  either(sizesOf(axes, 0), sizesOf(2 * axes, 0), oneOf('same', 'valid'));

function convLayer(name: string, axes: number, convolve: typeof f.conv2d): Build<ConvLayerOptions> {
  const check = optionsOf<ConvLayerOptions>(name, { ...convChecks(axes), bias: flag });
  const args = { ...common(axes), padding: optional<ConvOptions['padding']>(0, padding(axes)) };
  return layer(
    name,
    args,
    ({ inChannels, outChannels, kernelSize, bias, ...how }) => {
      divides(name, inChannels, outChannels, how.groups);
      const shape = [outChannels, inChannels / how.groups, ...list(kernelSize, axes)];
      return withWeights(shape, outChannels, bias, (x, weight, b) => convolve(x, weight, b, how));
    },
    (make) => (inChannels: number, outChannels: number, kernelSize: Sizes, options?: ConvLayerOptions) =>
      make({ ...check(options), inChannels, outChannels, kernelSize }),
  );
}

function convTransposeLayer(
  name: string,
  axes: number,
  convolve: typeof f.convTranspose2d,
): Build<ConvTransposeLayerOptions> {
  const check = optionsOf<ConvTransposeLayerOptions>(name, { ...convTransposeChecks(axes), bias: flag });
  const args = {
    ...common(axes),
    padding: optional<Sizes>(0, sizesOf(axes, 0)),
    outputPadding: optional<Sizes>(0, sizesOf(axes, 0)),
  };
  return layer(
    name,
    args,
    ({ inChannels, outChannels, kernelSize, bias, ...how }) => {
      divides(name, inChannels, outChannels, how.groups);
      const shape = [inChannels, outChannels / how.groups, ...list(kernelSize, axes)];
      return withWeights(shape, outChannels, bias, (x, weight, b) => convolve(x, weight, b, how));
    },
    (make) =>
      (inChannels: number, outChannels: number, kernelSize: Sizes, options?: ConvTransposeLayerOptions) =>
        make({ ...check(options), inChannels, outChannels, kernelSize }),
  );
}

/** (batch, inChannels, length) -> (batch, outChannels, windows), like torch.nn.Conv1d. */
export const conv1d: Build<ConvLayerOptions> = convLayer('conv1d', 1, f.conv1d);
/** (batch, inChannels, height, width) -> (batch, outChannels, rows, columns), like torch.nn.Conv2d. */
export const conv2d: Build<ConvLayerOptions> = convLayer('conv2d', 2, f.conv2d);
/** (batch, inChannels, length) -> (batch, outChannels, longer), like torch.nn.ConvTranspose1d. */
export const convTranspose1d: Build<ConvTransposeLayerOptions> = convTransposeLayer(
  'convTranspose1d',
  1,
  f.convTranspose1d,
);
/** (batch, inChannels, height, width) -> (batch, outChannels, higher, wider), like torch.nn.ConvTranspose2d. */
export const convTranspose2d: Build<ConvTransposeLayerOptions> = convTransposeLayer(
  'convTranspose2d',
  2,
  f.convTranspose2d,
);
