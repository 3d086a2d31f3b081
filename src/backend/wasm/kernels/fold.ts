import * as records from '../../../generated/records.ts';
import { freedom, type fold as rows, type VarianceAttrs } from '../../../ops/fold.ts';
import { type ReduceAttrs, reduceSizes } from '../../../ops/reduce.ts';
import { type Kernel, type Kernels, one } from './kernel.ts';

type Attrs = ReduceAttrs & { readonly p?: number };

/** The kernel of a norm, by its power. */
const ofPower = (p: number): records.Fold =>
  p === 1 ? 'sum_of_sizes' : p === 2 ? 'euclidean' : p === Infinity ? 'largest_size' : 'p_norm';

const forward = (kindOf: (attrs: Attrs) => records.Fold): Kernel<Attrs> =>
  one(({ inputs: [x], outputs: [y], attrs }, at) =>
    records.fold({
      ...{ kind: kindOf(attrs), ...at({ x, y }), ...reduceSizes(x.shape, attrs.axes), p: attrs.p ?? 0 },
    }),
  );

const backward = (kindOf: (attrs: Attrs) => records.Fold): Kernel<Attrs> =>
  one(({ inputs: [dy, x, y], outputs: [dx], attrs }, at) =>
    records.foldBackward({
      ...{
        kind: kindOf(attrs),
        ...at({ dy, x, y, dx }),
        ...reduceSizes(x.shape, attrs.axes),
        p: attrs.p ?? 0,
      },
    }),
  );

const spreading = (root: boolean): Kernel<VarianceAttrs> =>
  one(({ inputs: [x], outputs: [y], attrs: { axes, correction } }, at, { scratch, scratchPerThread }) => {
    const sizes = reduceSizes(x.shape, axes);
    const divisor = freedom(sizes.count, correction);
    return records.variance({ ...at({ x, y }), ...sizes, divisor, root, scratch, scratchPerThread });
  });

export const fold: Kernels<typeof rows> = {
  prod: forward(() => 'prod'),
  prod_backward: backward(() => 'prod'),
  norm: forward(({ p }) => ofPower(p!)),
  norm_backward: backward(({ p }) => ofPower(p!)),
  logsumexp: forward(() => 'logsumexp'),
  logsumexp_backward: backward(() => 'logsumexp'),
  variance: spreading(false),
  std: spreading(true),
};
