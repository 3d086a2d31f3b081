import { type Check, check, either, flag, listOf, real, whole } from '../core/checks.ts';
import { type Checks, optionsOf } from '../core/options.ts';
import { MAX_RANK, normalizeAxis, sizeOf } from '../core/shape.ts';
import type { Tensor } from '../graph/trace.ts';
import type { OpName } from '../ops/index.ts';
import { atOnce, inRuns } from '../ops/symbolic.ts';
import { apply, emitter, type Operand, resolve, tracerOf } from './apply.ts';
import { scale } from './elementwise.ts';
import { reshape, transpose } from './layout.ts';

/** Which axes go, and how. */
export interface ReduceOptions {
  /** Axes to reduce, negative ones counted from the end; all of them if not given. */
  readonly axes?: number | readonly number[];
  /** Keep reduced axes with size 1. */
  readonly keepDims?: boolean;
}

/** Options of variance() and std(). */
export interface VarianceOptions extends ReduceOptions {
  /** What is taken from the number of terms before the sum of squares is divided by it: 1 if not given (Bessel), 0 for the biased one. */
  readonly correction?: number;
}

/** Options of norm(). */
export interface NormOfOptions extends ReduceOptions {
  /** The power, above 0; Infinity for the largest absolute value. 2 if not given. */
  readonly p?: number;
}

/** Options of argmax() and argmin(). */
export interface PositionOptions {
  /** The axis along which to look, from the end if negative; the last if not given. */
  readonly axis?: number;
  /** Keep the axis with size 1. */
  readonly keepDims?: boolean;
}

export const axisCheck: Check = whole(-MAX_RANK, MAX_RANK - 1);
const reduceChecks = { axes: either(axisCheck, listOf(axisCheck)), keepDims: flag };
const power = check('a number above 0', (p) => typeof p === 'number' && p > 0);

/** Over any axes, with options besides; how those that are not neighbours go. */
interface How<O extends ReduceOptions> {
  readonly op: OpName;
  readonly over: typeof inRuns;
  readonly checks: Checks<Omit<O, keyof ReduceOptions>>;
  attrs(options: O): object;
  /** One term is what it is. */
  readonly ofOne?: 'itself';
}

function reduction<O extends ReduceOptions>(name: string, { op, over, checks, attrs, ofOne }: How<O>) {
  const read = optionsOf<O>(name, { ...reduceChecks, ...checks } as unknown as Checks<O>);
  return (x: Operand, given?: O): Tensor => {
    const options = read(given);
    const tracer = tracerOf(name, [x]);
    const t = resolve(tracer, x);
    const axes = reducedAxes(name, t, options.axes);
    if (axes.length === 0 && ofOne) return t;
    if (axes.length === 0) {
      const each = reshape(t, [sizeOf(t.shape), 1]);
      return reshape(tracer.apply(op, [each], { ...attrs(options), axes: [1], keepDims: false }), t.shape);
    }
    return over(emitter(tracer), op, t, axes, options.keepDims ?? false, attrs(options)) as Tensor;
  };
}

const plain = (op: OpName, over: typeof inRuns) =>
  reduction<ReduceOptions>(op, { op, over, checks: {}, attrs: () => ({}), ofOne: 'itself' });
const counting = (name: string, op: OpName) =>
  reduction<ReduceOptions>(name, { op, over: atOnce, checks: {}, attrs: () => ({}) });

function reducedAxes(name: string, t: Tensor, axes: ReduceOptions['axes']): number[] {
  if (axes === undefined) return t.shape.map((_, i) => i);
  return (typeof axes === 'number' ? [axes] : [...axes]).map((a) => normalizeAxis(a, t.shape.length, name));
}

/** Sum over axes; f32. The sum of nothing is 0. */
export const sum = plain('sum', inRuns);
/** Greatest element over axes, of f32, i32 or u8, in that type. Equals share the gradient evenly. Throws 'shape_mismatch' where there is nothing. */
export const max = plain('max', atOnce);
/** Smallest element over axes, of f32, i32 or u8, in that type. Equals share the gradient evenly. Throws 'shape_mismatch' where there is nothing. */
export const min = plain('min', atOnce);
/** Product over axes; f32, of nothing it is 1. Its gradient is right where factors are 0. */
export const prod = plain('prod', inRuns);
/** log(sum of exp(x)) over axes, without overflow; f32. Of -infinity alone, and of nothing, it is -infinity. */
export const logsumexp = plain('logsumexp', inRuns);

