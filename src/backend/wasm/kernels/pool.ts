import * as records from '../../../generated/records.ts';
import type { TensorRef } from '../../../graph/plan.ts';
import { type AvgPoolAttrs, type PoolAttrs, poolSizes, type pool as rows } from '../../../ops/pool.ts';
import { type Kernels, one } from './kernel.ts';

/** Sizes, as records name them. */
function windows(x: TensorRef, attrs: PoolAttrs) {
  const { images, channels, down, across } = poolSizes(x, attrs);
  return {
    ...{
      images,
      channels,
      height: down.size,
      width: across.size,
      rows: down.windows,
      columns: across.windows,
    },
    ...{
      kernelHeight: down.taps,
      kernelWidth: across.taps,
      strideDown: down.stride,
      strideAcross: across.stride,
    },
    ...{ paddingDown: down.padding, paddingAcross: across.padding },
    ...{ dilationDown: down.dilation, dilationAcross: across.dilation },
  };
}
const divided = ({ countIncludePad, divisor }: AvgPoolAttrs) => ({ padded: countIncludePad, divisor });

export const pool: Kernels<typeof rows> = {
  max_pool: one(({ inputs: [x], outputs: [y], attrs }, at) =>
    records.maxPool({ type: x.dtype, ...at({ x, y }), ...windows(x, attrs) }),
  ),
  max_pool_backward: one(({ inputs: [dy, x], outputs: [dx], attrs }, at) =>
    records.maxPoolBackward({ ...at({ dy, x, dx }), ...windows(x, attrs) }),
  ),
  avg_pool: one(({ inputs: [x], outputs: [y], attrs }, at) =>
    records.avgPool({ ...at({ x, y }), ...windows(x, attrs), ...divided(attrs) }),
  ),
  avg_pool_i8: one(({ inputs: [x], outputs: [y], attrs }, at) => {
    const { inputZero, zeroPoint, multiplier, shift } = attrs;
    const sums = { ...windows(x, attrs), ...divided(attrs), inputZero };
    return records.avgPoolI8({ ...at({ x, y }), ...sums, zeroPoint, multiplier, shift });
  }),
  avg_pool_backward: one(({ inputs: [dy], outputs: [dx], attrs }, at) =>
    records.avgPoolBackward({ ...at({ dy, dx }), ...windows(dx, attrs), ...divided(attrs) }),
  ),
};
