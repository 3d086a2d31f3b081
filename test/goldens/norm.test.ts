import * as f from '../../src/functions/index.ts';
import { onPixels } from '../../src/functions/pixels.ts';
import type { Tensor } from '../../src/graph/trace.ts';
import { judge } from './kit.ts';

type Rows = { shape: number[]; eps?: number };

judge('norm', {
  batch_norm: ([x, weight, bias], attrs) => f.batchNorm(x, weight, bias, attrs).y,
  batch_norm_2d: ([x, weight, bias]) =>
    onPixels('batchNorm2d', x, 2, 'NCHW', (rows) => f.batchNorm(rows, weight, bias, { eps: 1e-5 }).y),
  fixed_batch_norm: ([x, weight, bias, mean, variance]) => {
    const fixed = (rows: Tensor) => f.fixedBatchNorm(rows, weight, bias, { mean, variance }, { eps: 1e-5 });
    return x.shape.length === 2 ? fixed(x) : onPixels('batchNorm', x, x.shape.length - 2, 'NCHW', fixed);
  },
  layer_norm: ([x, weight, bias], { shape, ...options }: Rows) =>
    f.layerNorm(x, shape, weight, bias, options),
  rms_norm: ([x, weight], { shape, ...options }: Rows) => f.rmsNorm(x, shape, weight, options),
  group_norm: ([x, weight, bias], { groups }: { groups: number }) => f.groupNorm(x, groups, weight, bias),
});
