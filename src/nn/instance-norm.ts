import { flag, whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { showShape, sizeOf } from '../core/shape.ts';
import * as f from '../functions/index.ts';
import type { Tensor } from '../graph/trace.ts';
import { Parameter } from '../graph/variable.ts';
import * as init from './init.ts';
import { layer, needed, optional } from './layer.ts';
import { type Module, module } from './module.ts';
import { blended, channelsLast, running, trackingChecks, unscaled } from './statistics.ts';

/** Options of instanceNorm1d() and instanceNorm2d(), with PyTorch's defaults. */
export interface InstanceNormOptions extends f.NormOptions {
  /** Learn a scale and a shift for each channel; off by default. */
  readonly affine?: boolean;
  /** Keep running statistics, which inference uses; off by default. */
  readonly trackRunningStats?: boolean;
  /** Share of the newest batch in the running statistics, 0.1 if not given; null: they stay as they are. */
  readonly momentum?: number | null;
}

/** Takes a batch into the running statistics: the mean over samples of each channel's mean, and of its variance without bias. */
function track({ running_mean, running_var }: ReturnType<typeof running>, x: Tensor, momentum: number): void {
  const axes = x.shape.map((_, i) => i).slice(2);
  const count = sizeOf(x.shape.slice(2));
  const mean = f.mean(x, { axes, keepDims: true });
  const apart = f.sub(x, mean);
  const squares = f.sum(f.mul(apart, apart), { axes });
  const [batch, channels] = x.shape;
  const ofChannel = (t: Tensor) => f.mean(f.reshape(t, [batch, channels]), { axes: 0 });
  f.assign(running_mean, blended(running_mean, ofChannel(mean), momentum));
  f.assign(running_var, blended(running_var, f.scale(ofChannel(squares), 1 / (count - 1)), momentum));
}

type InstanceNorm = (features: number, options?: InstanceNormOptions) => Module;

function instanceNorm(name: string, axes: number): InstanceNorm {
  const check = optionsOf<InstanceNormOptions>(name, {
    ...{ ...trackingChecks, affine: flag, trackRunningStats: flag },
  });
  return layer(
    name,
    {
      features: needed<number>(whole(1)),
      eps: optional<number>(1e-5, trackingChecks.eps),
      momentum: optional<number | null>(0.1, trackingChecks.momentum),
      affine: false,
      trackRunningStats: false,
    },
    ({ features, eps, momentum, affine, trackRunningStats }) => {
      const learned = {
        weight: new Parameter([features], init.constant(1)),
        bias: new Parameter([features], init.constant(0)),
      };
      const statistics = running(features);
      const children = { ...(affine && learned), ...(trackRunningStats && statistics) };
      const [weight, bias] = affine ? [learned.weight, learned.bias] : [];
      return module(children, (x: Tensor) => {
        const { training } = x.tracer;
        if (
          x.shape.length !== axes + 2 ||
          x.shape[1] !== features ||
          (training && sizeOf(x.shape.slice(2)) < 2)
        )
          fail(
            'shape_mismatch',
            `${name}: got an input of shape ${showShape(x.shape)}, expected (batch, ${features}, ${axes === 1 ? 'length' : 'height, width'}) with more than one element`,
          );
        if (!training && trackRunningStats) {
          const [scale, shift] = affine ? [learned.weight, learned.bias] : unscaled(x.tracer, features);
          const { running_mean: mean, running_var: variance } = statistics;
          return channelsLast(name, x, features, axes, 'NCHW', (rows) =>
            f.fixedBatchNorm(rows, scale, shift, { mean, variance }, { eps }),
          );
        }
        if (training && trackRunningStats && momentum !== null) track(statistics, x, momentum);
        return f.groupNorm(x, features, weight, bias, { eps });
      });
    },
    (make) => (features: number, options?: InstanceNormOptions) => make({ ...check(options), features }),
  );
}

/**
 * Each channel of each sample by itself, (batch, features, length), like torch.nn.InstanceNorm1d. With trackRunningStats, inference
 * uses the statistics of training; as in PyTorch, num_batches_tracked is kept in the state dict but never counted up.
 */
export const instanceNorm1d: InstanceNorm = instanceNorm('instanceNorm1d', 1);
/** Each channel of each image by itself, (batch, features, height, width), like torch.nn.InstanceNorm2d. */
export const instanceNorm2d: InstanceNorm = instanceNorm('instanceNorm2d', 2);
