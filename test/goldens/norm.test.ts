import * as f from '../../src/functions/index.ts';
import { onPixels } from '../../src/functions/pixels.ts';
import { judge } from './kit.ts';

type Rows = { shape: number[]; eps?: number };

judge('norm', {
  batch_norm: ([x, weight, bias], attrs) => f.batchNorm(x, weight, bias, attrs).y,
  batch_norm_2d: ([x, weight, bias]) =>
    onPixels('batchNorm2d', x, 2, 'NCHW', (rows) => f.batchNorm(rows, weight, bias, { eps: 1e-5 }).y),
  layer_norm: ([x, weight, bias], { shape, ...options }: Rows) =>
    f.layerNorm(x, shape, weight, bias, options),
  rms_norm: ([x, weight], { shape, ...options }: Rows) => f.rmsNorm(x, shape, weight, options),
  group_norm: ([x, weight, bias], { groups }: { groups: number }) => f.groupNorm(x, groups, weight, bias),
});
