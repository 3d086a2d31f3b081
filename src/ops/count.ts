import { sizeOf } from '../core/shape.ts';
import { expectInputs, expectOneOf } from './check.ts';
import { type Op, op } from './op.ts';
import { forEachRun, type ReduceAttrs, reducedShape, reduceSizes } from './reduce.ts';

/** What becomes of the number of terms that are not 0. */
function counting(
  name: 'any' | 'all' | 'count_nonzero',
  dtype: 'u8' | 'i32',
  of: (found: number, count: number) => number,
): Op<ReduceAttrs> {
  return op<ReduceAttrs>({
    infer(inputs, attrs) {
      expectInputs(name, inputs, [null]);
      const [x] = inputs;
      expectOneOf(name, x, ['f32', 'i32', 'u8']);
      return { dtype, shape: reducedShape(name, x, attrs) };
    },
    reference([x], y, { axes }) {
      const sizes = reduceSizes(x.shape, axes);
      forEachRun(sizes, (o, start, step) => {
        let found = 0;
        for (let c = 0; c < sizes.count; c++) if (x.data[start + c * step] !== 0) found++;
        y.data[o] = of(found, sizes.count);
      });
    },
    flops: ([x]) => sizeOf(x.shape),
  });
}

/** Over neighbouring axes, of f32, i32 or u8. NaN is not 0, -0 is. */
export const counts = {
  /** 1 where any term is not 0, as u8; of nothing it is 0. */
  any: counting('any', 'u8', (found) => (found > 0 ? 1 : 0)),
  /** 1 where no term is 0, as u8; of nothing it is 1. */
  all: counting('all', 'u8', (found, count) => (found === count ? 1 : 0)),
  /** How many terms are not 0, as i32. */
  count_nonzero: counting('count_nonzero', 'i32', (found) => found),
};
