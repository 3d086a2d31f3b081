import { frozenModel } from '../suites/models.ts';
import type { Layer } from './peer.ts';

/** The layers that every engine starts from: those of the suites' models. */
export async function layersOf(widths: readonly number[]): Promise<Layer[]> {
  const frozen = await frozenModel(widths);
  const values = frozen.parameters.map(({ parameter }) => frozen.values(parameter));
  return widths.slice(1).map((outputs, i) => ({
    ...{ inputs: widths[i], outputs },
    ...{ weight: values[2 * i], bias: values[2 * i + 1] },
  }));
}

/** (in, out) from (out, in). */
export function transposed({ inputs, outputs, weight }: Layer): Float32Array {
  const result = new Float32Array(weight.length);
  for (let o = 0; o < outputs; o++)
    for (let i = 0; i < inputs; i++) result[i * outputs + o] = weight[o * inputs + i];
  return result;
}
