import { fail } from '../core/errors.ts';
import { sameShape, showShape, sizeOf } from '../core/shape.ts';
import { expectInputs, expectRank } from './check.ts';
import { op, type TensorType } from './op.ts';

export interface GatherAttrs {
  readonly axis: number;
}

/** gather sees its source as (outer, size, inner) and picks `count` of the middle. */
export function gatherSizes(x: TensorType, indices: TensorType, { axis }: GatherAttrs) {
  return {
    outer: sizeOf(x.shape.slice(0, axis)),
    size: x.shape[axis],
    inner: sizeOf(x.shape.slice(axis + 1)),
    count: sizeOf(indices.shape),
  };
}

function checkAxis(name: string, x: TensorType, axis: number): void {
  expectRank(name, x, 1);
  if (!(axis >= 0 && axis < x.shape.length))
    fail('out_of_range', `${name}: axis ${axis} is outside a tensor of ${x.shape.length} dimensions`);
}

export const gather = {
  /** gather(x, indices): takes entries of x along an axis, as ONNX Gather; an index outside gives NaN. */
  gather: op<GatherAttrs>({
    infer(inputs, { axis }) {
      expectInputs('gather', inputs, ['f32', 'i32']);
      const [x, indices] = inputs;
      checkAxis('gather', x, axis);
      return {
        dtype: 'f32',
        shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)],
      };
    },
    reference([x, indices], y, attrs) {
      const { outer, size, inner, count } = gatherSizes(x, indices, attrs);
      for (let o = 0; o < outer; o++)
        for (let c = 0; c < count; c++)
          for (let i = 0; i < inner; i++) {
            const at = indices.data[c];
            const inside = at >= 0 && at < size;
            y.data[(o * count + c) * inner + i] = inside ? x.data[(o * size + at) * inner + i] : Number.NaN;
          }
    },
    flops: () => 0,
    gradient: ({ inputs: [x, indices], dy, attrs: { axis }, emit }) => [
      emit('gather_backward', [dy, indices], { axis, size: x.shape[axis] }),
      undefined,
    ],
    indices: ([x], { axis }) => [{ input: 1, below: x.shape[axis] }],
  }),

  /** gather_backward(dy, indices): adds each entry of dy to the place it was gathered from, in order of the indices. */
  gather_backward: op<GatherAttrs & { size: number }>({
    infer(inputs, { axis, size }) {
      expectInputs('gather_backward', inputs, ['f32', 'i32']);
      const [dy, indices] = inputs;
      const rank = indices.shape.length;
      if (!sameShape(dy.shape.slice(axis, axis + rank), indices.shape))
        fail(
          'shape_mismatch',
          `gather_backward: ${showShape(dy.shape)} does not hold ${showShape(indices.shape)} at axis ${axis}`,
        );
      return { dtype: 'f32', shape: [...dy.shape.slice(0, axis), size, ...dy.shape.slice(axis + rank)] };
    },
    reference([dy, indices], dx, attrs) {
      const { outer, size, inner, count } = gatherSizes(dx, indices, attrs);
      dx.data.fill(0);
      for (let o = 0; o < outer; o++)
        for (let c = 0; c < count; c++)
          for (let i = 0; i < inner; i++) {
            const at = indices.data[c];
            if (at >= 0 && at < size)
              dx.data[(o * size + at) * inner + i] += dy.data[(o * count + c) * inner + i];
          }
    },
    flops: ([dy]) => sizeOf(dy.shape),
    gradient: ({ inputs: [, indices], dy, attrs: { axis }, emit }) => [
      emit('gather', [dy, indices], { axis }),
      undefined,
    ],
    indices: (_, { size }) => [{ input: 1, below: size }],
  }),
};
