import type { TensorRef } from '../../../graph/plan.ts';
import { type AvgPoolAttrs, type PoolAttrs, poolSizes, type pool as rows } from '../../../ops/pool.ts';
import { wordOf } from '../record.ts';
import { count, each, type Kernels, one, packed } from './kernel.ts';

/** Windows in windows.wgsl, 64 bytes. */
function windows(x: TensorRef, attrs: PoolAttrs): number[] {
  const { down, across, channels } = poolSizes(x, attrs);
  const both = (['size', 'windows', 'taps', 'stride', 'padding', 'dilation'] as const).flatMap((fact) => [
    down[fact],
    across[fact],
  ]);
  return [...both, channels, 0, 0, 0];
}
const divided = ({ countIncludePad, divisor }: AvgPoolAttrs) => [countIncludePad ? 1 : 0, divisor];

export const pool: Kernels<typeof rows> = {
  max_pool: one(({ inputs: [x], outputs: [y], attrs }) => {
    const bytes = x.dtype === 'u8';
    return {
      shader: { files: ['windows', 'winner', bytes ? 'max_pool_bytes' : 'max_pool'] },
      args: [...windows(x, attrs), wordOf(x), wordOf(y), count(y)],
      workgroups: each(bytes ? packed(count(y)) : count(y)),
    };
  }),
  max_pool_backward: one(({ inputs: [dy, x], outputs: [dx], attrs }) => ({
    shader: { files: ['windows', 'winner', 'windows_over', 'max_pool_backward', 'sums'] },
    args: [...windows(x, attrs), ...[dy, x, dx].map(wordOf), count(dx)],
    workgroups: each(count(dx)),
  })),
  avg_pool: one(({ inputs: [x], outputs: [y], attrs }) => ({
    shader: { files: ['windows', 'average', 'avg_pool', 'sums'] },
    args: [...windows(x, attrs), ...divided(attrs), wordOf(x), wordOf(y), count(y)],
    workgroups: each(count(y)),
  })),
  avg_pool_i8: one(({ inputs: [x], outputs: [y], attrs }) => {
    const { inputZero, zeroPoint, multiplier, shift } = attrs;
    return {
      shader: { files: ['windows', 'average', 'avg_pool_i8', 'requantize'] },
      args: [
        ...[...windows(x, attrs), ...divided(attrs), wordOf(x), wordOf(y), count(y)],
        ...[inputZero, zeroPoint, multiplier, shift],
      ],
      workgroups: each(packed(count(y))),
    };
  }),
  avg_pool_backward: one(({ inputs: [dy], outputs: [dx], attrs }) => ({
    shader: { files: ['windows', 'windows_over', 'average', 'avg_pool_backward', 'sums'] },
    args: [...windows(dx, attrs), ...divided(attrs), wordOf(dy), wordOf(dx), count(dx)],
    workgroups: each(count(dx)),
  })),
};
