import { flag, whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { expectValue, optionsOf } from '../core/options.ts';
import { normalizeAxis } from '../core/shape.ts';
import type { Tensor } from '../graph/trace.ts';
import { type Operand, resolve, tracerOf } from './apply.ts';
import { alongLast, axisCheck } from './reduce.ts';

/** Options of sort(). */
export interface SortOptions {
  /** From the end if negative; the last if not given. */
  readonly axis?: number;
  /** The largest first. */
  readonly descending?: boolean;
}

/** Options of topk(). */
export interface TopkOptions {
  /** From the end if negative; the last if not given. */
  readonly axis?: number;
  /** The largest, as if not given, or the smallest. */
  readonly largest?: boolean;
}

/** Elements in order. */
export interface Sorted {
  /** f32, which have a gradient, or i32. */
  readonly values: Tensor;
  /** Where along the axis each was, i32. */
  readonly indices: Tensor;
}

const checkSort = optionsOf<SortOptions>('sort', { axis: axisCheck, descending: flag });
const checkTopk = optionsOf<TopkOptions>('topk', { axis: axisCheck, largest: flag });

function sorted(name: string, x: Operand, axis: number, k: number | undefined, descending: boolean): Sorted {
  const tracer = tracerOf(name, [x]);
  const t = resolve(tracer, x);
  const at = normalizeAxis(axis, t.shape.length, name);
  const size = t.shape[at];
  if (k !== undefined && k > size)
    fail('out_of_range', `${name}: k is ${k}, but axis ${axis} has ${size} elements`);
  const [values, indices] = alongLast(t, at, (rows) =>
    tracer.applyAll('sort', [rows], { k: k ?? size, descending }),
  );
  return { values, indices };
}

/**
 * All elements in order along an axis, equals in the order of their places (torch.sort, stable); of f32 or i32. NaN is larger than anything.
 */
export function sort(x: Operand, options?: SortOptions): Sorted {
  const { axis = -1, descending = false } = checkSort(options);
  return sorted('sort', x, axis, undefined, descending);
}

/** The k largest along an axis, or smallest, in order, of equals the first (torch.topk); of f32 or i32.
 * NaN is larger than anything. Throws 'out_of_range' where there are fewer than k. */
export function topk(x: Operand, k: number, options?: TopkOptions): Sorted {
  expectValue('topk', 'k', k, whole(0));
  const { axis = -1, largest = true } = checkTopk(options);
  return sorted('topk', x, axis, k, largest);
}
