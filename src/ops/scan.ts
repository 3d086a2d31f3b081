import { fail } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import { expectInputs, expectOneOf, expectRank } from './check.ts';
import { op } from './op.ts';
import { forEachRun, reduceSizes } from './reduce.ts';

export interface ScanAttrs {
  readonly axis: number;
  /** Each sum without the term at its own place. */
  readonly exclusive: boolean;
  /** From the end. */
  readonly reverse: boolean;
}

export const scan = {
  /** Sums of all terms up to each, along an axis: of f32 in f64 and each rounded once, of i32 modulo 2^32; as ONNX CumSum. */
  cumsum: op<ScanAttrs>({
    infer(inputs, { axis }) {
      expectInputs('cumsum', inputs, [null]);
      const [x] = inputs;
      expectOneOf('cumsum', x, ['f32', 'i32']);
      expectRank('cumsum', x, 1);
      if (!(axis >= 0 && axis < x.shape.length))
        fail('out_of_range', `cumsum: axis ${axis} is outside a tensor of ${x.shape.length} dimensions`);
      return x;
    },
    reference([x], y, { axis, exclusive, reverse }) {
      const sizes = reduceSizes(x.shape, [axis]);
      forEachRun(sizes, (_, start, step) => {
        let sum = 0;
        for (let c = 0; c < sizes.count; c++) {
          const at = start + (reverse ? sizes.count - 1 - c : c) * step;
          const before = sum;
          sum += x.data[at];
          y.data[at] = exclusive ? before : sum;
        }
      });
    },
    flops: ([x]) => sizeOf(x.shape),
    gradient: ({ dy, attrs, emit }) => [emit('cumsum', [dy], { ...attrs, reverse: !attrs.reverse })],
  }),
};
