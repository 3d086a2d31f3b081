import { either, flag, listOf, real, whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import * as f from '../functions/index.ts';
import type { Tensor } from '../graph/trace.ts';
import { Parameter } from '../graph/variable.ts';
import * as init from './init.ts';
import { layer, needed, optional } from './layer.ts';
import { type Module, module } from './module.ts';

type Size = number | readonly number[];

/** Options of layerNorm(), with PyTorch's defaults. */
export interface LayerNormOptions extends f.NormOptions {
  /** Learn a scale for each element; on by default. */
  readonly elementwiseAffine?: boolean;
  /** Learn a shift as well; on by default. */
  readonly bias?: boolean;
}
/** Options of rmsNorm(), with PyTorch's defaults. */
export interface RmsNormOptions extends f.NormOptions {
  /** Learn a scale for each element; on by default. */
  readonly elementwiseAffine?: boolean;
}
/** Options of groupNorm(), with PyTorch's defaults. */
export interface GroupNormOptions extends f.NormOptions {
  /** Learn a scale and a shift for each channel; on by default. */
  readonly affine?: boolean;
}

const eps = real(0, 1e6);
const isSize = either(whole(1), listOf(whole(1)));
const listed = (size: Size): readonly number[] => (typeof size === 'number' ? [size] : size);
const ones = (shape: readonly number[]) => new Parameter(shape, init.constant(1));
const zeros = (shape: readonly number[]) => new Parameter(shape, init.constant(0));

const checkLayer = optionsOf<LayerNormOptions>('layerNorm', { eps, elementwiseAffine: flag, bias: flag });
const checkRms = optionsOf<RmsNormOptions>('rmsNorm', { eps, elementwiseAffine: flag });

/** Layer normalization over the last axes, of normalizedShape, like torch.nn.LayerNorm. */
export const layerNorm: (normalizedShape: Size, options?: LayerNormOptions) => Module = layer(
  'layerNorm',
  {
    normalizedShape: needed<Size>(isSize),
    eps: optional<number>(1e-5, eps),
    elementwiseAffine: true,
    bias: true,
  },
  ({ normalizedShape, eps, elementwiseAffine, bias }) => {
    const shape = listed(normalizedShape);
    const children = {
      ...(elementwiseAffine && { weight: ones(shape) }),
      ...(elementwiseAffine && bias && { bias: zeros(shape) }),
    } as { weight?: Parameter; bias?: Parameter };
    return module(children as Record<string, Parameter>, (x: Tensor) =>
      f.layerNorm(x, shape, children.weight, children.bias, { eps }),
    );
  },
  (make) => (normalizedShape, options) => make({ ...checkLayer(options), normalizedShape }),
);

/** RMS normalization over the last axes, of normalizedShape, like torch.nn.RMSNorm. */
export const rmsNorm: (normalizedShape: Size, options?: RmsNormOptions) => Module = layer(
  'rmsNorm',
  { normalizedShape: needed<Size>(isSize), eps: optional<number>(2 ** -23, eps), elementwiseAffine: true },
  ({ normalizedShape, eps, elementwiseAffine }) => {
    const shape = listed(normalizedShape);
    if (!elementwiseAffine) return module({}, (x: Tensor) => f.rmsNorm(x, shape, undefined, { eps }));
    return module({ weight: ones(shape) }, (x: Tensor, p) => f.rmsNorm(x, shape, p.weight, { eps }));
  },
  (make) => (normalizedShape, options) => make({ ...checkRms(options), normalizedShape }),
);

const checkGroup = optionsOf<GroupNormOptions>('groupNorm', { eps, affine: flag });

/** Layer normalization of groups of channels, (batch, numChannels, ...), like torch.nn.GroupNorm. */
export const groupNorm: (numGroups: number, numChannels: number, options?: GroupNormOptions) => Module =
  layer(
    'groupNorm',
    {
      numGroups: needed<number>(whole(1)),
      numChannels: needed<number>(whole(1)),
      eps: optional<number>(1e-5, eps),
      affine: true,
    },
    ({ numGroups, numChannels, eps, affine }) => {
      if (numChannels % numGroups !== 0)
        fail(
          'invalid_argument',
          `groupNorm: ${numChannels} channels can't be divided into ${numGroups} groups`,
        );
      if (!affine) return module({}, (x: Tensor) => f.groupNorm(x, numGroups, undefined, undefined, { eps }));
      const learned = { weight: ones([numChannels]), bias: zeros([numChannels]) };
      return module(learned, (x: Tensor, p) => f.groupNorm(x, numGroups, p.weight, p.bias, { eps }));
    },
    (make) => (numGroups, numChannels, options) => make({ ...checkGroup(options), numGroups, numChannels }),
  );
