import { fail } from '../core/errors.ts';
import {
  broadcastShapes,
  broadcastStrides,
  checkShape,
  type Shape,
  sameShape,
  showShape,
  sizeOf,
  stridesOf,
} from '../core/shape.ts';
import { expectInputs, expectRank } from './check.ts';
import { op, type TensorType, type Value } from './op.ts';
import { unbroadcast } from './symbolic.ts';

/**
 * A strided copy: element (i, j, ...) of `shape` goes from source[sourceOffset + i*sourceStrides[0] + ...]
 * to target[...] likewise. Transpose, slice, concat and broadcast are all this one loop, on every backend.
 */
export interface StridedCopy {
  readonly shape: Shape;
  readonly sourceOffset: number;
  readonly sourceStrides: readonly number[];
  readonly targetOffset: number;
  readonly targetStrides: readonly number[];
}

export function copyStrided(
  source: Value,
  target: Value,
  c: StridedCopy,
  d = 0,
  s = c.sourceOffset,
  t = c.targetOffset,
): void {
  if (d === c.shape.length) {
    target.data[t] = source.data[s];
    return;
  }
  for (let i = 0; i < c.shape[d]; i++)
    copyStrided(source, target, c, d + 1, s + i * c.sourceStrides[d], t + i * c.targetStrides[d]);
}

export interface TransposeAttrs {
  readonly perm: readonly number[];
}

export function transposeCopy(x: TensorType, { perm }: TransposeAttrs): StridedCopy {
  const strides = stridesOf(x.shape);
  const shape = perm.map((p) => x.shape[p]);
  return {
    shape,
    sourceOffset: 0,
    sourceStrides: perm.map((p) => strides[p]),
    targetOffset: 0,
    targetStrides: stridesOf(shape),
  };
}

export interface SliceAttrs {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly steps: readonly number[];
}

const sliceShape = ({ starts, ends, steps }: SliceAttrs): number[] =>
  starts.map((start, i) => Math.max(0, Math.ceil((ends[i] - start) / steps[i])));

export function sliceCopy(x: TensorType, attrs: SliceAttrs): StridedCopy {
  const strides = stridesOf(x.shape);
  const shape = sliceShape(attrs);
  return {
    shape,
    sourceOffset: strides.reduce((sum, s, i) => sum + s * attrs.starts[i], 0),
    sourceStrides: strides.map((s, i) => s * attrs.steps[i]),
    targetOffset: 0,
    targetStrides: stridesOf(shape),
  };
}

/** The slice's copy, backwards: from the slice into its places in a tensor like `x`. */
export function sliceBackwardCopy(x: TensorType, attrs: SliceAttrs): StridedCopy {
  const c = sliceCopy(x, attrs);
  return {
    shape: c.shape,
    sourceOffset: c.targetOffset,
    sourceStrides: c.targetStrides,
    targetOffset: c.sourceOffset,
    targetStrides: c.sourceStrides,
  };
}

/** What is said of each axis, where the axes were before they were permuted. */
function inSource(values: readonly number[], perm: readonly number[]): number[] {
  const source = new Array<number>(values.length);
  perm.forEach((axis, i) => {
    source[axis] = values[i];
  });
  return source;
}

const permutedSlice = ({ starts, ends, steps }: SliceAttrs, perm: readonly number[]): SliceAttrs => ({
  starts: inSource(starts, perm),
  ends: inSource(ends, perm),
  steps: inSource(steps, perm),
});

function checkSlice(name: string, shape: Shape, { starts, ends, steps }: SliceAttrs): void {
  if (starts.length !== shape.length || ends.length !== shape.length || steps.length !== shape.length)
    fail(
      'invalid_argument',
      `${name}: starts, ends and steps need one number for each of ${shape.length} dimensions`,
    );
  shape.forEach((n, i) => {
    const [s, e, step] = [starts[i], ends[i], steps[i]];
    if (!Number.isInteger(s) || !Number.isInteger(e) || s < 0 || e > n || s > e)
      fail('out_of_range', `${name}: ${s} to ${e} is outside axis ${i} of ${showShape(shape)}`);
    if (!Number.isInteger(step) || step < 1)
      fail('out_of_range', `${name}: step ${step} of axis ${i} must be a whole number from 1`);
  });
}

