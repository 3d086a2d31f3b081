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
/** log(1 + e^(beta x)) / beta. */
export const softplus: (beta?: number) => Module = layer(
  'softplus',
  { beta: 1 },
  ({ beta }) =>
    (x) =>
      f.softplus(x, beta),
);
/** x / (1 + |x|). */
export const softsign: () => Module = layer('softsign', {}, () => f.softsign);
/** x relu6(x + 3) / 6 (Howard et al. 2019). */
export const hardswish: () => Module = layer('hardswish', {}, () => f.hardswish);
/** min(max(x, 0), 6) (Krizhevsky 2010). */
export const relu6: () => Module = layer('relu6', {}, () => f.relu6);
/** relu6(x + 3) / 6. */
export const hardsigmoid: () => Module = layer('hardsigmoid', {}, () => f.hardsigmoid);
/** x tanh(softplus(x)) (Misra 2019). */
export const mish: () => Module = layer('mish', {}, () => f.mish);
/** log(sigmoid(x)). */
export const logSigmoid: () => Module = layer('logSigmoid', {}, () => f.logsigmoid);
/** x, held between min and max. */
export const hardtanh: (min?: number, max?: number) => Module = layer(
  'hardtanh',
  { min: -1, max: 1 },
  ({ min, max }) =>
    (x) =>
      f.hardtanh(x, min, max),
  (make) => (min?: number, max?: number) => make({ min, max }),
);
/** x where it is positive, else alpha (e^(x / alpha) - 1) (Barron 2017). */
export const celu: (alpha?: number) => Module = layer(
  'celu',
  { alpha: 1 },
  ({ alpha }) =>
    (x) =>
      f.celu(x, alpha),
);
/** Self-normalizing: scale times elu, with the constants of Klambauer et al. 2017. */
export const selu: () => Module = layer('selu', {}, () => f.selu);
