import { fail } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import { expectInputs, expectSameShape } from './check.ts';
import { type Op, op } from './op.ts';

/** A loss of one element at a time: f(x, t), its derivative by x, and whether t has one (its opposite) too. */
interface ElementLoss<A extends object> {
  readonly f: (x: number, t: number, attrs: A) => number;
  readonly df: (x: number, t: number, attrs: A) => number;
  readonly symmetric?: boolean;
  /** What a target may be; finite if not given. */
  readonly target?: readonly [least: number, most: number];
  /** An attribute that has to be a finite number, and above 0 unless `mayBeAny`. */
  readonly parameter?: { readonly name: string & keyof A; readonly mayBeAny?: boolean };
}

function elementLoss<N extends string, A extends object = object>(name: N, l: ElementLoss<A>) {
  const [least, most] = l.target ?? [-Number.MAX_VALUE, Number.MAX_VALUE];
  const check = (attrs: A) => {
    if (!l.parameter) return;
    const { name: of, mayBeAny } = l.parameter;
    const value = attrs[of] as number;
    if (!Number.isFinite(value) || !(mayBeAny || value > 0))
      fail(
        'out_of_range',
        `${name}: ${of} is ${value}, expected a finite number${mayBeAny ? '' : ' above 0'}`,
      );
  };
  const forward = op<A>({
    domains: [{ input: 1, least, most }],
    infer(inputs, attrs) {
      expectInputs(name, inputs, ['f32', 'f32']);
      expectSameShape(name, inputs[0], inputs[1]);
      check(attrs);
      return inputs[0];
    },
    reference([x, t], y, attrs) {
      for (let i = 0; i < y.data.length; i++) y.data[i] = l.f(x.data[i], t.data[i], attrs);
    },
    flops: ([x]) => 8 * sizeOf(x.shape),
    gradient({ inputs: [x, t], dy, attrs, emit, wanted }) {
      const dx = emit(`${name}_backward`, [dy, x, t], attrs);
      if (wanted(1) && !l.symmetric)
        fail('unsupported', `${name}: the target has no gradient; make it a constant or an input`);
      return [dx, wanted(1) ? emit('scale', [dx], { factor: -1 }) : undefined];
    },
  });
  const backward = op<A>({
    infer(inputs, attrs) {
      expectInputs(`${name}_backward`, inputs, ['f32', 'f32', 'f32']);
      expectSameShape(`${name}_backward`, inputs[0], inputs[1]);
      expectSameShape(`${name}_backward`, inputs[0], inputs[2]);
      check(attrs);
      return inputs[0];
    },
    reference([dy, x, t], y, attrs) {
      for (let i = 0; i < y.data.length; i++) y.data[i] = dy.data[i] * l.df(x.data[i], t.data[i], attrs);
    },
    flops: ([x]) => 6 * sizeOf(x.shape),
  });
  return { [name]: forward, [`${name}_backward`]: backward } as Record<N | `${N}_backward`, Op<A>>;
}

export interface HuberAttrs {
  /** Where the loss turns from square to straight. */
  readonly delta: number;
}

export interface MarginAttrs {
  /** Up to where what is unlike the target costs something. */
  readonly margin: number;
}

export interface FocalAttrs {
  /** How much less what is nearly right counts. */
  readonly gamma: number;
}

