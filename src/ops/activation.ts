import { fail } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import { expectInputs, expectSameShape } from './check.ts';
import { erf } from './erf.ts';
import { type Op, op } from './op.ts';

/** A scalar function and its derivative, from which the rows `name` and `name_backward` are made. */
interface Activation<A extends object> {
  readonly f: (x: number, attrs: A) => number;
  /** Derivative times dy, given what `saved` names. */
  readonly df: (dy: number, saved: number, attrs: A) => number;
  /** What the derivative is computed from. 'output' lets the activation be fused into a product when training. */
  readonly saved: 'input' | 'output';
  readonly flops: number;
  readonly check?: (attrs: A) => void;
  /** The one number that its kernels are told; 0 if not given. */
  readonly parameter?: (attrs: A) => number;
  /** Which kernel computes it, where its attributes decide that; one of its own name if not given. */
  readonly kernel?: (attrs: A) => ActivationKernel;
}

/** A function of one number as kernels know it. */
export type ActivationKernel = ActivationName | 'gelu_tanh';

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
const GELU_CUBIC = 0.044715;

export interface GeluAttrs {
  readonly approximate: 'none' | 'tanh';
}

/** Gaussian Error Linear Unit (Hendrycks & Gimpel 2016): x * Phi(x), or its tanh approximation. */
const gelu: Activation<GeluAttrs> = {
  saved: 'input',
  flops: 12,
  kernel: ({ approximate }) => (approximate === 'tanh' ? 'gelu_tanh' : 'gelu'),
  check: ({ approximate }) => {
    if (approximate !== 'none' && approximate !== 'tanh')
      fail('invalid_argument', `gelu: approximate is '${approximate}', expected 'none' or 'tanh'`);
  },
  f: (x, { approximate }) => {
    if (Math.abs(x) === Infinity) return x > 0 ? x : -0;
    if (approximate === 'none') return 0.5 * x * (1 + erf(x * Math.SQRT1_2));
    return 0.5 * x * (1 + Math.tanh(SQRT_2_OVER_PI * (x + GELU_CUBIC * x ** 3)));
  },
  df: (dy, x, { approximate }) => {
    if (Math.abs(x) === Infinity) return x > 0 ? dy : 0 * dy;
    if (approximate === 'none') {
      const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
      return dy * (0.5 * (1 + erf(x * Math.SQRT1_2)) + x * density);
    }
    const t = Math.tanh(SQRT_2_OVER_PI * (x + GELU_CUBIC * x ** 3));
    return dy * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * SQRT_2_OVER_PI * (1 + 3 * GELU_CUBIC * x * x));
  },
};

export interface LeakyReluAttrs {
  readonly slope: number;
}

export interface EluAttrs {
  readonly alpha: number;
}

/**
 * The scalar functions. At x = 0 (and where a formula has a kink) derivatives are PyTorch's.
 * NaN gives NaN; at infinity each function gives its limit.
 */
export const activations = {
  relu: {
    saved: 'output',
    flops: 1,
    f: (x) => Math.max(x, 0),
    df: (dy, y) => (y <= 0 ? 0 : dy),
  } satisfies Activation<object>,
  leaky_relu: {
    saved: 'output',
    flops: 2,
    parameter: ({ slope }) => slope,
    check: ({ slope }) => {
      if (!(slope >= 0 && slope < Infinity))
        fail('out_of_range', `leaky_relu: slope is ${slope}, expected a finite number from 0`);
    },
    f: (x, { slope }) => (x <= 0 ? x * slope : x),
    df: (dy, y, { slope }) => (y <= 0 ? dy * slope : dy),
  } satisfies Activation<LeakyReluAttrs>,
  /** x where x > 0, else alpha * (exp(x) - 1) (Clevert et al. 2016) */
  elu: {
    // From the input: alpha + y cancels where y is near -alpha, and keeps nothing of a small exp(x).
    saved: 'input',
    flops: 8,
    parameter: ({ alpha }) => alpha,
    check: ({ alpha }) => {
      if (!(alpha > 0 && alpha < Infinity))
        fail('out_of_range', `elu: alpha is ${alpha}, expected a finite number above 0`);
    },
    f: (x, { alpha }) => (x <= 0 ? alpha * Math.expm1(x) : x),
    df: (dy, x, { alpha }) => (x <= 0 ? dy * (alpha * Math.exp(x)) : dy),
  } satisfies Activation<EluAttrs>,
  gelu,
  /** x * sigmoid(x), also called swish. */
  silu: {
    saved: 'input',
    flops: 6,
    f: (x) => (x === -Infinity ? -0 : x * sigmoid(x)),
    df: (dy, x) => {
      if (Math.abs(x) === Infinity) return x > 0 ? dy : 0 * dy;
      const s = sigmoid(x);
      return dy * s * (1 + x * (1 - s));
    },
  } satisfies Activation<object>,
  sigmoid: {
    saved: 'output',
    flops: 5,
    f: sigmoid,
    df: (dy, y) => dy * y * (1 - y),
  } satisfies Activation<object>,
  tanh: {
    saved: 'output',
    flops: 8,
    f: Math.tanh,
    df: (dy, y) => dy * (1 - y * y),
  } satisfies Activation<object>,
  /** log(1 + exp(x)) */
  softplus: {
    saved: 'input',
    flops: 10,
    f: softplus,
    df: (dy, x) => dy * sigmoid(x),
  } satisfies Activation<object>,
  /** x / (1 + |x|) */
  softsign: {
    saved: 'input',
    flops: 3,
    f: (x) => (Math.abs(x) === Infinity ? Math.sign(x) : x / (1 + Math.abs(x))),
    df: (dy, x) => dy / (1 + Math.abs(x)) ** 2,
  } satisfies Activation<object>,
  /** x * clamp(x + 3, 0, 6) / 6 (Howard et al. 2019) */
  hardswish: {
    saved: 'input',
    flops: 5,
    f: (x) => (x <= -3 ? 0 : x >= 3 ? x : (x * (x + 3)) / 6),
    df: (dy, x) => (x <= -3 ? 0 : x >= 3 ? dy : (dy * (2 * x + 3)) / 6),
  } satisfies Activation<object>,
};

