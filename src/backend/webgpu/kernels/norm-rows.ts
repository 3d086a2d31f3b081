import type { NormAttrs } from '../../../ops/norm.ts';
import type { RowNormAttrs, normRows as rows } from '../../../ops/norm-rows.ts';
import { rowsOf } from '../../../ops/softmax.ts';
import { float, wordOf } from '../record.ts';
import { type Kernel, type Kernels, one } from './kernel.ts';
import { lanesFor } from './reduce.ts';

const flags = (given: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(given).map(([name, there]) => [name, there ? 1 : 0]));
const word = (t: Parameters<typeof wordOf>[0] | undefined) => (t ? wordOf(t) : 0);

/** A workgroup for each row. */
const forward = (centered: boolean): Kernel<NormAttrs> =>
  one(({ inputs: [x, weight, bias], outputs, attrs: { eps } }) => {
    const { rows, n } = rowsOf(x.shape);
    const [y, mean, rstd] = centered ? outputs : [outputs[0], undefined, outputs[1]];
    return {
      shader: {
        files: ['row_norm', 'sums', 'workgroup'],
        constants: { ...flags({ CENTERED: centered, WEIGHT: weight, BIAS: bias }), LANES: lanesFor(n) },
      },
      args: [...[x, weight, bias, y, mean, rstd].map(word), rows, n, float(eps)],
      workgroups: rows,
    };
  });

const backward = (centered: boolean): Kernel<RowNormAttrs> => ({
  encode({ inputs, outputs: [dx, dWeight, dBias], attrs: { affine } }) {
    const [dy, x] = inputs;
    const [mean, rstd] = centered ? inputs.slice(2) : [undefined, inputs[2]];
    const weight = affine === 'none' ? undefined : inputs.at(-1);
    const { rows, n } = rowsOf(x.shape);
    return [
      {
        shader: {
          files: ['row_norm_backward', 'sums', 'workgroup'],
          constants: { ...flags({ CENTERED: centered, WEIGHT: weight }), LANES: lanesFor(n) },
        },
        args: [...[dy, x, weight, mean, rstd, dx].map(word), rows, n],
        workgroups: rows,
      },
      {
        shader: {
          files: ['row_norm_weights', 'sums', 'workgroup'],
          constants: { ...flags({ CENTERED: centered, BIAS: dBias }), LANES: lanesFor(rows) },
        },
        args: [...[dy, x, mean, rstd, dWeight, dBias].map(word), rows, n],
        workgroups: dWeight ? n : 0,
      },
    ];
  },
});

export const normRows: Kernels<typeof rows> = {
  layer_norm: forward(true),
  layer_norm_backward: backward(true),
  rms_norm: forward(false),
  rms_norm_backward: backward(false),
};
