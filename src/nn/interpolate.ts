import { oneOf, whole } from '../core/checks.ts';
import { optionsOf } from '../core/options.ts';
import * as f from '../functions/index.ts';
import { interpolateChecks } from '../functions/interpolate.ts';
import { layer, needed, optional } from './layer.ts';
import type { Module } from './module.ts';

const check = optionsOf<f.InterpolateOptions>('upsample', interpolateChecks);
const { size, scaleFactor, mode } = interpolateChecks;
const orNone = (of: typeof size) =>
  Object.assign((x: unknown) => x === undefined || of(x), { expected: `${of.expected}, or nothing` });
const layout = optional<f.Layout>('NCHW', oneOf('NCHW', 'NHWC'));

/** Images of another size, like torch.nn.Upsample. */
export const upsample: (options: f.InterpolateOptions) => Module = layer(
  'upsample',
  {
    size: optional<f.InterpolateOptions['size']>(undefined, orNone(size)),
    scaleFactor: optional<f.InterpolateOptions['scaleFactor']>(undefined, orNone(scaleFactor)),
    mode: optional<NonNullable<f.InterpolateOptions['mode']>>('nearest', mode),
    alignCorners: false,
    layout,
  },
  (options) => (x) => f.interpolate(x, options),
  (make) => (options: f.InterpolateOptions) => make(check(options)),
);

/** Channels become pixels: (batch, channels factor^2, height, width) -> (batch, channels, height factor, width factor) (Shi et al. 2016). */
export const pixelShuffle: (upscaleFactor: number, layout?: f.Layout) => Module = layer(
  'pixelShuffle',
  { upscaleFactor: needed<number>(whole(1)), layout },
  ({ upscaleFactor, layout }) =>
    (x) =>
      f.pixelShuffle(x, upscaleFactor, layout),
  (make) => (upscaleFactor: number, layout?: f.Layout) => make({ upscaleFactor, layout }),
);

/** Pixels become channels, the inverse of pixelShuffle(). */
export const pixelUnshuffle: (downscaleFactor: number, layout?: f.Layout) => Module = layer(
  'pixelUnshuffle',
  { downscaleFactor: needed<number>(whole(1)), layout },
  ({ downscaleFactor, layout }) =>
    (x) =>
      f.pixelUnshuffle(x, downscaleFactor, layout),
  (make) => (downscaleFactor: number, layout?: f.Layout) => make({ downscaleFactor, layout }),
);
