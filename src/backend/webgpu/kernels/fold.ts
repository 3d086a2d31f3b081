import type { TensorRef } from '../../../graph/plan.ts';
import { freedom, type NormAttrs, type fold as rows, type VarianceAttrs } from '../../../ops/fold.ts';
import { type ReduceAttrs, type ReduceSizes, reduceSizes } from '../../../ops/reduce.ts';
import { type Dispatch, float, wordOf } from '../record.ts';
import type { Scratch } from '../scratch.ts';
import { count, type Kernel, type Kernels, one } from './kernel.ts';
import { inPasses, lanesFor } from './reduce.ts';

/** KIND, TERM and FINISH in fold.wgsl. */
const kinds = { sum: 0, largest: 1, product: 2 };
const terms = { x: 0, size: 1, square: 2, power: 3, exp: 4, apart: 5, squareApart: 6 };
const finishes = { quotient: 0, root: 1, euclidean: 2, power: 3, logarithm: 4 };

const files = ['sums', 'rows', 'workgroup', 'math'];

interface Folding {
  readonly kind: keyof typeof kinds;
  readonly term: keyof typeof terms;
  readonly finish?: keyof typeof finishes;
  readonly divisor?: number;
  readonly p?: number;
  /** Words with one number for each output, which terms are taken relative to. */
  readonly most?: number;
  readonly rest?: number;
}

/** How many outputs there are. */
const outputsOf = ({ outer, inner }: ReduceSizes) => outer * inner;

/** Passes that leave one number for each output at `to`. What terms become is the first pass's, the finish the last one's. */
function foldDispatches(
  x: TensorRef,
  sizes: ReduceSizes,
  to: number,
  scratch: Scratch,
  how: Folding,
): Dispatch[] {
  const { kind, finish = 'quotient', divisor = 1, p = 0 } = how;
  const { most = to, rest = to } = how;
  return inPasses(sizes.count, outputsOf(sizes), x, to, scratch, ({ count, parts, chunk }, from, y) => {
    const [first, last] = [from === wordOf(x), parts === 1];
    const outputs = sizes.outer * parts * sizes.inner;
    return {
      shader: {
        files: ['fold', ...files],
        constants: {
          KIND: kinds[kind],
          TERM: first ? terms[how.term] : 0,
          FINISH: last ? finishes[finish] : 0,
          LANES: lanesFor(chunk),
        },
      },
      args: [
        ...[from, y, most, rest, outputs, count, sizes.inner, parts, chunk],
        ...[float(last ? divisor : 1), float(p)],
      ],
      workgroups: outputs,
    };
  });
}

/** What terms are taken relative to lies in memory that is lent. */
function relative(
  x: TensorRef,
  sizes: ReduceSizes,
  y: TensorRef,
  scratch: Scratch,
  largest: Folding,
  how: Folding,
): Dispatch[] {
  const most = scratch.lend(outputsOf(sizes));
  return [
    ...foldDispatches(x, sizes, most, scratch, largest),
    ...foldDispatches(x, sizes, wordOf(y), scratch, { ...how, most }),
  ];
}

function normDispatches(x: TensorRef, y: TensorRef, { axes, p }: NormAttrs, scratch: Scratch): Dispatch[] {
  const sizes = reduceSizes(x.shape, axes);
  const largest: Folding = { kind: 'largest', term: 'size' };
  if (p === 1) return foldDispatches(x, sizes, wordOf(y), scratch, { kind: 'sum', term: 'size' });
  if (p === Infinity) return foldDispatches(x, sizes, wordOf(y), scratch, largest);
  return relative(x, sizes, y, scratch, largest, {
    kind: 'sum',
    ...(p === 2 ? { term: 'square', finish: 'euclidean' } : { term: 'power', finish: 'power', p }),
  });
}

/**
 * The mean as f32, then the mean of what that leaves of each term, then squares of what both leave: what rounding the mean lost would
 * count where deviations are smaller than it.
 */
const spreading = (finish: 'quotient' | 'root'): Kernel<VarianceAttrs> => ({
  encode({ inputs: [x], outputs: [y], attrs: { axes, correction } }, { scratch }) {
    const sizes = reduceSizes(x.shape, axes);
    const [most, rest] = [scratch.lend(outputsOf(sizes)), scratch.lend(outputsOf(sizes))];
    const divisor = sizes.count;
    return [
      ...foldDispatches(x, sizes, most, scratch, { kind: 'sum', term: 'x', divisor }),
      ...foldDispatches(x, sizes, rest, scratch, { kind: 'sum', term: 'apart', divisor, most }),
      ...foldDispatches(x, sizes, wordOf(y), scratch, {
        ...{ kind: 'sum', term: 'squareApart', finish, most, rest },
        divisor: freedom(sizes.count, correction),
      }),
    ];
  },
});

/** KIND in fold_backward.wgsl. */
const ofPower = (p: number) => (p === 1 ? 1 : p === 2 ? 2 : p === Infinity ? 3 : 4);

const backward = <A extends ReduceAttrs>(
  kindOf: (attrs: A) => number,
  power: (attrs: A) => number = () => 0,
) =>
  one<A>(({ inputs: [dy, x, y], outputs: [dx], attrs }) => {
    const sizes = reduceSizes(x.shape, attrs.axes);
    const p = power(attrs);
    return {
      shader: {
        files: ['fold_backward', ...files],
        constants: { KIND: kindOf(attrs), LANES: lanesFor(sizes.count) },
      },
      args: [
        ...[dy, x, y, dx].map(wordOf),
        ...[count(y), sizes.count, sizes.inner, float(Number.isFinite(p) ? p : 0)],
      ],
      workgroups: count(y),
    };
  });

export const fold: Kernels<typeof rows> = {
  prod: {
    encode: ({ inputs: [x], outputs: [y], attrs }, { scratch }) =>
      foldDispatches(x, reduceSizes(x.shape, attrs.axes), wordOf(y), scratch, { kind: 'product', term: 'x' }),
  },
  prod_backward: backward<ReduceAttrs>(() => 0),
  norm: {
    encode: ({ inputs: [x], outputs: [y], attrs }, { scratch }) => normDispatches(x, y, attrs, scratch),
  },
  norm_backward: backward<NormAttrs>(
    ({ p }) => ofPower(p),
    ({ p }) => p,
  ),
  logsumexp: {
    encode: ({ inputs: [x], outputs: [y], attrs }, { scratch }) =>
      relative(
        x,
        reduceSizes(x.shape, attrs.axes),
        y,
        scratch,
        { kind: 'largest', term: 'x' },
        { kind: 'sum', term: 'exp', finish: 'logarithm' },
      ),
  },
  logsumexp_backward: backward<ReduceAttrs>(() => 5),
  variance: spreading('quotient'),
  std: spreading('root'),
};
