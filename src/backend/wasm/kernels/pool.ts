import * as records from '../../../generated/records.ts';
import type { TensorRef } from '../../../graph/plan.ts';
import { type PoolAttrs, poolSizes, type pool as rows } from '../../../ops/pool.ts';
import { type Kernels, one } from './kernel.ts';

/** Sizes, as records name them. */
function windows(x: TensorRef, attrs: PoolAttrs) {
  const { planes, down, across } = poolSizes(x, attrs);
  return {
    planes,
    height: down.size,
    width: across.size,
    rows: down.windows,
    columns: across.windows,
    kernelHeight: down.taps,
    kernelWidth: across.taps,
    strideDown: down.stride,
    strideAcross: across.stride,
    paddingDown: down.padding,
    paddingAcross: across.padding,
    dilationDown: down.dilation,
    dilationAcross: across.dilation,
  };
}

export const pool: Kernels<typeof rows> = {
  max_pool: one(({ inputs: [x], outputs: [y], attrs }, at) =>
    records.maxPool({ type: x.dtype, ...at({ x, y }), ...windows(x, attrs) }),
  ),
  max_pool_backward: one(({ inputs: [dy, x], outputs: [dx], attrs }, at) =>
    records.maxPoolBackward({ ...at({ dy, x, dx }), ...windows(x, attrs) }),
  ),
};
