import { fail } from '../core/errors.ts';
import { sameShape, showShape, sizeOf } from '../core/shape.ts';
import { expectInputs, expectRank, expectSameShape } from './check.ts';
import { op, type TensorType, type Value } from './op.ts';

export interface GatherAttrs {
  readonly axis: number;
}

/** An entry to which no gradient goes (an embedding's padding). */
export interface Padded {
  readonly padding?: number;
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

/** The same where each element has an index of its own. */
export const elementSizes = (x: TensorType, indices: TensorType, attrs: GatherAttrs) => ({
  ...gatherSizes(x, indices, attrs),
  count: indices.shape[attrs.axis],
});

type Sizes = ReturnType<typeof gatherSizes>;

/** Calls with the place of an element of what was picked, and the place that it was picked from, or -1 for none. */
function forPlaces(
  { outer, size, inner, count }: Sizes,
  indices: Value,
  each: boolean,
  visit: (picked: number, from: number) => void,
): void {
  for (let o = 0; o < outer; o++)
    for (let c = 0; c < count; c++)
      for (let i = 0; i < inner; i++) {
        const picked = (o * count + c) * inner + i;
        const at = indices.data[each ? picked : c];
        visit(picked, at >= 0 && at < size ? (o * size + at) * inner + i : -1);
      }
}

function pick(x: Value, indices: Value, y: Value, sizes: Sizes, each: boolean): void {
  const outside = x.dtype === 'f32' ? Number.NaN : 0;
  forPlaces(sizes, indices, each, (picked, from) => {
    y.data[picked] = from < 0 ? outside : x.data[from];
  });
}

function checkAxis(name: string, x: TensorType, axis: number): void {
  expectRank(name, x, 1);
  if (!(axis >= 0 && axis < x.shape.length))
    fail('out_of_range', `${name}: axis ${axis} is outside a tensor of ${x.shape.length} dimensions`);
}

function checkElements(name: string, x: TensorType, indices: TensorType, axis: number): void {
  checkAxis(name, x, axis);
  const { shape } = indices;
  if (shape.length !== x.shape.length || shape.some((n, d) => d !== axis && n !== x.shape[d]))
    fail(
      'shape_mismatch',
      `${name}: indices ${showShape(shape)} and ${showShape(x.shape)} may differ along axis ${axis} only`,
    );
}

export const gather = {
  /** gather(x, indices): entries of x along an axis, as ONNX Gather; an index outside gives NaN, of integers 0. */
  gather: op<GatherAttrs & Padded>({
    infer(inputs, { axis }) {
      expectInputs('gather', inputs, [null, 'i32']);
      const [x, indices] = inputs;
      checkAxis('gather', x, axis);
      return {
        dtype: x.dtype,
        shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)],
      };
    },
    reference: ([x, indices], y, attrs) => pick(x, indices, y, gatherSizes(x, indices, attrs), false),
    flops: () => 0,
    gradient: ({ inputs: [x, indices], dy, attrs: { axis, padding }, emit }) => [
      emit('gather_backward', [dy, indices], { axis, size: x.shape[axis], padding }),
      undefined,
    ],
    indices: ([x], { axis }) => [{ input: 1, below: x.shape[axis] }],
  }),

  /** gather_backward(dy, indices): adds each entry of dy to the place it was gathered from, in order of the indices. */
  gather_backward: op<GatherAttrs & Padded & { size: number }>({
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
      const sizes = gatherSizes(dx, indices, attrs);
      dx.data.fill(0);
      forPlaces(sizes, indices, false, (picked, from) => {
        const entry = Math.floor(from / sizes.inner) % sizes.size;
        if (from >= 0 && entry !== attrs.padding) dx.data[from] += dy.data[picked];
      });
    },
    flops: ([dy]) => sizeOf(dy.shape),
    gradient: ({ inputs: [, indices], dy, attrs: { axis, padding }, emit }) => [
      padding === undefined ? emit('gather', [dy, indices], { axis }) : undefined,
      undefined,
    ],
    indices: (_, { size }) => [{ input: 1, below: size }],
  }),

  /** gather_elements(x, indices): y[.., j, ..] = x[.., indices[.., j, ..], ..], as torch.gather and ONNX GatherElements. */
  gather_elements: op<GatherAttrs>({
    infer(inputs, { axis }) {
      expectInputs('gather_elements', inputs, [null, 'i32']);
      checkElements('gather_elements', inputs[0], inputs[1], axis);
      return { dtype: inputs[0].dtype, shape: inputs[1].shape };
    },
    reference: ([x, indices], y, attrs) => pick(x, indices, y, elementSizes(x, indices, attrs), true),
    flops: () => 0,
    gradient: ({ inputs: [x, indices], dy, attrs, emit }) => [
      emit('scatter_add', [emit('fill', [], { value: 0, shape: x.shape, dtype: 'f32' }), indices, dy], attrs),
      undefined,
    ],
    indices: ([x], { axis }) => [{ input: 1, below: x.shape[axis] }],
  }),

  /** scatter_add(x, indices, source): x, and each element of source added to place indices of its line, in their order. */
  scatter_add: op<GatherAttrs>({
    infer(inputs, { axis }) {
      expectInputs('scatter_add', inputs, ['f32', 'i32', 'f32']);
      const [x, indices, source] = inputs;
      checkElements('scatter_add', x, indices, axis);
      expectSameShape('scatter_add', indices, source);
      return { dtype: 'f32', shape: x.shape };
    },
    reference([x, indices, source], y, attrs) {
      y.data.set(x.data as Float64Array);
      forPlaces(elementSizes(x, indices, attrs), indices, true, (picked, from) => {
        if (from >= 0) y.data[from] += source.data[picked];
      });
    },
    flops: ([, , source]) => sizeOf(source.shape),
    gradient: ({ inputs: [, indices], dy, attrs, emit, wanted }) => [
      dy,
      undefined,
      wanted(2) ? emit('gather_elements', [dy, indices], attrs) : undefined,
    ],
    indices: ([x], { axis }) => [{ input: 1, below: x.shape[axis] }],
  }),
};
