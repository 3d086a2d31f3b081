import * as f from '../functions/pool.ts';
import { layer, needed, optional } from './layer.ts';
import type { Module } from './module.ts';

/** The largest of each window, (batch, channels, height, width) -> (batch, channels, rows, columns), like torch.nn.MaxPool2d. */
export const maxPool2d: (kernelSize: f.Size2d, options?: f.Pool2dOptions) => Module = layer(
  'maxPool2d',
  {
    kernelSize: needed<f.Size2d>(f.size2d(1)),
    stride: optional<f.Size2d>(({ kernelSize }) => kernelSize as f.Size2d, f.size2d(1)),
    padding: optional<f.Size2d>(0, f.size2d(0)),
    dilation: optional<f.Size2d>(1, f.size2d(1)),
  },
  ({ kernelSize, ...options }) =>
    (x) =>
      f.maxPool2d(x, kernelSize, options),
  (make) => (kernelSize, options) => make({ ...f.checkPool2d(options), kernelSize }),
);
