import { whole } from '../core/checks.ts';
import { MAX_RANK } from '../core/shape.ts';
import * as f from '../functions/softmax.ts';
import { layer, optional } from './layer.ts';
import type { Module } from './module.ts';

const axis = optional(-1, whole(-MAX_RANK, MAX_RANK - 1));

/** e^x / sum of e^x along an axis, the last one if not given. */
export const softmax: (axis?: number) => Module = layer(
  'softmax',
  { axis },
  (given) => (x) => f.softmax(x, given.axis),
);
/** The logarithm of softmax. */
export const logSoftmax: (axis?: number) => Module = layer(
  'logSoftmax',
  { axis },
  (given) => (x) => f.logSoftmax(x, given.axis),
);
