import { optionsOf } from '../core/options.ts';
import * as f from '../functions/dropout.ts';
import { isLayout, type Layout } from '../functions/pixels.ts';
import { layer, optional } from './layer.ts';
import type { Module } from './module.ts';

/** Zeroes elements with probability p while training; does nothing in inference. */
export const dropout: (p?: number) => Module = layer('dropout', { p: 0.5 }, ({ p }) => {
  f.expectProbability('dropout', p);
  return (x) => f.dropout(x, p);
});

function ofChannels(name: string, drop: typeof f.dropout2d) {
  const check = optionsOf<f.ChannelDropoutOptions>(name, { layout: isLayout });
  return layer(
    name,
    { p: 0.5, layout: optional<Layout>('NCHW', isLayout) },
    ({ p, layout }) => {
      f.expectProbability(name, p);
      return (x) => drop(x, p, { layout });
    },
    (make) =>
      (p?: number, options?: f.ChannelDropoutOptions): Module =>
        make({ ...check(options), p }),
  );
}

/** Zeroes whole channels of (batch, channels, length) while training, like torch.nn.Dropout1d. */
export const dropout1d: (p?: number, options?: f.ChannelDropoutOptions) => Module = ofChannels(
  'dropout1d',
  f.dropout1d,
);
/** Zeroes whole channels of (batch, channels, height, width) while training, like torch.nn.Dropout2d. */
export const dropout2d: (p?: number, options?: f.ChannelDropoutOptions) => Module = ofChannels(
  'dropout2d',
  f.dropout2d,
);

/** Dropout that keeps mean and variance behind SELU, like torch.nn.AlphaDropout. */
export const alphaDropout: (p?: number) => Module = layer('alphaDropout', { p: 0.5 }, ({ p }) => {
  f.expectProbability('alphaDropout', p);
  return (x) => f.alphaDropout(x, p);
});
