import { either, listOf, whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { expectValue } from '../core/options.ts';
import { MAX_RANK, normalizeAxis, type Shape, showShape, sizeOf } from '../core/shape.ts';
import type { Tensor } from '../graph/trace.ts';
import { reshaped } from '../ops/symbolic.ts';
import { apply, emitter, type Operand, resolve, tracerOf } from './apply.ts';
import { broadcast, concat, reshape, slice, transpose } from './layout.ts';

const axisCheck = whole(-MAX_RANK, MAX_RANK - 1);
const axesCheck = either(axisCheck, listOf(axisCheck));

/** Axes from 0, each once; `rank`: of the tensor that they count in. */
export function axesFrom(of: string, given: number | readonly number[], rank: number): number[] {
  expectValue(of, 'axes', given, axesCheck);
  const axes = (typeof given === 'number' ? [given] : given).map((a) => normalizeAxis(a, rank, of));
  if (new Set(axes).size < axes.length)
    fail('invalid_argument', `${of}: axes ${showShape(axes)} name an axis twice`);
  return axes;
}

export const tensorOf = (of: string, x: Operand): Tensor => resolve(tracerOf(of, [x]), x);

const shaped = (x: Tensor, shape: Shape) => reshaped(emitter(x.tracer), x, shape) as Tensor;

/** Without the axes of size 1: all of them, or those of `axes` that have it (torch.squeeze). */
export function squeeze(x: Operand, axes?: number | readonly number[]): Tensor {
  const t = tensorOf('squeeze', x);
  const which = axes === undefined ? t.shape.map((_, i) => i) : axesFrom('squeeze', axes, t.shape.length);
  return shaped(
    t,
    t.shape.filter((n, i) => n !== 1 || !which.includes(i)),
  );
}

/** With an axis of size 1 at position `axis` of the result (torch.unsqueeze). */
export function unsqueeze(x: Operand, axis: number): Tensor {
  const t = tensorOf('unsqueeze', x);
  const at = normalizeAxis(axis, t.shape.length + 1, 'unsqueeze');
  return shaped(t, [...t.shape.slice(0, at), 1, ...t.shape.slice(at)]);
}

/** The axes from `start` to `end`, both included, as one (torch.flatten). */
export function flatten(x: Operand, start = 0, end = -1): Tensor {
  const t = tensorOf('flatten', x);
  const rank = t.shape.length;
  if (rank === 0) return shaped(t, [1]);
  const [from, to] = [normalizeAxis(start, rank, 'flatten'), normalizeAxis(end, rank, 'flatten')];
  if (from > to) fail('out_of_range', `flatten: axis ${start} lies behind axis ${end}`);
  const joined = sizeOf(t.shape.slice(from, to + 1));
  return shaped(t, [...t.shape.slice(0, from), joined, ...t.shape.slice(to + 1)]);
}

/** An axis as several of these sizes, one of which may be -1 (torch.unflatten). */
export function unflatten(x: Operand, axis: number, shape: Shape): Tensor {
  const t = tensorOf('unflatten', x);
  const at = normalizeAxis(axis, t.shape.length, 'unflatten');
  const known = shape.reduce((product, n) => (n === -1 ? product : product * n), 1);
  const full = shape.map((n) => (n === -1 && known > 0 ? t.shape[at] / known : n));
  if (sizeOf(full) !== t.shape[at] || full.some((n) => !Number.isInteger(n) || n < 0))
    fail(
      'shape_mismatch',
      `unflatten: axis ${axis} of ${showShape(t.shape)} does not divide into [${shape}]`,
    );
  return shaped(t, [...t.shape.slice(0, at), ...full, ...t.shape.slice(at + 1)]);
}

/** Axis i of the result is axis perm[i] of x (torch.permute). */
export const permute = (x: Operand, perm: readonly number[]): Tensor => transpose(x, perm);

/** Two axes change places (torch.swapaxes). */
export function swapaxes(x: Operand, a: number, b: number): Tensor {
  const t = tensorOf('swapaxes', x);
  const [i, j] = [a, b].map((axis) => normalizeAxis(axis, t.shape.length, 'swapaxes'));
  return transpose(
    t,
    t.shape.map((_, d) => (d === i ? j : d === j ? i : d)),
  );
}

/** Axes moved to other positions; the others keep their order (torch.movedim). */
export function movedim(
  x: Operand,
  source: number | readonly number[],
  destination: number | readonly number[],
): Tensor {
  const t = tensorOf('movedim', x);
  const from = axesFrom('movedim', source, t.shape.length);
  const to = axesFrom('movedim', destination, t.shape.length);
  if (from.length !== to.length)
    fail('invalid_argument', `movedim: got ${from.length} axes and ${to.length} places for them`);
  const rest = t.shape.map((_, d) => d).filter((d) => !from.includes(d));
  const perm = t.shape.map((_, d) => (to.includes(d) ? from[to.indexOf(d)] : rest.shift()!));
  return transpose(t, perm);
}

/** Tensors of one shape side by side along a new axis (torch.stack). */
export function stack(xs: readonly Operand[], axis = 0): Tensor {
  if (xs.length === 0) fail('invalid_argument', 'stack: got no tensors, expected at least 1');
  const first = tensorOf('stack', xs[0]);
  const at = normalizeAxis(axis, first.shape.length + 1, 'stack');
  return concat(
    xs.map((x) => unsqueeze(x, at)),
    at,
  );
}

/** Parts along an axis: of `size` elements each, the last of what is left, or of these sizes (torch.split). */
export function split(x: Operand, size: number | readonly number[], axis = 0): Tensor[] {
  expectValue('split', 'size', size, either(whole(1), listOf(whole(0))));
  const t = tensorOf('split', x);
  const at = normalizeAxis(axis, t.shape.length, 'split');
  const n = t.shape[at];
  const sizes =
    typeof size === 'number'
      ? Array.from({ length: Math.max(1, Math.ceil(n / size)) }, (_, i) => Math.min(size, n - i * size))
      : size;
  const total = sizes.reduce((sum, part) => sum + part, 0);
  if (total !== n)
    fail('shape_mismatch', `split: sizes [${sizes}] are ${total} together, axis ${axis} has ${n}`);
  let from = 0;
  return sizes.map((part) => {
    const starts = t.shape.map((_, d) => (d === at ? from : 0));
    from += part;
    return slice(
      t,
      starts,
      t.shape.map((m, d) => (d === at ? from : m)),
    );
  });
}

/** At most `chunks` parts of one size along an axis, the last of what is left (torch.chunk). */
export function chunk(x: Operand, chunks: number, axis = 0): Tensor[] {
  expectValue('chunk', 'chunks', chunks, whole(1));
  const t = tensorOf('chunk', x);
  const n = t.shape[normalizeAxis(axis, t.shape.length, 'chunk')];
  return split(t, Math.max(1, Math.ceil(n / chunks)), axis);
}

/** Sizes of 1 and missing leading axes repeated to a shape, in which -1 leaves a size as it is (torch.expand). */
export function expand(x: Operand, shape: Shape): Tensor {
  const t = tensorOf('expand', x);
  const lead = shape.length - t.shape.length;
  return broadcast(
    t,
    shape.map((n, i) => (n === -1 && i >= lead ? t.shape[i - lead] : n)),
  );
}

/** x so many times along each axis; counts are matched from the last axis (torch.tile, NumPy's tile). */
export function tile(x: Operand, repeats: readonly number[]): Tensor {
  expectValue('tile', 'repeats', repeats, listOf(whole(0)));
  const t = tensorOf('tile', x);
  const rank = Math.max(repeats.length, t.shape.length);
  const shape = [...Array<number>(rank - t.shape.length).fill(1), ...t.shape];
  const times = [...Array<number>(rank - repeats.length).fill(1), ...repeats];
  // Axes that are repeated begin a group, (times, elements); those that are not belong to the one before.
  const groups: [times: number, elements: number][] = [];
  times.forEach((k, d) => {
    if (k === 1 && groups.length > 0) groups[groups.length - 1][1] *= shape[d];
    else groups.push([k, shape[d]]);
  });
  const repeated = broadcast(
    shaped(
      t,
      groups.flatMap(([k, n]) => (k === 1 ? [n] : [1, n])),
    ),
    groups.flatMap(([k, n]) => (k === 1 ? [n] : [k, n])),
  );
  return shaped(
    repeated,
    shape.map((n, d) => n * times[d]),
  );
}

/** x so many times along each axis; there is a count for every axis of x, and more make new leading ones (torch's repeat). */
export function repeat(x: Operand, repeats: readonly number[]): Tensor {
  const t = tensorOf('repeat', x);
  if (repeats.length < t.shape.length)
    fail('invalid_argument', `repeat: [${repeats}] has no count for each axis of ${showShape(t.shape)}`);
  return tile(t, repeats);
}

/** Each element `repeats` times in its place along an axis; of the flat tensor without one (torch.repeat_interleave). */
export function repeatInterleave(x: Operand, repeats: number, axis?: number): Tensor {
  expectValue('repeatInterleave', 'repeats', repeats, whole(0));
  const given = tensorOf('repeatInterleave', x);
  const t = axis === undefined ? flatten(given) : given;
  const at = normalizeAxis(axis ?? 0, t.shape.length, 'repeatInterleave');
  const [outer, inner] = [sizeOf(t.shape.slice(0, at + 1)), sizeOf(t.shape.slice(at + 1))];
  const many = broadcast(reshape(t, [outer, 1, inner]), [outer, repeats, inner]);
  return shaped(
    many,
    t.shape.map((n, d) => (d === at ? n * repeats : n)),
  );
}

/** These axes from their last element to their first (torch.flip). */
export function flip(x: Operand, axes: number | readonly number[]): Tensor {
  const t = tensorOf('flip', x);
  return apply('flip', [t], { axes: axesFrom('flip', axes, t.shape.length) });
}