/** Activations that can be fused into a product, by their op's name. */
export type ActivationName = keyof typeof activations;
export const activationNames = Object.keys(activations) as ActivationName[];

/** An activation as an attribute of another op (see matmul). */
export interface ActivationRef {
  readonly name: ActivationName;
  readonly attrs: object;
}

/** An activation of the table, its attributes untyped. */
const entryOf = (name: ActivationName) => activations[name] as Activation<object>;

/** The kernel that computes an activation, and the number that it is told. */
export function activationKernel({ name, attrs }: ActivationRef) {
  const { kernel, parameter } = entryOf(name);
  return { kernel: kernel?.(attrs) ?? name, parameter: parameter?.(attrs) ?? 0 };
}

/** The activation's function on one number, with its attributes checked. */
export function activationFunction({ name, attrs }: ActivationRef): (x: number) => number {
  const { f, check } = entryOf(name);
  check?.(attrs);
  return (x) => f(x, attrs);
}

/** The derivative times dy, given what the activation saved, with its attributes checked. */
export function activationDerivative({ name, attrs }: ActivationRef): (dy: number, saved: number) => number {
  const { df, check } = entryOf(name);
  check?.(attrs);
  return (dy, saved) => df(dy, saved, attrs);
}

function forwardRow<A extends object>(name: ActivationName, a: Activation<A>): Op<A> {
  return op<A>({
    fuses: 'activation',
    permuted: (attrs) => attrs,
    infer(inputs, attrs) {
      expectInputs(name, inputs, ['f32']);
      a.check?.(attrs);
      return inputs[0];
    },
    reference([x], y, attrs) {
      for (let i = 0; i < y.data.length; i++) y.data[i] = a.f(x.data[i], attrs);
    },
    flops: (_, y) => a.flops * sizeOf(y.shape),
    gradient: ({ inputs, output, dy, attrs, emit }) => [
      emit(`${name}_backward`, [dy, a.saved === 'input' ? inputs[0] : output], attrs),
    ],
  });
}

/** name_backward(dy, saved): saved is the activation's input or output, as its `saved` says. */
function backwardRow<A extends object>(name: ActivationName, a: Activation<A>): Op<A> {
  return op<A>({
    derivativeOf: name,
    permuted: (attrs) => attrs,
    infer(inputs, attrs) {
      expectInputs(`${name}_backward`, inputs, ['f32', 'f32']);
      expectSameShape(`${name}_backward`, inputs[0], inputs[1]);
      a.check?.(attrs);
      return inputs[0];
    },
    reference([dy, saved], y, attrs) {
      for (let i = 0; i < y.data.length; i++) y.data[i] = a.df(dy.data[i], saved.data[i], attrs);
    },
    flops: (_, y) => 2 * a.flops * sizeOf(y.shape),
  });
}

type ActivationRows = {
  [N in ActivationName as N | `${N}_backward`]: (typeof activations)[N] extends Activation<infer A>
    ? Op<A>
    : never;
};

export const activationRows = Object.fromEntries(
  activationNames.flatMap((name) => {
    const a = entryOf(name);
    return [
      [name, forwardRow(name, a)],
      [`${name}_backward`, backwardRow(name, a)],
    ];
  }),
) as ActivationRows;
