import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { showShape } from '../core/shape.ts';
import type { Tensor, Tracer } from '../graph/trace.ts';
import { tracerOf } from './apply.ts';
import { add, mul, sub } from './binary.ts';
import { scale } from './elementwise.ts';
import { isLayout, type Layout } from './pixels.ts';

/** Options of dropout1d() and dropout2d(). */
export interface ChannelDropoutOptions {
  /** Where channels are; 'NCHW' if not given. */
  readonly layout?: Layout;
}

const checks = { layout: isLayout };
const checkChannels = {
  dropout1d: optionsOf<ChannelDropoutOptions>('dropout1d', checks),
  dropout2d: optionsOf<ChannelDropoutOptions>('dropout2d', checks),
};

/** Throws 'out_of_range' for what is no probability below 1. */
export function expectProbability(name: string, p: number): void {
  if (!(p >= 0 && p < 1))
    fail('out_of_range', `${name}: p is ${p}, expected a number from 0 up to, not including, 1`);
}

/** The op, with a stream of random numbers of its own. */
function dropped(tracer: Tracer, x: Tensor, p: number): Tensor {
  const seed = tracer.input('seed', { dtype: 'i32', shape: [2] });
  return tracer.apply('dropout', [x, seed], { p, salt: tracer.nextSalt() });
}

/** Zeroes elements with probability p while training and scales the others by 1 / (1 - p); else does nothing. */
export function dropout(x: Tensor, p = 0.5): Tensor {
  const tracer = tracerOf('dropout', [x]);
  return tracer.training && p !== 0 ? dropped(tracer, x, p) : x;
}

/** One random number for each channel of each sample; `axes` are those that share it. */
function ofChannels(name: 'dropout1d' | 'dropout2d', axes: number) {
  return (x: Tensor, p = 0.5, options?: ChannelDropoutOptions): Tensor => {
    const { layout = 'NCHW' } = checkChannels[name](options);
    expectProbability(name, p);
    const tracer = tracerOf(name, [x]);
    const spatial = axes === 1 ? 'length' : 'height, width';
    if (x.shape.length !== axes + 2)
      fail(
        'shape_mismatch',
        `${name}: got an input of shape ${showShape(x.shape)}, expected (batch, ${layout === 'NCHW' ? `channels, ${spatial}` : `${spatial}, channels`})`,
      );
    if (!tracer.training || p === 0) return x;
    const channel = layout === 'NCHW' ? 1 : axes + 1;
    const shape = x.shape.map((n, axis) => (axis === 0 || axis === channel ? n : 1));
    const ones = tracer.apply('fill', [], { value: 1, shape, dtype: 'f32' });
    return mul(x, dropped(tracer, ones, p));
  };
}

/**
 * Zeroes whole channels of (batch, channels, length) with probability p while training and scales the others by 1 / (1 - p), as
 * torch's dropout1d; else does nothing. Throws 'shape_mismatch' for other shapes, 'out_of_range' for a p below 0 or from 1.
 */
export const dropout1d = ofChannels('dropout1d', 1);
/** The same of images, (batch, channels, height, width), as torch's dropout2d. */
export const dropout2d = ofChannels('dropout2d', 2);

/** -scale alpha of SELU: what SELU of a very negative number is. */
const SATURATED = -1.7580993408473766;

/**
 * Gives elements SELU's lowest value with probability p while training, then scales and shifts all of them so that what had mean 0
 * and variance 1 keeps both (Klambauer et al. 2017), as torch's alpha_dropout; else does nothing. Throws 'out_of_range' for a p below 0
 * or from 1.
 */
export function alphaDropout(x: Tensor, p = 0.5): Tensor {
  expectProbability('alphaDropout', p);
  const tracer = tracerOf('alphaDropout', [x]);
  if (!tracer.training || p === 0) return x;
  // a (kept ? x : s) - a s p = a ((kept ? x - s : 0) + s (1 - p)), and dropout divides what it keeps by 1 - p.
  const a = (1 - p) / Math.sqrt((1 - p) * (1 + p * SATURATED ** 2));
  return add(scale(dropped(tracer, sub(x, SATURATED), p), a), a * SATURATED);
}
