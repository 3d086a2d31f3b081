import { either, flag, check as is, real, whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { showShape, sizeOf } from '../core/shape.ts';
import * as f from '../functions/index.ts';
import { isLayout, type Layout, onPixels } from '../functions/pixels.ts';
import type { Tensor } from '../graph/trace.ts';
import { Buffer, Parameter } from '../graph/variable.ts';
import * as init from './init.ts';
import { layer, needed, optional } from './layer.ts';
import { type Module, module } from './module.ts';

/** Options of batchNorm1d() and batchNorm2d(), with PyTorch's defaults. */
export interface BatchNormOptions {
  /** Added to the variance; 1e-5 if not given. */
  readonly eps?: number;
  /** Share of the newest batch in the running statistics, 0.1 if not given; null: all batches alike. */
  readonly momentum?: number | null;
  /** Learn a scale and a shift for each channel; on by default. */
  readonly affine?: boolean;
  /** Keep running statistics, which inference uses; on by default. Without them each batch is normalized by its own. */
  readonly trackRunningStats?: boolean;
  /** Where channels are; 'NCHW' if not given. */
  readonly layout?: Layout;
}

const checks = {
  eps: real(0, 1e6),
  momentum: either(
    real(0, 1),
    is('null', (x) => x === null),
  ),
};
/** The statistics of all batches so far: as buffers, under PyTorch's names. */
const running = (features: number) => ({
  running_mean: new Buffer([features], 'f32', init.constant(0)),
  running_var: new Buffer([features], 'f32', init.constant(1)),
  num_batches_tracked: new Buffer([], 'i32', init.constant(0)),
});

/** Takes a batch's statistics into the running ones; the variance without bias, as PyTorch does. */
function track(
  { running_mean, running_var, num_batches_tracked }: ReturnType<typeof running>,
  { mean, variance }: f.Normalized,
  rows: number,
  momentum: number | null,
): void {
  const count = f.add(f.cast(num_batches_tracked, 'f32'), 1);
  f.assign(num_batches_tracked, f.cast(count, 'i32'));
  const blend = (old: Buffer, now: Tensor) =>
    momentum === null
      ? f.add(old, f.div(f.sub(now, old), count))
      : f.add(f.scale(old, 1 - momentum), f.scale(now, momentum));
  f.assign(running_mean, blend(running_mean, mean));
  f.assign(running_var, blend(running_var, f.scale(variance, rows / (rows - 1))));
}

/** What is done to (..., channels), for an input of `axes` dimensions besides batch and channels, or (in one dimension) of none. */
function channelsLast(
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

type BatchNorm = (features: number, options?: BatchNormOptions) => Module;

function batchNorm(name: string, axes: number): BatchNorm {
  const check = optionsOf<BatchNormOptions>(name, {
    ...{ ...checks, affine: flag, trackRunningStats: flag, layout: isLayout },
  });
  return layer(
    name,
    {
      features: needed<number>(whole(1)),
      eps: optional<number>(1e-5, checks.eps),
      momentum: optional<number | null>(0.1, checks.momentum),
      affine: true,
      trackRunningStats: true,
      layout: optional<Layout>('NCHW', isLayout),
    },
    ({ features, eps, momentum, affine, trackRunningStats, layout }) => {
      const learned = {
        weight: new Parameter([features], init.constant(1)),
        bias: new Parameter([features], init.constant(0)),
      };
      const statistics = running(features);
      const children = { ...(affine && learned), ...(trackRunningStats && statistics) };
      const normalize = (rows: Tensor): Tensor => {
        const { training } = rows.tracer;
        const count = sizeOf(rows.shape) / features;
        if (training && count < 2)
          fail(
            'shape_mismatch',
            `${name}: one value in each channel has no variance to train with; take larger batches (dropLast: true leaves out a ` +
              'last one that is smaller)',
          );
        const same = (value: number) =>
          rows.tracer.constant(new Float32Array(features).fill(value), { dtype: 'f32', shape: [features] });
        const [weight, bias] = affine ? [learned.weight, learned.bias] : [same(1), same(0)];
        if (!training && trackRunningStats) {
          const { running_mean: mean, running_var: variance } = statistics;
          return f.fixedBatchNorm(rows, weight, bias, { mean, variance }, { eps });
        }
        const normalized = f.batchNorm(rows, weight, bias, { eps });
        if (training && trackRunningStats) track(statistics, normalized, count, momentum);
        return normalized.y;
      };
      return module(children, (x: Tensor) => channelsLast(name, x, features, axes, layout, normalize));
    },
    (make) => (features: number, options?: BatchNormOptions) => make({ ...check(options), features }),
  );
}

/**
 * Batch normalization (Ioffe & Szegedy 2015) of (batch, features) or (batch, features, length), as torch.nn.BatchNorm1d: a batch's
 * own statistics while training, which takes at least two values for each feature, the running ones in inference. Its names in the
 * state dict are PyTorch's: weight, bias, running_mean, running_var, num_batches_tracked.
 */
export const batchNorm1d: BatchNorm = batchNorm('batchNorm1d', 1);
/** The same of images, (batch, features, height, width), as torch.nn.BatchNorm2d. */
export const batchNorm2d: BatchNorm = batchNorm('batchNorm2d', 2);
