import * as records from '../../../generated/records.ts';
import type { NormAttrs } from '../../../ops/norm.ts';
import type { RowNormAttrs, normRows as rows } from '../../../ops/norm-rows.ts';
import { rowsOf } from '../../../ops/softmax.ts';
import { addressesIn, type Kernel, type Kernels, one } from './kernel.ts';

const forward = (centered: boolean): Kernel<NormAttrs> =>
  one(({ inputs: [x, weight, bias], outputs, attrs: { eps } }, at) => {
    const [y, mean, rstd] = centered ? outputs : [outputs[0], undefined, outputs[1]];
    return records.rowNorm({ ...at({ x, y, rstd }), ...at({ weight, bias, mean }), ...rowsOf(x.shape), eps });
  });

const backward = (centered: boolean): Kernel<RowNormAttrs> => ({
  encode({ inputs, outputs: [dx, dWeight, dBias], attrs: { affine } }, place) {
    const at = addressesIn(place);
    const [dy, x] = inputs;
    const [mean, rstd] = centered ? inputs.slice(2) : [undefined, inputs[2]];
    const weight = affine === 'none' ? undefined : inputs.at(-1);
    const given = { ...at({ dy, x, rstd }), ...at({ mean }), ...rowsOf(x.shape) };
    return [
      records.rowNormBackward({ ...given, ...at({ dx }), ...at({ weight }) }),
      ...(dWeight ? [records.rowNormWeights({ ...given, ...at({ dWeight }), ...at({ dBias }) })] : []),
    ];
  },
});

export const normRows: Kernels<typeof rows> = {
  layer_norm: forward(true),
  layer_norm_backward: backward(true),
  rms_norm: forward(false),
  rms_norm_backward: backward(false),
};
