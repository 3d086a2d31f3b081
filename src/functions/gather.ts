import { whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { expectValue, optionsOf } from '../core/options.ts';
import { broadcastShapes, normalizeAxis, type Shape, showShape } from '../core/shape.ts';
import type { Tensor } from '../graph/trace.ts';
import { apply, type Operand, resolve, tracerOf } from './apply.ts';
import { broadcast, slice } from './layout.ts';
import { unsqueeze } from './shape.ts';

/**
 * Entries of x along an axis, picked by i32 indices of any shape, which takes the axis's place (ONNX Gather, NumPy's take).
 * Indices that are inputs are checked before a run: negative ones and those outside are refused.
 */
export function gather(x: Operand, indices: Tensor, axis = 0): Tensor {
  const tracer = tracerOf('gather', [x, indices]);
  const t = resolve(tracer, x);
  return tracer.apply('gather', [t, indices], {
    axis: normalizeAxis(axis, t.shape.length, 'gather'),
  });
}

/** Entries of x along an axis, by a list of i32 indices (torch.index_select). */
export function indexSelect(x: Operand, indices: Tensor, axis = 0): Tensor {
  if (indices.shape.length > 1)
    fail('shape_mismatch', `indexSelect: indices are ${showShape(indices.shape)}, expected one dimension`);
  return gather(x, indices, axis);
}

/**
 * Element by element along an axis: y[i, j] = x[indices[i, j], j] for axis 0 (torch.gather, ONNX GatherElements). Indices
 * are i32, of x's rank, and may have fewer along other axes.
 */
export function gatherElements(x: Operand, indices: Tensor, axis: number): Tensor {
  const t = resolve(tracerOf('gatherElements', [x, indices]), x);
  const along = normalizeAxis(axis, t.shape.length, 'gatherElements');
  return apply('gather_elements', [upTo('gatherElements', t, indices.shape, along), indices], {
    axis: along,
  });
}

/** gatherElements() of x and indices that broadcast on the other axes (torch.take_along_dim, NumPy's take_along_axis). */
export function takeAlongDim(x: Operand, indices: Tensor, axis: number): Tensor {
  const t = resolve(tracerOf('takeAlongDim', [x, indices]), x);
  const along = normalizeAxis(axis, t.shape.length, 'takeAlongDim');
  if (indices.shape.length !== t.shape.length)
    fail(
      'shape_mismatch',
      `takeAlongDim: indices ${showShape(indices.shape)} need as many dimensions as ${showShape(t.shape)}`,
    );
  const others = (shape: Shape, n: number) => shape.map((m, d) => (d === along ? n : m));
  const shape = broadcastShapes(others(t.shape, 1), others(indices.shape, 1), 'takeAlongDim');
  return apply(
    'gather_elements',
    [broadcast(t, others(shape, t.shape[along])), broadcast(indices, others(shape, indices.shape[along]))],
    { axis: along },
  );
}

/**
 * x with each element of `source` added at its index along an axis: y[indices[i, j], j] += source[i, j] for axis 0, in the
 * order of i (torch.scatter_add). Indices are i32 with x's sizes on the other axes; of a larger source the beginning is used.
 */
export function scatterAdd(x: Operand, indices: Tensor, source: Operand, axis: number): Tensor {
  const tracer = tracerOf('scatterAdd', [x, indices, source]);
  const t = resolve(tracer, x);
  const along = normalizeAxis(axis, t.shape.length, 'scatterAdd');
  const added = upTo('scatterAdd', resolve(tracer, source), indices.shape);
  return tracer.apply('scatter_add', [t, indices, added], { axis: along });
}

/** As much of x as indices of this shape reach, except along an axis. */
function upTo(of: string, x: Tensor, shape: Shape, except?: number): Tensor {
  if (shape.length !== x.shape.length || shape.some((n, d) => d !== except && n > x.shape[d]))
    fail(
      'shape_mismatch',
      `${of}: indices ${showShape(shape)} need as many dimensions as ${showShape(x.shape)}, and none larger`,
    );
  const ends = x.shape.map((n, d) => (d === except ? n : shape[d]));
  return ends.every((n, d) => n === x.shape[d])
    ? x
    : slice(
        x,
        ends.map(() => 0),
        ends,
      );
}

/**
 * f32 (..., classes) with a 1 at each index and 0 elsewhere (torch's one_hot, in f32 so that it goes into products). Indices
 * are i32.
 */
export function oneHot(indices: Tensor, classes: number): Tensor {
  expectValue('oneHot', 'classes', classes, whole(1));
  const tracer = tracerOf('oneHot', [indices]);
  const filled = (value: number, shape: Shape) => tracer.apply('fill', [], { value, shape, dtype: 'f32' });
  const places = unsqueeze(indices, -1);
  return scatterAdd(filled(0, [...indices.shape, classes]), places, filled(1, places.shape), -1);
}

/** Options of embedding(). */
export interface EmbeddingOptions {
  /** An index whose row gets no gradient; negative ones count from the end. None if not given. */
  readonly paddingIdx?: number;
}

const checkEmbedding = optionsOf<EmbeddingOptions>('embedding', {
  paddingIdx: whole(-(2 ** 31), 2 ** 31 - 1),
});

/** The row from 0 that a padding index means. Throws 'out_of_range' for one that is no row. */
export function paddingOf(paddingIdx: number | undefined, rows: number): number | undefined {
  if (paddingIdx === undefined) return undefined;
  if (paddingIdx < -rows || paddingIdx >= rows)
    fail('out_of_range', `embedding: paddingIdx is ${paddingIdx}, expected a row of ${rows}`);
  return paddingIdx < 0 ? paddingIdx + rows : paddingIdx;
}

/**
 * Rows of `weight`, (entries, features), by i32 indices of any shape: (...) -> (..., features) (torch.nn.functional.embedding).
 * The gradient adds up where an index repeats; that of the row `paddingIdx` is exactly 0, and its values are used as they are.
 */
export function embedding(indices: Tensor, weight: Operand, options?: EmbeddingOptions): Tensor {
  const { paddingIdx } = checkEmbedding(options);
  const tracer = tracerOf('embedding', [indices, weight]);
  const table = resolve(tracer, weight);
  if (table.shape.length !== 2)
    fail(
      'shape_mismatch',
      `embedding: the weight is ${showShape(table.shape)}, expected (entries, features)`,
    );
  const padding = paddingOf(paddingIdx, table.shape[0]);
  return tracer.apply('gather', [table, indices], { axis: 0, ...(padding !== undefined && { padding }) });
}