export interface ConcatAttrs {
  readonly axis: number;
}

/** One copy for each input of concat. */
export function concatCopies(
  inputs: readonly TensorType[],
  y: TensorType,
  { axis }: ConcatAttrs,
): StridedCopy[] {
  const targetStrides = stridesOf(y.shape);
  let at = 0;
  return inputs.map((x) => {
    const targetOffset = at * targetStrides[axis];
    at += x.shape[axis];
    return {
      shape: x.shape,
      sourceOffset: 0,
      sourceStrides: stridesOf(x.shape),
      targetOffset,
      targetStrides,
    };
  });
}

export function broadcastCopy(x: TensorType, y: TensorType): StridedCopy {
  return {
    shape: y.shape,
    sourceOffset: 0,
    sourceStrides: broadcastStrides(x.shape, y.shape),
    targetOffset: 0,
    targetStrides: stridesOf(y.shape),
  };
}

export const layout = {
  /** The same elements under another shape; no work. */
  reshape: op<{ shape: Shape }>({
    moves: true,
    alias: true,
    infer(inputs, { shape }) {
      expectInputs('reshape', inputs, [null]);
      checkShape(shape, 'reshape: the new shape');
      if (sizeOf(shape) !== sizeOf(inputs[0].shape))
        fail(
          'shape_mismatch',
          `reshape: ${showShape(inputs[0].shape)} has ${sizeOf(inputs[0].shape)} elements, ` +
            `${showShape(shape)} would have ${sizeOf(shape)}`,
        );
      return { dtype: inputs[0].dtype, shape };
    },
    reference([x], y) {
      y.data.set(x.data as Float64Array);
    },
    flops: () => 0,
    gradient: ({ inputs, dy, emit }) => [emit('reshape', [dy], { shape: inputs[0].shape })],
  }),

  /** Axis i of the output is axis perm[i] of the input. */
  transpose: op<TransposeAttrs>({
    moves: true,
    permutation: ({ perm }) => perm,
    infer(inputs, { perm }) {
      expectInputs('transpose', inputs, [null]);
      const { dtype, shape } = inputs[0];
      if ([...perm].sort((a, b) => a - b).some((p, i) => p !== i) || perm.length !== shape.length)
        fail(
          'invalid_argument',
          `transpose: ${showShape(perm)} is not a permutation of ${shape.length} axes`,
        );
      return { dtype, shape: perm.map((p) => shape[p]) };
    },
    reference: ([x], y, attrs) => copyStrided(x, y, transposeCopy(x, attrs)),
    flops: () => 0,
    gradient: ({ dy, attrs, emit }) => [
      emit('transpose', [dy], { perm: attrs.perm.map((_, i) => attrs.perm.indexOf(i)) }),
    ],
  }),

  /** Elements starts[i], starts[i] + steps[i], ... below ends[i] along each axis. */
  slice: op<SliceAttrs>({
    moves: true,
    permuted: permutedSlice,
    infer(inputs, attrs) {
      expectInputs('slice', inputs, [null]);
      checkSlice('slice', inputs[0].shape, attrs);
      return { dtype: inputs[0].dtype, shape: sliceShape(attrs) };
    },
    reference: ([x], y, attrs) => copyStrided(x, y, sliceCopy(x, attrs)),
    flops: () => 0,
    gradient: ({ inputs, dy, attrs, emit }) => [
      emit('slice_backward', [dy], { ...attrs, shape: inputs[0].shape }),
    ],
  }),

  /** Zeros of the shape that was sliced, with dy in the places the slice was taken from. */
  slice_backward: op<SliceAttrs & { shape: Shape }>({
    permuted: (attrs, perm) => ({ ...permutedSlice(attrs, perm), shape: inSource(attrs.shape, perm) }),
    infer(inputs, attrs) {
      expectInputs('slice_backward', inputs, [null]);
      checkShape(attrs.shape, 'slice_backward: the output');
      checkSlice('slice_backward', attrs.shape, attrs);
      if (!sameShape(inputs[0].shape, sliceShape(attrs)))
        fail(
          'shape_mismatch',
          `slice_backward: got ${showShape(inputs[0].shape)}, expected ${showShape(sliceShape(attrs))}`,
        );
      return { dtype: inputs[0].dtype, shape: attrs.shape };
    },
    reference([dy], dx, attrs) {
      dx.data.fill(0);
      copyStrided(dy, dx, sliceBackwardCopy(dx, attrs));
    },
    flops: () => 0,
    gradient: ({ dy, attrs: { starts, ends, steps }, emit }) => [
      emit('slice', [dy], { starts, ends, steps }),
    ],
  }),

  /** Inputs one after the other along an axis. */
  concat: op<ConcatAttrs>({
    integers: 'join',
    permuted: ({ axis }, perm) => ({ axis: perm[axis] }),
    infer(inputs, { axis }) {
      if (inputs.length === 0) fail('invalid_argument', 'concat: got no tensors, expected at least 1');
      const [{ dtype, shape }] = inputs;
      expectRank('concat', inputs[0], 1);
      if (!(axis >= 0 && axis < shape.length))
        fail('out_of_range', `concat: axis ${axis} is outside a tensor of ${shape.length} dimensions`);
      for (const x of inputs) {
        if (x.dtype !== dtype)
          fail('dtype_mismatch', `concat: got ${x.dtype} beside ${dtype}, expected one dtype`);
        if (x.shape.length !== shape.length || x.shape.some((n, i) => i !== axis && n !== shape[i]))
          fail(
            'shape_mismatch',
            `concat: ${showShape(x.shape)} and ${showShape(shape)} differ outside axis ${axis}`,
          );
      }
      const total = inputs.reduce((sum, x) => sum + x.shape[axis], 0);
      return { dtype, shape: shape.map((n, i) => (i === axis ? total : n)) };
    },
    reference(inputs, y, attrs) {
      for (const [i, c] of concatCopies(inputs, y, attrs).entries()) copyStrided(inputs[i], y, c);
    },
    flops: () => 0,
    gradient({ inputs, output, dy, attrs: { axis }, emit, wanted }) {
      let at = 0;
      return inputs.map((x, i) => {
        const start = at;
        at += x.shape[axis];
        const starts = output.shape.map((_, d) => (d === axis ? start : 0));
        const ends = output.shape.map((n, d) => (d === axis ? start + x.shape[axis] : n));
        return wanted(i) ? emit('slice', [dy], { starts, ends, steps: starts.map(() => 1) }) : undefined;
      });
    },
  }),

  /** Repeats size-1 and missing leading dimensions up to a shape (NumPy's broadcast_to). */
  broadcast: op<{ shape: Shape }>({
    infer(inputs, { shape }) {
      expectInputs('broadcast', inputs, [null]);
      checkShape(shape, 'broadcast: the new shape');
      if (!sameShape(broadcastShapes(inputs[0].shape, shape, 'broadcast'), shape))
        fail(
          'shape_mismatch',
          `broadcast: ${showShape(inputs[0].shape)} does not repeat to ${showShape(shape)}`,
        );
      return { dtype: inputs[0].dtype, shape };
    },
    reference: ([x], y) => copyStrided(x, y, broadcastCopy(x, y)),
    flops: () => 0,
    gradient: ({ inputs, dy, emit }) => [unbroadcast(emit, dy, inputs[0].shape)],
  }),
};
