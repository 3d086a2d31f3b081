import * as records from '../../../generated/records.ts';
import { type ReduceAttrs, reduceSizes, type reduce as rows } from '../../../ops/reduce.ts';
import { rowsOf } from '../../../ops/softmax.ts';
import { count, type Kernel, type Kernels, one } from './kernel.ts';

const reduction = (kind: records.Reduction, divisor: (n: number) => number): Kernel<ReduceAttrs> =>
  one(({ inputs: [x], outputs: [y], attrs: { axes } }, at) => {
    const sizes = reduceSizes(x.shape, axes);
    return records.reduce({ kind, ...at({ x, y }), ...sizes, divisor: divisor(sizes.count) });
  });

/** Also the gradient of a bias. */
export const sum = reduction('sum', () => 1);

const extreme = (kind: 'max' | 'min'): Kernel<ReduceAttrs> => {
  const ofFloats = reduction(kind, () => 1);
  const ofIntegers: Kernel<ReduceAttrs> = one(({ inputs: [x], outputs: [y], attrs: { axes } }, at) =>
    records.extreme({ kind, type: x.dtype, ...at({ x, y }), ...reduceSizes(x.shape, axes) }),
  );
  return {
    encode: (step, place) => (step.inputs[0].dtype === 'f32' ? ofFloats : ofIntegers).encode(step, place),
  };
};

const position = (least: boolean): Kernel =>
  one(({ inputs: [x], outputs: [y] }, at) =>
    records.argmax({ type: x.dtype, ...at({ x, y }), ...rowsOf(x.shape), least }),
  );

export const reduce: Kernels<typeof rows> = {
  sum,
  mean: reduction('sum', (n) => n),
  max: extreme('max'),
  min: extreme('min'),
  max_backward: one(({ inputs: [dy, x, y], outputs: [dx], attrs: { axes } }, at) =>
    records.maxBackward({
      ...at({ dy, x, y, dx }),
      ...reduceSizes(x.shape, axes),
    }),
  ),
  argmax: position(false),
  argmin: position(true),
  global_norm: one(({ inputs: [x], outputs: [y] }, at) =>
    records.globalNorm({ ...at({ x, y }), count: count(x) }),
  ),
};
