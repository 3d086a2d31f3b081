import { sizeOf } from '../core/shape.ts';
import { reshape } from '../functions/layout.ts';
import { layer } from './layer.ts';
import type { Module } from './module.ts';

/** (batch, ...) -> (batch, everything else) */
export const flatten: () => Module = layer(
  'flatten',
  {},
  () => (x) => reshape(x, [x.shape[0], sizeOf(x.shape.slice(1))]),
);
