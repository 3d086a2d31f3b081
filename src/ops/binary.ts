import { fail } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import { commonShape, forEachOf } from './broadcast.ts';
import { expectInputs, showType } from './check.ts';
import { type GradientContext, type Op, op, type Sym } from './op.ts';
import { scalar, unbroadcast } from './symbolic.ts';

type Context = GradientContext<object>;

/** A function of two numbers, from which a row is made. */
interface Binary {
  readonly f: (a: number, b: number) => number;
  /** The gradient of operand i, of the output's shape; undefined where it has none. */
  readonly gradient: (c: Context, i: 0 | 1) => Sym | undefined;
  readonly flops?: number;
  readonly fuses?: 'bias';
  readonly integers?: 'sum' | 'difference';
  /** The same of two i32, which wraps around as theirs do. */
  readonly whole?: (a: number, b: number) => number;
}

const negative = ({ emit }: Context, x: Sym) => emit('scale', [x], { factor: -1 });

/** dy goes to the operand that was taken, and half of it to each where they are equal; to both where one is NaN. */
const taken = ({ emit, dy, inputs: [a, b] }: Context, wins: (a: Sym, b: Sym) => readonly Sym[], i: 0 | 1) => {
  const shared = emit('where', [emit('eq', [a, b]), emit('scale', [dy], { factor: 0.5 }), dy]);
  const lost = emit('lt', i === 0 ? wins(a, b) : wins(b, a));
  return emit('where', [lost, scalar(emit, 0), shared]);
};

/** a^b is b a^(b - 1) times as steep in a, and log a times in b; PyTorch's values where those are no numbers. */
function slopeOfPow({ emit, dy, inputs: [a, b], output }: Context, i: 0 | 1): Sym {
  const zero = scalar(emit, 0);
  if (i === 0) {
    const power = emit('pow', [a, emit('sub', [b, scalar(emit, 1)])]);
    const slope = emit('mul', [dy, emit('mul', [b, power])]);
    return emit('where', [emit('eq', [b, zero]), zero, slope]);
  }
  const slope = emit('mul', [dy, emit('mul', [output, emit('log', [a])])]);
  const flat = emit('logical_and', [emit('eq', [a, zero]), emit('le', [zero, b])]);
  return emit('where', [flat, zero, slope]);
}

/** dy times the other leg, over the square of the hypotenuse; 0 at (0, 0), as PyTorch has it. */
function slopeOfAtan2(c: Context, i: 0 | 1): Sym {
  const { emit, dy, inputs } = c;
  const [a, b] = inputs;
  const squares = emit('add', [emit('mul', [a, a]), emit('mul', [b, b])]);
  const zero = scalar(emit, 0);
  const slope = emit('div', [emit('mul', [dy, inputs[1 - i]]), squares]);
  return emit('where', [emit('eq', [squares, zero]), zero, i === 0 ? slope : negative(c, slope)]);
}

const binaries = {
  add: {
    ...{ f: (a, b) => a + b, whole: (a, b) => (a + b) | 0 },
    ...{ fuses: 'bias', integers: 'sum' },
    gradient: (c) => c.dy,
  },
  sub: {
    ...{ f: (a, b) => a - b, whole: (a, b) => (a - b) | 0, integers: 'difference' },
    gradient: (c, i) => (i === 0 ? c.dy : negative(c, c.dy)),
  },
  mul: {
    ...{ f: (a, b) => a * b, whole: Math.imul },
    gradient: (c, i) => c.emit('mul', [c.dy, c.inputs[1 - i]]),
  },
  div: {
    f: (a, b) => a / b,
    gradient: (c, i) => {
      const [, b] = c.inputs;
      if (i === 0) return c.emit('div', [c.dy, b]);
      // dy * ((a / b) / b): dy / b is infinite for a tiny b, and would make NaN of a quotient of 0.
      return negative(c, c.emit('mul', [c.dy, c.emit('div', [c.output, b])]));
    },
  },
  /** The larger of both, NaN if either is. */
  maximum: {
    ...{ f: Math.max, whole: Math.max },
    gradient: (c, i) => taken(c, (own, other) => [own, other], i),
  },
  /** The smaller of both, NaN if either is. */
  minimum: {
    ...{ f: Math.min, whole: Math.min },
    gradient: (c, i) => taken(c, (own, other) => [other, own], i),
  },
  /** a^b as C and PyTorch have it: 1^b and a^0 are 1 whatever the other is. */
  pow: {
    ...{ f: (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b), flops: 20 },
    gradient: slopeOfPow,
  },
  /** What is left of a after as many whole b as go into it; of the sign of a. */
  fmod: {
    ...{ f: (a, b) => a % b, flops: 8 },
    gradient: (c, i) => {
      const { emit, dy, inputs } = c;
      return i === 0 ? dy : negative(c, emit('mul', [dy, emit('trunc', [emit('div', [...inputs])])]));
    },
  },
  /** The angle of the point (b, a), between -pi and pi. */
  atan2: { ...{ f: Math.atan2, flops: 16 }, gradient: slopeOfAtan2 },
} satisfies Record<string, Binary>;

export type BinaryName = keyof typeof binaries;
export const binaryNames = Object.keys(binaries) as BinaryName[];

function row(name: BinaryName): Op {
  const { f, gradient, flops = 1, fuses, integers, whole } = binaries[name] as Binary;
  return op({
    ...{ fuses, integers },
    permuted: (attrs) => attrs,
    infer(inputs) {
      expectInputs(name, inputs, [null, null]);
      const [a, b] = inputs;
      const fits = a.dtype === b.dtype && (a.dtype === 'f32' || (whole && a.dtype === 'i32'));
      if (!fits)
        fail(
          'dtype_mismatch',
          `${name}: got ${showType(a)} and ${showType(b)}, expected two tensors of f32${whole ? ', or of i32' : ''}; convert with cast()`,
        );
      return { dtype: a.dtype, shape: commonShape(name, inputs) };
    },
    reference: (inputs, y) => forEachOf(inputs, y, y.dtype === 'i32' ? whole! : f),
    flops: (_, y) => flops * sizeOf(y.shape),
    gradient: (c) =>
      ([0, 1] as const).map((i) => {
        const slope = c.output.dtype === 'f32' && c.wanted(i) ? gradient(c, i) : undefined;
        return slope && unbroadcast(c.emit, slope, c.inputs[i].shape);
      }),
  });
}

export const binary = Object.fromEntries(binaryNames.map((name) => [name, row(name)])) as Record<
  BinaryName,
  Op
>;
