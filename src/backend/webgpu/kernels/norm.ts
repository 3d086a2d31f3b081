import type { norm as rows } from '../../../ops/norm.ts';
import { rowsOf } from '../../../ops/softmax.ts';
import { float, wordOf } from '../record.ts';
import { count, each, type Kernels, one, shader } from './kernel.ts';
import { lanesFor } from './reduce.ts';

/** A workgroup for each channel, whose invocations take its rows in turns. */
const channelwise = (file: string) =>
  one<{ readonly eps: number }>(({ inputs, outputs, attrs: { eps } }) => {
    const { rows, n } = rowsOf(outputs[0].shape);
    return {
      shader: { files: [file, 'sums', 'workgroup'], constants: { LANES: lanesFor(rows) } },
      args: [...inputs.map(wordOf), ...outputs.map(wordOf), rows, n, float(eps)],
      workgroups: n,
    };
  });

export const norm: Kernels<typeof rows> = {
  batch_norm: channelwise('batch_norm'),
  batch_norm_backward: channelwise('batch_norm_backward'),
  batch_norm_affine: one(({ inputs, outputs, attrs: { eps } }) => ({
    shader: shader('batch_norm_affine'),
    args: [...inputs.map(wordOf), ...outputs.map(wordOf), count(outputs[0]), float(eps)],
    workgroups: each(count(outputs[0])),
  })),
};
