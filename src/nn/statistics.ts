/** What layers that keep running statistics of channels share. */
import { either, check as is, real } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { showShape } from '../core/shape.ts';
import * as f from '../functions/index.ts';
import { type Layout, onPixels } from '../functions/pixels.ts';
import type { Tensor, Tracer } from '../graph/trace.ts';
import { Buffer } from '../graph/variable.ts';
import * as init from './init.ts';

export const trackingChecks = {
  eps: real(0, 1e6),
  momentum: either(
    real(0, 1),
    is('null', (x) => x === null),
  ),
};
/** The statistics of all batches so far: as buffers, under PyTorch's names. */
export const running = (features: number) => ({
  running_mean: new Buffer([features], 'f32', init.constant(0)),
  running_var: new Buffer([features], 'f32', init.constant(1)),
  num_batches_tracked: new Buffer([], 'i32', init.constant(0)),
});

/** Weight and bias of what learns none. */
export const unscaled = (tracer: Tracer, features: number) =>
  [1, 0].map((value) =>
    tracer.constant(new Float32Array(features).fill(value), { dtype: 'f32', shape: [features] }),
  );

/** What a buffer becomes: `momentum` of the newest, the rest of what was. */
export const blended = (old: Buffer, now: Tensor, momentum: number) =>
  f.add(f.scale(old, 1 - momentum), f.scale(now, momentum));

/** What is done to (..., channels), for an input of `axes` dimensions besides batch and channels, or (in one dimension) of none. */
export function channelsLast(
  name: string,
  x: Tensor,
  features: number,
  axes: number,
  layout: Layout,
  work: (rows: Tensor) => Tensor,
): Tensor {
  const { shape } = x;
  const channels = shape[layout === 'NCHW' ? 1 : shape.length - 1];
  const flat = axes === 1 && shape.length === 2;
  if ((!flat && shape.length !== axes + 2) || channels !== features) {
    const all = ['batch', ...(axes === 1 ? ['length'] : ['height', 'width'])];
    const expected = layout === 'NCHW' ? [all[0], `${features}`, ...all.slice(1)] : [...all, `${features}`];
    fail(
      'shape_mismatch',
      `${name}: got an input of shape ${showShape(shape)}, expected ${axes === 1 ? `(batch, ${features}) or ` : ''}(${expected.join(', ')})`,
    );
  }
  return flat ? work(x) : onPixels(name, x, axes, layout, work);
}
