import { fail } from '../core/errors.ts';
import { erf } from './erf.ts';

/** How far a backend may be from a function: units in the last place, and absolutely. docs/NUMERICS.md promises it. */
export interface Closeness {
  readonly ulps: number;
  readonly abs?: number;
}

/** A scalar function and its derivative, from which the rows `name` and `name_backward` are made. */
export interface Activation<A extends object> {
  /** Its number in records, kept for good: frozen files hold it. */
  readonly number: number;
  readonly f: (x: number, attrs: A) => number;
  /** Derivative times dy, given what `saved` names. */
  readonly df: (dy: number, saved: number, attrs: A) => number;
  /** What the derivative is computed from. 'output' lets the activation be fused into a product when training. */
  readonly saved: 'input' | 'output';
  readonly flops: number;
  readonly bound: Closeness;
  /** Of the derivative; the absolute part is times dy. */
  readonly slopeBound: Closeness;
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
  number: 3,
  saved: 'input',
  flops: 12,
  bound: { ulps: 20, abs: 1.5e-6 },
  slopeBound: { ulps: 8, abs: 2e-6 },
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
    number: 1,
    saved: 'output',
    flops: 1,
    bound: { ulps: 0 },
    slopeBound: { ulps: 0 },
    f: (x) => Math.max(x, 0),
    df: (dy, y) => (y <= 0 ? 0 : dy),
  } satisfies Activation<object>,
  leaky_relu: {
    number: 2,
    saved: 'output',
    flops: 2,
    bound: { ulps: 1 },
    slopeBound: { ulps: 1 },
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
    number: 10,
    // From the input: alpha + y cancels where y is near -alpha, and keeps nothing of a small exp(x).
    saved: 'input',
    flops: 8,
    bound: { ulps: 4 },
    slopeBound: { ulps: 6, abs: 2.4e-38 },
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
    number: 5,
    saved: 'input',
    flops: 6,
    bound: { ulps: 8, abs: 1e-7 },
    slopeBound: { ulps: 8, abs: 1e-6 },
    f: (x) => (x === -Infinity ? -0 : x * sigmoid(x)),
    df: (dy, x) => {
      if (Math.abs(x) === Infinity) return x > 0 ? dy : 0 * dy;
      const s = sigmoid(x);
      return dy * s * (1 + x * (1 - s));
    },
  } satisfies Activation<object>,
  sigmoid: {
    number: 6,
    saved: 'output',
    flops: 5,
    bound: { ulps: 8 },
    slopeBound: { ulps: 8 },
    f: sigmoid,
    df: (dy, y) => dy * y * (1 - y),
  } satisfies Activation<object>,
  tanh: {
    number: 7,
    saved: 'output',
    flops: 8,
    bound: { ulps: 8, abs: 1e-7 },
    slopeBound: { ulps: 4, abs: 1e-6 },
    f: Math.tanh,
    df: (dy, y) => dy * (1 - y * y),
  } satisfies Activation<object>,
  /** log(1 + exp(x)) */
  softplus: {
    number: 8,
    saved: 'input',
    flops: 10,
    bound: { ulps: 8, abs: 1e-7 },
    slopeBound: { ulps: 8, abs: 1e-7 },
    f: softplus,
    df: (dy, x) => dy * sigmoid(x),
  } satisfies Activation<object>,
  /** x / (1 + |x|) */
  softsign: {
    number: 11,
    saved: 'input',
    flops: 3,
    bound: { ulps: 4 },
    slopeBound: { ulps: 8 },
    f: (x) => (Math.abs(x) === Infinity ? Math.sign(x) : x / (1 + Math.abs(x))),
    df: (dy, x) => dy / (1 + Math.abs(x)) ** 2,
  } satisfies Activation<object>,
  /** x * clamp(x + 3, 0, 6) / 6 (Howard et al. 2019) */
  hardswish: {
    number: 9,
    saved: 'input',
    flops: 5,
    bound: { ulps: 4, abs: 1e-7 },
    slopeBound: { ulps: 4, abs: 1e-6 },
    f: (x) => (x <= -3 ? 0 : x >= 3 ? x : (x * (x + 3)) / 6),
    df: (dy, x) => (x <= -3 ? 0 : x >= 3 ? dy : (dy * (2 * x + 3)) / 6),
  } satisfies Activation<object>,
  /** min(max(x, 0), 6) (Krizhevsky 2010) */
  relu6: {
    number: 12,
    saved: 'output',
    flops: 2,
    bound: { ulps: 0 },
    slopeBound: { ulps: 0 },
    f: (x) => Math.min(Math.max(x, 0), 6),
    df: (dy, y) => (y <= 0 || y >= 6 ? 0 : dy),
  } satisfies Activation<object>,
  /** clamp(x + 3, 0, 6) / 6 */
  hardsigmoid: {
    number: 13,
    saved: 'output',
    flops: 4,
    bound: { ulps: 2, abs: 6e-8 },
    slopeBound: { ulps: 2 },
    f: (x) => Math.min(Math.max(x + 3, 0), 6) / 6,
    df: (dy, y) => (y <= 0 || y >= 1 ? 0 : dy / 6),
  } satisfies Activation<object>,
  /** x * tanh(softplus(x)) (Misra 2019) */
  mish: {
    number: 14,
    saved: 'input',
    flops: 16,
    bound: { ulps: 8, abs: 1e-7 },
    slopeBound: { ulps: 8, abs: 1e-6 },
    f: (x) => (x === -Infinity ? -0 : x * Math.tanh(softplus(x))),
    df: (dy, x) => {
      if (Math.abs(x) === Infinity) return x > 0 ? dy : 0 * dy;
      const t = Math.tanh(softplus(x));
      return dy * (t + x * sigmoid(x) * (1 - t * t));
    },
  } satisfies Activation<object>,
};

/** Activations that can be fused into a product, by their op's name. */
export type ActivationName = keyof typeof activations;
export const activationNames = Object.keys(activations) as ActivationName[];
