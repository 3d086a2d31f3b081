import { fail } from '../core/errors.ts';
import type { Closeness } from './activation-table.ts';
import { erf } from './erf.ts';
import type { GradientContext, Sym } from './op.ts';
import { scalar } from './symbolic.ts';

type Context<A> = GradientContext<A> & { readonly x: Sym };

/** A function of one number, from which a row is made. Its gradient is written with other ops. */
export interface Unary<A extends object = object> {
  /** Its number in records, kept for good: frozen files hold it. */
  readonly number: number;
  readonly f: (x: number, attrs: A) => number;
  readonly flops: number;
  readonly bound: Closeness;
  /** The gradient of x; a function without one is constant between its steps. */
  readonly gradient?: (c: Context<A>) => Sym;
  readonly check?: (attrs: A) => void;
  /** The two numbers that its kernels are told; 0 if not given. */
  readonly parameters?: (attrs: A) => readonly [number, number];
  /** Eight bits of x say too little of the result: quantized models compute it in f32. */
  readonly steep?: boolean;
  /** Whole numbers stay the numbers that they are. */
  readonly keepsWhole?: boolean;
}

/** Half to even, as IEEE 754 rounds and as PyTorch and ONNX do. */
function roundHalfToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest === 0.5) return floor % 2 === 0 ? floor : floor + 1;
  return Math.round(x);
}

const { exp, sinh, cosh } = Math;

/** Bounds of `clip`; one that is not given does not bind. At a bound there is no gradient. */
export interface ClipAttrs {
  readonly min?: number;
  readonly max?: number;
}

const clip: Unary<ClipAttrs> = {
  number: 13,
  flops: 2,
  bound: { ulps: 0 },
  check: ({ min = -Infinity, max = Infinity }) => {
    if (Number.isNaN(min) || Number.isNaN(max))
      fail('out_of_range', `clip: got the bounds ${min} and ${max}, expected numbers`);
  },
  parameters: ({ min = -Infinity, max = Infinity }) => [min, max],
  // Where min is above max everything becomes max, as in PyTorch.
  f: (x, { min = -Infinity, max = Infinity }) => Math.min(Math.max(x, Math.fround(min)), Math.fround(max)),
  gradient: ({ dy, x, emit, attrs: { min, max } }) => {
    const zero = scalar(emit, 0);
    const low = min === undefined ? undefined : emit('lt', [scalar(emit, min), x]);
    const high = max === undefined ? undefined : emit('lt', [x, scalar(emit, max)]);
    const inside = low && high ? emit('logical_and', [low, high]) : (low ?? high);
    return inside ? emit('where', [inside, dy, zero]) : dy;
  },
};

/** dy * slope, or with `factor` that much of it. */
const times = ({ emit, dy }: Context<object>, slope: Sym, factor = 1): Sym => {
  const product = emit('mul', [dy, slope]);
  return factor === 1 ? product : emit('scale', [product], { factor });
};

const plain = {
  abs: {
    ...{ number: 0, f: Math.abs, flops: 1, bound: { ulps: 0 }, keepsWhole: true },
    gradient: (c) => times(c, c.emit('sign', [c.x])),
  },
  /** -1, 0 or 1; NaN stays. */
  sign: { number: 1, f: (x) => (x === 0 ? 0 : Math.sign(x)), flops: 1, bound: { ulps: 0 } },
  floor: { number: 2, f: Math.floor, flops: 1, bound: { ulps: 0 }, keepsWhole: true },
  ceil: { number: 3, f: Math.ceil, flops: 1, bound: { ulps: 0 }, keepsWhole: true },
  round: { number: 4, f: roundHalfToEven, flops: 1, bound: { ulps: 0 }, keepsWhole: true },
  trunc: { number: 5, f: Math.trunc, flops: 1, bound: { ulps: 0 }, keepsWhole: true },
  sqrt: {
    ...{ number: 6, f: Math.sqrt, steep: true, flops: 4, bound: { ulps: 5 } },
    gradient: (c) => c.emit('scale', [c.emit('div', [c.dy, c.output])], { factor: 0.5 }),
  },
  /** 1 / sqrt(x) */
  rsqrt: {
    ...{ number: 7, f: (x) => 1 / Math.sqrt(x), steep: true, flops: 8, bound: { ulps: 4 } },
    // One factor after the other: the cube of the output may be beyond f32 where dy is small.
    gradient: (c) => {
      const { emit, output } = c;
      return emit('mul', [emit('mul', [times(c, output, -0.5), output]), output]);
    },
  },
  exp: {
    ...{ number: 8, f: exp, steep: true, flops: 8, bound: { ulps: 4 } },
    gradient: (c) => times(c, c.output),
  },
  /** e^x - 1, with all digits near 0. */
  expm1: {
    ...{ number: 9, f: Math.expm1, steep: true, flops: 9, bound: { ulps: 4 } },
    gradient: (c) => times(c, c.emit('exp', [c.x])),
  },
  log: {
    ...{ number: 10, f: Math.log, steep: true, flops: 10, bound: { ulps: 4 } },
    gradient: ({ emit, dy, x }) => emit('div', [dy, x]),
  },
  /** log(1 + x), with all digits near 0. */
  log1p: {
    ...{ number: 11, f: Math.log1p, steep: true, flops: 12, bound: { ulps: 5 } },
    gradient: ({ emit, dy, x }) => emit('div', [dy, emit('add', [x, scalar(emit, 1)])]),
  },
  /** The error function. */
  erf: {
    ...{ number: 12, f: erf, flops: 14, bound: { ulps: 8, abs: 2e-7 } },
    gradient: (c) => {
      const { emit, x } = c;
      const density = emit('exp', [emit('scale', [emit('mul', [x, x])], { factor: -1 })]);
      return times(c, density, 2 / Math.sqrt(Math.PI));
    },
  },
  sin: {
    ...{ number: 14, f: Math.sin, flops: 12, bound: { ulps: 3, abs: 1e-37 } },
    gradient: (c) => times(c, c.emit('cos', [c.x])),
  },
  cos: {
    ...{ number: 15, f: Math.cos, flops: 12, bound: { ulps: 3, abs: 1e-37 } },
    gradient: (c) => times(c, c.emit('sin', [c.x]), -1),
  },
  /** The angle whose tangent is x, between -pi / 2 and pi / 2. */
  atan: {
    ...{ number: 16, f: Math.atan, flops: 12, bound: { ulps: 4 } },
    gradient: ({ emit, dy, x }) => emit('div', [dy, emit('add', [emit('mul', [x, x]), scalar(emit, 1)])]),
  },
  sinh: {
    ...{ number: 17, f: sinh, steep: true, flops: 12, bound: { ulps: 8 } },
    gradient: (c) => times(c, c.emit('cosh', [c.x])),
  },
  cosh: {
    ...{ number: 18, f: cosh, steep: true, flops: 12, bound: { ulps: 8 } },
    gradient: (c) => times(c, c.emit('sinh', [c.x])),
  },
} satisfies Record<string, Unary>;

/** Functions of one number. Derivatives are PyTorch's; NaN gives NaN. */
export const unaries = { ...plain, clip };

export type UnaryName = keyof typeof unaries;
export const unaryNames = Object.keys(unaries) as UnaryName[];

/** A function of the table, its attributes untyped. */
export const unaryOf = (name: UnaryName) => unaries[name] as Unary;