const checkMean = optionsOf<ReduceOptions>('mean', reduceChecks);

/** Mean over axes; f32. The mean of nothing is NaN. */
export function mean(x: Operand, given?: ReduceOptions): Tensor {
  const options = checkMean(given);
  const t = resolve(tracerOf('mean', [x]), x);
  const axes = [...new Set(reducedAxes('mean', t, options.axes))].sort((a, b) => a - b);
  if (axes.length === 0) return t;
  if (axes.every((a, i) => a === axes[0] + i))
    return apply('mean', [t], { axes, keepDims: options.keepDims ?? false });
  const count = axes.reduce((product, a) => product * t.shape[a], 1);
  return scale(sum(t, options), 1 / count);
}

const spreading = (op: 'variance' | 'std') =>
  reduction<VarianceOptions>(op, {
    op,
    over: atOnce,
    checks: { correction: real() },
    attrs: ({ correction = 1 }) => ({ correction }),
  });

/**
 * Sum of squared distances from the mean over axes, divided by max(0, terms - correction), as torch.var; f32. One term less
 * the correction 1 gives NaN.
 */
export const variance = spreading('variance');
/** Square root of the variance over axes, as torch.std; f32. Its gradient is 0 where it is. */
export const std = spreading('std');

const powers = (over: typeof inRuns) =>
  reduction<NormOfOptions>('norm', {
    op: 'norm',
    over,
    checks: { p: power },
    attrs: ({ p = 2 }) => ({ p }),
  });
const [normInRuns, normAtOnce] = [powers(inRuns), powers(atOnce)];

/**
 * (sum of abs(x)^p)^(1/p) over axes, as torch.linalg.vector_norm; f32. Sizes that f32 holds don't overflow on the way. The gradient is 0 at 0.
 */
export const norm = (x: Operand, options?: NormOfOptions): Tensor =>
  (options?.p === Infinity ? normAtOnce : normInRuns)(x, options);

/** 1 where any element over axes is not 0, as u8 (torch.any); of f32, i32 or u8. NaN is not 0. */
export const any = counting('any', 'any');
/** 1 where no element over axes is 0, as u8 (torch.all); of f32, i32 or u8. */
export const all = counting('all', 'all');
/** How many elements over axes are not 0, as i32; of f32, i32 or u8. */
export const countNonzero = counting('countNonzero', 'count_nonzero');

/** A function of the last axis, along another one: that is swapped with the last, and back where it is still there. */
export function alongLast(t: Tensor, axis: number, of: (t: Tensor) => Tensor[]): Tensor[] {
  const last = t.shape.length - 1;
  if (axis === last) return of(t);
  const perm = t.shape.map((_, i) => (i === axis ? last : i === last ? axis : i));
  return of(transpose(t, perm)).map((y) => transpose(y, perm));
}

function position(name: 'argmax' | 'argmin') {
  const read = optionsOf<PositionOptions>(name, { axis: axisCheck, keepDims: flag });
  return (x: Operand, options?: PositionOptions): Tensor => {
    const { axis = -1, keepDims = false } = read(options);
    const t = resolve(tracerOf(name, [x]), x);
    const at = normalizeAxis(axis, t.shape.length, name);
    const shape = t.shape.flatMap((n, i) => (i === at ? (keepDims ? [1] : []) : [n]));
    // With its axis kept for the way back.
    const [found] = alongLast(t, at, (rows) => {
      const y = apply(name, [rows]);
      return [reshape(y, [...y.shape, 1])];
    });
    return reshape(found, shape);
  };
}

/** Position of the largest along an axis of f32, i32 or u8, as i32: the first of equals, the first NaN if there is one. */
export const argmax = position('argmax');
/** Position of the smallest along an axis of f32, i32 or u8, as i32: the first of equals, the first NaN if there is one. */
export const argmin = position('argmin');
