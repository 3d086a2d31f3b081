import { fail } from '../core/errors.ts';
import * as f from '../functions/dropout.ts';
import { layer } from './layer.ts';
import type { Module } from './module.ts';

/** Zeroes elements with probability p while training; does nothing in inference. */
export const dropout: (p?: number) => Module = layer('dropout', { p: 0.5 }, ({ p }) => {
  if (!(p >= 0 && p < 1))
    fail('out_of_range', `dropout: p is ${p}, expected a number from 0 up to, not including, 1`);
  return (x) => f.dropout(x, p);
});
