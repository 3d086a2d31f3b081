import { fail } from '../core/errors.ts';
import { sameShape, showShape, sizeOf } from '../core/shape.ts';
import { expectInputs, expectSameShape } from './check.ts';
import { type GradientContext, type Op, op, type Sym } from './op.ts';
import { forEachRun, type ReduceAttrs, reducedShape, reduceSizes } from './reduce.ts';
import { spread } from './symbolic.ts';

export interface NormAttrs extends ReduceAttrs {
  /** From above 0 to Infinity. */
  readonly p: number;
}

export interface VarianceAttrs extends ReduceAttrs {
  /** What is taken from the number of terms before the sum of squares is divided by it. */
  readonly correction: number;
}

/** The terms of one output, in order. */
type Run = Iterable<number>;

/** What the sum of squared deviations is divided by: never less than 0, as PyTorch has it. */
export const freedom = (count: number, correction: number): number => Math.max(0, count - correction);

interface Folding<A extends ReduceAttrs> {
  /** In f64. */
  value(run: Run, attrs: A): number;
  check?(attrs: A): void;
  /** Arithmetic for each term. */
  readonly flops: number;
  gradient(context: GradientContext<A>): (Sym | undefined)[];
}

function folding<A extends ReduceAttrs>(name: string, { value, check, flops, gradient }: Folding<A>): Op<A> {
  return op<A>({
    infer(inputs, attrs) {
      expectInputs(name, inputs, ['f32']);
      check?.(attrs);
      return { dtype: 'f32', shape: reducedShape(name, inputs[0], attrs) };
    },
    reference([x], y, attrs) {
      const sizes = reduceSizes(x.shape, attrs.axes);
      forEachRun(sizes, (o, start, step) => {
        y.data[o] = value(
          Array.from({ length: sizes.count }, (_, c) => x.data[start + c * step]),
          attrs,
        );
      });
    },
    flops: ([x]) => flops * sizeOf(x.shape),
    gradient,
  });
}

/** name(dy, x, y) -> dx; `share(run, dy, y)` gives what a term gets. */
function back<A extends ReduceAttrs>(
  name: string,
  share: (run: Run, dy: number, y: number, attrs: A) => (x: number) => number,
): Op<A> {
  return op<A>({
    infer(inputs, attrs) {
      expectInputs(name, inputs, ['f32', 'f32', 'f32']);
      const [dy, x, y] = inputs;
      expectSameShape(name, dy, y);
      const shape = reducedShape(name, x, attrs);
      if (!sameShape(y.shape, shape))
        fail(
          'shape_mismatch',
          `${name}: expected dy and y of shape ${showShape(shape)}, got ${showShape(y.shape)}`,
        );
      return x;
    },
    reference([dy, x, y], dx, attrs) {
      const sizes = reduceSizes(x.shape, attrs.axes);
      forEachRun(sizes, (o, start, step) => {
        const places = Array.from({ length: sizes.count }, (_, c) => start + c * step);
        const of = share(
          places.map((i) => x.data[i]),
          dy.data[o],
          y.data[o],
          attrs,
        );
        for (const i of places) dx.data[i] = of(x.data[i]);
      });
    },
    flops: ([, x]) => 6 * sizeOf(x.shape),
  });
}

const sumOf = (run: Run, term: (x: number) => number): number => {
  let sum = 0;
  for (const x of run) sum += term(x);
  return sum;
};
const largestOf = (run: Run, term: (x: number) => number): number => {
  let most = -Infinity;
  for (const x of run) most = Math.max(most, term(x));
  return most;
};
/** PyTorch's sgn: 0 of NaN. */
const sign = (x: number): number => (x > 0 ? 1 : x < 0 ? -1 : 0);

/** The largest of absolute values, and with it the sum of what they are to it, to the power of p: nothing overflows. */
function norm(run: Run, p: number): number {
  const most = Math.max(
    0,
    largestOf(run, (x) => Math.abs(x)),
  );
  if (p === Infinity || most === 0 || !Number.isFinite(most)) return most;
  return most * sumOf(run, (x) => (Math.abs(x) / most) ** p) ** (1 / p);
}

function variance(run: Run, correction: number): number {
  let count = 0;
  const sum = sumOf(run, (x) => {
    count++;
    return x;
  });
  const mean = sum / count;
  return sumOf(run, (x) => (x - mean) ** 2) / freedom(count, correction);
}

/** x - mean(x), of the shape of x. */
function centered({ inputs: [x], attrs: { axes }, emit }: GradientContext<VarianceAttrs>): Sym {
  const mean = emit('mean', [x], { axes, keepDims: true });
  return emit('sub', [x, mean]);
}

