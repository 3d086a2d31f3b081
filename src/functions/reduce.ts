import { either, flag, listOf, whole } from '../core/checks.ts';
import { optionsOf } from '../core/options.ts';
import { MAX_RANK, normalizeAxis } from '../core/shape.ts';
import type { Tensor } from '../graph/trace.ts';
import { maxAxes, sumAxes } from '../ops/symbolic.ts';
import { apply, emitter, type Operand, resolve, tracerOf } from './apply.ts';
import { scale } from './elementwise.ts';

/** Which axes go, and how. */
export interface ReduceOptions {
  /** Axes to reduce, negative ones counted from the end; all of them if not given. */
  readonly axes?: number | readonly number[];
  /** Keep reduced axes with size 1. */
  readonly keepDims?: boolean;
}

const axis = whole(-MAX_RANK, MAX_RANK - 1);
const reduceChecks = { axes: either(axis, listOf(axis)), keepDims: flag };
const checkReduce = {
  sum: optionsOf<ReduceOptions>('sum', reduceChecks),
  max: optionsOf<ReduceOptions>('max', reduceChecks),
  mean: optionsOf<ReduceOptions>('mean', reduceChecks),
};

function reduction(name: 'sum' | 'max', x: Operand, options: ReduceOptions | undefined): Tensor {
  const { axes, keepDims = false } = checkReduce[name](options);
  const tracer = tracerOf(name, [x]);
  const t = resolve(tracer, x);
  const list = reducedAxes(name, t, axes);
  const reduceOver = { sum: sumAxes, max: maxAxes }[name];
  return list.length ? (reduceOver(emitter(tracer), t, list, keepDims) as Tensor) : t;
}

function reducedAxes(name: string, t: Tensor, axes: ReduceOptions['axes']): number[] {
  if (axes === undefined) return t.shape.map((_, i) => i);
  return (typeof axes === 'number' ? [axes] : [...axes]).map((a) => normalizeAxis(a, t.shape.length, name));
}

/** Sum over axes; f32. */
export const sum = (x: Operand, options?: ReduceOptions) => reduction('sum', x, options);
/** Greatest element over axes; f32. Equals share the gradient evenly. */
export const max = (x: Operand, options?: ReduceOptions) => reduction('max', x, options);

/** Mean over axes; f32. */
export function mean(x: Operand, given?: ReduceOptions): Tensor {
  const options = checkReduce.mean(given);
  const t = resolve(tracerOf('mean', [x]), x);
  const axes = [...new Set(reducedAxes('mean', t, options.axes))].sort((a, b) => a - b);
  if (axes.length === 0) return t;
  if (axes.every((a, i) => a === axes[0] + i))
    return apply('mean', [t], { axes, keepDims: options.keepDims ?? false });
  const count = axes.reduce((product, a) => product * t.shape[a], 1);
  return scale(sum(t, options), 1 / count);
}

/** Position of the largest along the last axis, i32. */
export const argmax = (x: Operand) => apply('argmax', [x]);
