import { flag, whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { sizeOf } from '../core/shape.ts';
import * as f from '../functions/index.ts';
import { isLayout, type Layout } from '../functions/pixels.ts';
import type { Tensor } from '../graph/trace.ts';
import { type Buffer, Parameter } from '../graph/variable.ts';
import * as init from './init.ts';
import { layer, needed, optional } from './layer.ts';
import { type Module, module } from './module.ts';
import { blended, channelsLast, running, trackingChecks, unscaled } from './statistics.ts';

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
    momentum === null ? f.add(old, f.div(f.sub(now, old), count)) : blended(old, now, momentum);
  f.assign(running_mean, blend(running_mean, mean));
  f.assign(running_var, blend(running_var, f.scale(variance, rows / (rows - 1))));
}

type BatchNorm = (features: number, options?: BatchNormOptions) => Module;

function batchNorm(name: string, axes: number): BatchNorm {
  const check = optionsOf<BatchNormOptions>(name, {
    ...{ ...trackingChecks, affine: flag, trackRunningStats: flag, layout: isLayout },
  });
  return layer(
    name,
    {
      features: needed<number>(whole(1)),
      eps: optional<number>(1e-5, trackingChecks.eps),
      momentum: optional<number | null>(0.1, trackingChecks.momentum),
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
        const [weight, bias] = affine ? [learned.weight, learned.bias] : unscaled(rows.tracer, features);
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
