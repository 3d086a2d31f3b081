import * as records from '../../../generated/records.ts';
import type { norm as rows } from '../../../ops/norm.ts';
import { rowsOf } from '../../../ops/softmax.ts';
import { count, type Kernels, one } from './kernel.ts';

export const norm: Kernels<typeof rows> = {
  batch_norm: one(({ inputs: [x, weight, bias], outputs: [y, mean, variance], attrs: { eps } }, at) =>
    records.batchNorm({ ...at({ x, weight, bias, y, mean, variance }), ...rowsOf(x.shape), eps }),
  ),
  batch_norm_backward: one(
    ({ inputs: [dy, x, weight, mean, variance], outputs: [dx, dWeight, dBias], attrs: { eps } }, at) =>
      records.batchNormBackward({
        ...at({ dy, x, weight, mean, variance, dx, dWeight, dBias }),
        ...rowsOf(x.shape),
        eps,
      }),
  ),
  batch_norm_affine: one(
    ({ inputs: [weight, bias, mean, variance], outputs: [scale, shift], attrs: { eps } }, at) =>
      records.batchNormAffine({
        ...at({ weight, bias, mean, variance, scale, shift }),
        n: count(scale),
        eps,
      }),
  ),
};
