import { either, flag, check as is, real, whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { showShape } from '../core/shape.ts';
import * as f from '../functions/index.ts';
import type { Tensor } from '../graph/trace.ts';
import { Buffer, Parameter } from '../graph/variable.ts';
import * as init from './init.ts';
import { layer, needed, optional } from './layer.ts';
import { type Module, module } from './module.ts';

/** Options of batchNorm1d(), with PyTorch's defaults. */
export interface BatchNormOptions {
  /** Added to the variance; 1e-5 if not given. */
  readonly eps?: number;
  /** Share of the newest batch in the running statistics, 0.1 if not given; null: all batches alike. */
  readonly momentum?: number | null;
  /** Learn a scale and a shift for each channel; on by default. */
  readonly affine?: boolean;
  /** Keep running statistics, which inference uses; on by default. Without them each batch is normalized by its own. */
  readonly trackRunningStats?: boolean;
}

const checks = {
  eps: real(0, 1e6),
  momentum: either(
    real(0, 1),
    is('null', (x) => x === null),
  ),
};
const check = optionsOf<BatchNormOptions>('batchNorm1d', {
  ...{ ...checks, affine: flag, trackRunningStats: flag },
});

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

/** (N, C) or (N, C, L), as rows of channels; and how to put a result back. */
function channelsLast(x: Tensor, features: number): { rows: Tensor; back: (y: Tensor) => Tensor } {
  const { shape } = x;
  if ((shape.length !== 2 && shape.length !== 3) || shape[1] !== features)
    fail(
      'shape_mismatch',
      `batchNorm1d: got an input of shape ${showShape(shape)}, expected (batch, ${features}) or (batch, ${features}, length)`,
    );
  if (shape.length === 2) return { rows: x, back: (y) => y };
  return { rows: f.transpose(x, [0, 2, 1]), back: (y) => f.transpose(y, [0, 2, 1]) };
}

/**
 * Batch normalization (Ioffe & Szegedy 2015) of (batch, features) or (batch, features, length), as torch.nn.BatchNorm1d: a batch's
 * own statistics while training, which takes at least two values for each feature, the running ones in inference. Its names in the
 * state dict are PyTorch's: weight, bias, running_mean, running_var, num_batches_tracked.
 */
export const batchNorm1d: (features: number, options?: BatchNormOptions) => Module = layer(
  'batchNorm1d',
  {
    features: needed<number>(whole(1)),
    eps: optional<number>(1e-5, checks.eps),
    momentum: optional<number | null>(0.1, checks.momentum),
    affine: true,
    trackRunningStats: true,
  },
  ({ features, eps, momentum, affine, trackRunningStats }) => {
    const learned = {
      weight: new Parameter([features], init.constant(1)),
      bias: new Parameter([features], init.constant(0)),
    };
    const statistics = running(features);
    const children = { ...(affine && learned), ...(trackRunningStats && statistics) };
    return module(children, (x: Tensor) => {
      const { training } = x.tracer;
      const { rows, back } = channelsLast(x, features);
      const count = rows.shape.slice(0, -1).reduce((a, b) => a * b, 1);
      if (training && count < 2)
        fail(
          'shape_mismatch',
          'batchNorm1d: one value in each channel has no variance to train with; take larger batches (dropLast: true leaves out a ' +
            'last one that is smaller)',
        );
      const same = (value: number) =>
        x.tracer.constant(new Float32Array(features).fill(value), { dtype: 'f32', shape: [features] });
      const [weight, bias] = affine ? [learned.weight, learned.bias] : [same(1), same(0)];
      if (!training && trackRunningStats) {
        const { running_mean: mean, running_var: variance } = statistics;
        return back(f.fixedBatchNorm(rows, weight, bias, { mean, variance }, { eps }));
      }
      const normalized = f.batchNorm(rows, weight, bias, { eps });
      if (training && trackRunningStats) track(statistics, normalized, count, momentum);
      return back(normalized.y);
    });
  },
  (make) => (features, options) => make({ ...check(options), features }),
);
