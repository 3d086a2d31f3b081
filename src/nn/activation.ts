import * as f from '../functions/activation.ts';
import { choice, layer } from './layer.ts';
import type { Module } from './module.ts';

/** max(x, 0), element by element. */
export const relu: () => Module = layer('relu', {}, () => f.relu);
/** x where it is positive, else slope * x. */
export const leakyRelu: (slope?: number) => Module = layer(
  'leakyRelu',
  { slope: 0.01 },
  ({ slope }) =>
    (x) =>
      f.leakyRelu(x, slope),
);
/** x where it is positive, else alpha (e^x - 1) (Clevert et al. 2015). */
export const elu: (alpha?: number) => Module = layer(
  'elu',
  { alpha: 1 },
  ({ alpha }) =>
    (x) =>
      f.elu(x, alpha),
);
/** x times the normal distribution's cumulative function of x; 'tanh' approximates it (Hendrycks & Gimpel 2016). */
export const gelu: (approximate?: 'none' | 'tanh') => Module = layer(
  'gelu',
  { approximate: choice('none', 'tanh') },
  ({ approximate }) =>
    (x) =>
      f.gelu(x, approximate),
);
/** x sigmoid(x), also called swish. */
export const silu: () => Module = layer('silu', {}, () => f.silu);
/** 1 / (1 + e^-x). */
export const sigmoid: () => Module = layer('sigmoid', {}, () => f.sigmoid);
/** Hyperbolic tangent. */
export const tanh: () => Module = layer('tanh', {}, () => f.tanh);
/** log(1 + e^x). */
export const softplus: () => Module = layer('softplus', {}, () => f.softplus);
/** x / (1 + |x|). */
export const softsign: () => Module = layer('softsign', {}, () => f.softsign);
/** x relu6(x + 3) / 6 (Howard et al. 2019). */
export const hardswish: () => Module = layer('hardswish', {}, () => f.hardswish);