export interface RateAttrs {
  /** What is added to a rate, so that 0 has a logarithm. */
  readonly eps: number;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
/** log(1 + e^x), which neither overflows nor cancels. */
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
/** A share of something; none of it is 0, of an infinity too. */
const share = (part: number, of: number) => (part === 0 && !Number.isNaN(of) ? 0 : part * of);
/** Binary cross-entropy of a logit. */
const logistic = (x: number, t: number) =>
  share(x > 0 ? 1 - t : t, Math.abs(x)) + Math.log1p(Math.exp(-Math.abs(x)));
/** A logarithm that is -100 at least, as in PyTorch, so that a chance of 0 is a large loss and not an infinite one. */
const boundedLog = (log: number) => (log < -100 ? -100 : log);

export const elementLosses = {
  /** (x - t)^2 for each element. */
  ...elementLoss('mse', {
    symmetric: true,
    f: (x, t) => (x - t) ** 2,
    df: (x, t) => 2 * (x - t),
  }),

  /**
   * Binary cross-entropy of sigmoid(x) with targets in 0..1: (1 - t) max(x, 0) + t max(-x, 0) + log(1 + exp(-|x|)). Nothing
   * cancels, and what has no share is left out: an infinite logit on the target's side costs nothing.
   */
  ...elementLoss('bce_with_logits', {
    target: [0, 1],
    f: logistic,
    df: (x, t) => sigmoid(x) - t,
  }),

  /** Huber (1964): (x - t)^2 / 2 within delta of the target, delta * (|x - t| - delta / 2) outside. */
  ...elementLoss<'huber', HuberAttrs>('huber', {
    symmetric: true,
    parameter: { name: 'delta' },
    f: (x, t, { delta }) => {
      const d = Math.abs(x - t);
      return d <= delta ? 0.5 * d * d : delta * (d - 0.5 * delta);
    },
    df: (x, t, { delta }) => (Number.isNaN(x - t) ? x - t : Math.max(-delta, Math.min(delta, x - t))),
  }),

  /** |x - t|, whose derivative at 0 is 0. */
  ...elementLoss('l1', { symmetric: true, f: (x, t) => Math.abs(x - t), df: (x, t) => Math.sign(x - t) }),

  /** Binary cross-entropy of a chance x in 0..1, its logarithms -100 at least; the derivative is divided by 1e-12 at least (PyTorch). */
  ...elementLoss('bce', {
    target: [0, 1],
    f: (x, t) => -(t * boundedLog(Math.log(x)) + (1 - t) * boundedLog(Math.log1p(-x))),
    df: (x, t) => (x - t) / Math.max(x * (1 - x), 1e-12),
  }),

  /** t (log t - x), of a chance t and the logarithm x of one (Kullback and Leibler 1951); no share of t costs nothing. */
  ...elementLoss('kl_div', {
    target: [0, Number.MAX_VALUE],
    f: (x, t) => share(t, Math.log(t) - x),
    df: (_, t) => -t,
  }),
  /** The same of the logarithm t of a chance. */
  ...elementLoss('kl_div_log', {
    target: [-Infinity, Number.MAX_VALUE],
    f: (x, t) => share(Math.exp(t), t - x),
    df: (_, t) => -Math.exp(t),
  }),

  /** e^x - t x: of a count t, where x is the logarithm of the rate. */
  ...elementLoss('poisson_nll', {
    f: (x, t) => Math.exp(x) - t * x,
    df: (x, t) => Math.exp(x) - t,
  }),
  /** x - t log(x + eps): where x is the rate itself. */
  ...elementLoss<'poisson_nll_rate', RateAttrs>('poisson_nll_rate', {
    parameter: { name: 'eps' },
    f: (x, t, { eps }) => x - t * Math.log(x + eps),
    df: (x, t, { eps }) => 1 - t / (x + eps),
  }),

  /** A distance x: itself where t is 1, max(0, margin - x) where t is -1. */
  ...elementLoss<'hinge_embedding', MarginAttrs>('hinge_embedding', {
    parameter: { name: 'margin', mayBeAny: true },
    f: (x, t, { margin }) => (t === -1 ? 0 : x) + (t === 1 ? 0 : Math.max(0, margin - x)),
    df: (x, t, { margin }) => (t === -1 ? 0 : 1) - (t !== 1 && x <= margin ? 1 : 0),
  }),

  /** log(1 + exp(-t x)), with t 1 or -1. */
  ...elementLoss('soft_margin', {
    f: (x, t) => softplus(-t * x),
    df: (x, t) => -t * sigmoid(-t * x),
  }),

  /** Binary cross-entropy of sigmoid(x), times the chance of being wrong to the power of gamma (Lin et al. 2017, without alpha). */
  ...elementLoss<'sigmoid_focal', FocalAttrs>('sigmoid_focal', {
    target: [0, 1],
    parameter: { name: 'gamma' },
    f: (x, t, { gamma }) => wrong(x, t) ** gamma * logistic(x, t),
    df: (x, t, { gamma }) => {
      const q = wrong(x, t);
      const [p, not] = [sigmoid(x), sigmoid(-x)];
      const steeper = q === 0 ? 0 : (gamma * logistic(x, t) * p * not * (1 - 2 * t)) / q;
      return q ** gamma * (p - t + steeper);
    },
  }),
};

/** The chance that sigmoid(x) gives to what the target is not. */
function wrong(x: number, t: number): number {
  return (1 - t) * sigmoid(x) + t * sigmoid(-x);
}