const checkCorrection =
  (name: string) =>
  ({ correction }: VarianceAttrs): void => {
    if (!Number.isFinite(correction))
      fail('out_of_range', `${name}: correction is ${correction}, expected a finite number`);
  };

/** dy / (count - correction); infinite or NaN where there is nothing to divide by, as the variance is. */
function shared({ inputs: [x], dy, attrs, emit }: GradientContext<VarianceAttrs>, factor: number): Sym {
  const { count } = reduceSizes(x.shape, attrs.axes);
  return emit('scale', [dy], { factor: factor / freedom(count, attrs.correction) });
}

export const fold = {
  /** The product over neighbouring axes; of nothing it is 1. */
  prod: folding<ReduceAttrs>('prod', {
    value: (run) => {
      let product = 1;
      for (const x of run) product *= x;
      return product;
    },
    flops: 1,
    gradient: ({ inputs: [x], output, dy, attrs, emit }) => [emit('prod_backward', [dy, x, output], attrs)],
  }),
  /** dy times the product of all other terms, also where some are 0. y is not needed: it may have been rounded to 0. */
  prod_backward: back<ReduceAttrs>('prod_backward', (run, dy) => {
    let [zeros, product] = [0, 1];
    for (const x of run) {
      if (x === 0) zeros++;
      else product *= x;
    }
    const [others, ofZero] = [zeros === 0 ? dy * product : 0, zeros === 1 ? dy * product : 0];
    return (x) => (x === 0 ? ofZero : others / x);
  }),

  /** (sum of |x|^p)^(1/p) over neighbouring axes; for p Infinity the largest |x|; of nothing it is 0. */
  norm: folding<NormAttrs>('norm', {
    value: (run, { p }) => norm(run, p),
    check({ p }) {
      if (!(p > 0)) fail('out_of_range', `norm: p is ${p}, expected a number above 0, or Infinity`);
    },
    flops: 4,
    gradient: ({ inputs: [x], output, dy, attrs, emit }) => [emit('norm_backward', [dy, x, output], attrs)],
  }),
  /** dy sign(x) |x / y|^(p - 1), where y and x are not 0, else 0; for p Infinity shared evenly by those of the largest |x|. */
  norm_backward: back<NormAttrs>('norm_backward', (run, dy, y, { p }) => {
    if (p === 1) return (x) => sign(x) * dy;
    if (p === 2) return (x) => (y === 0 ? 0 : x * (dy / y));
    if (p === Infinity) {
      const ties = sumOf(run, (x) => (Math.abs(x) === y ? 1 : 0));
      return (x) => (Math.abs(x) === y ? (sign(x) * dy) / ties : 0);
    }
    return (x) => (x === 0 ? 0 : Math.sign(x) * Math.abs(x / y) ** (p - 1) * dy);
  }),

  /** log(sum of exp(x)) over neighbouring axes; of nothing, and of -infinity alone, it is -infinity. */
  logsumexp: folding<ReduceAttrs>('logsumexp', {
    value(run) {
      const most = largestOf(run, (x) => x);
      return Number.isFinite(most) ? most + Math.log(sumOf(run, (x) => Math.exp(x - most))) : most;
    },
    flops: 8,
    gradient: ({ inputs: [x], output, dy, attrs, emit }) => [
      emit('logsumexp_backward', [dy, x, output], attrs),
    ],
  }),
  /** dy exp(x - y): the share of a term. NaN where x and y are infinite, as in PyTorch. */
  logsumexp_backward: back<ReduceAttrs>('logsumexp_backward', (_, dy, y) => (x) => Math.exp(x - y) * dy),

  /** Sum of (x - mean)^2 over neighbouring axes, divided by the number of terms less the correction. */
  variance: folding<VarianceAttrs>('variance', {
    value: (run, { correction }) => variance(run, correction),
    check: checkCorrection('variance'),
    flops: 5,
    gradient: (context) => {
      const { inputs, attrs, emit } = context;
      const shares = spread(emit, shared(context, 2), attrs.axes, inputs[0].shape);
      return [emit('mul', [centered(context), shares])];
    },
  }),
  /** The square root of the variance; its gradient is 0 where it is. */
  std: folding<VarianceAttrs>('std', {
    value: (run, { correction }) => Math.sqrt(variance(run, correction)),
    check: checkCorrection('std'),
    flops: 5,
    gradient: (context) => {
      const { output, attrs, emit } = context;
      const { axes, keepDims } = attrs;
      const operands = [shared(context, 1), centered(context), output];
      return [emit('norm_backward', operands, { axes, keepDims, p: 2 })];
    },
  }),
};
