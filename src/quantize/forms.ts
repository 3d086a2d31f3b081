import { type Shape, sameShape } from '../core/shape.ts';
import type { GraphTensor, Node, TensorId } from '../graph/graph.ts';
import type { Tensor, Tracer } from '../graph/trace.ts';
import type { Op } from '../ops/op.ts';
import type { AvgPoolAttrs } from '../ops/pool.ts';
import { type ReduceAttrs, reduceSizes } from '../ops/reduce.ts';
import { activationTable, fixedPoint, type QuantParams, sumFactors } from './quantization.ts';

/** A tensor of bytes, and what they stand for. */
export interface Bytes {
  readonly tensor: Tensor;
  readonly params: QuantParams;
}

/** Bounds of bytes. */
export interface Clamp {
  readonly min: number;
  readonly max: number;
}

/** What a form is made from: a node, what is known of its operands, and where its integer ops are recorded. */
export interface Formed {
  readonly node: Node;
  readonly inputs: readonly GraphTensor[];
  /** Of its result. */
  readonly shape: Shape;
  readonly tracer: Tracer;
  /** An operand as bytes; undefined where calibration saw no values of it. */
  readonly bytes: (id: TensorId) => Bytes | undefined;
  /** What the result's bytes stand for. */
  readonly params: QuantParams;
  /** Bounds of the result. */
  readonly clamp: Clamp;
}

/** The integer form of an op. */
export interface Form {
  /** Records it, or says why there is none. */
  readonly record: (given: Formed) => Bytes | string;
  /** Whether it can keep its result between bounds, as a ReLU behind it does. */
  readonly clamps?: boolean;
}

/** Why an op stays f32 where no ranges are known. */
export const UNSEEN = 'calibration saw no values for it';

/** The same bytes under other parameters, by a table. */
function requantized(tracer: Tracer, { tensor, params }: Bytes, to: QuantParams): Tensor {
  if (params.scale === to.scale && params.zeroPoint === to.zeroPoint) return tensor;
  const table = activationTable((x) => x, params, to);
  const constant = tracer.constant(table, { dtype: 'u8', shape: [256] });
  return tracer.apply('activation_i8', [tensor, constant], { stands: to });
}

/** The sum or, with -1, the difference of two tensors of one shape. */
const sum =
  (sign: 1 | -1): Form['record'] =>
  ({ node, inputs, tracer, bytes, params, clamp }) => {
    if (inputs.some((t) => t.kind === 'constant')) return 'one of its operands is a constant';
    if (!sameShape(inputs[0].shape, inputs[1].shape)) return 'one of its operands is repeated';
    const [a, b] = node.inputs.map(bytes);
    if (!a || !b) return UNSEEN;
    const factors = sumFactors(a.params, b.params, params);
    if (typeof factors === 'string') return factors;
    const tensor = tracer.apply('add_i8', [a.tensor, b.tensor], {
      ...{ zeroA: a.params.zeroPoint, zeroB: b.params.zeroPoint },
      ...{ ...factors, factorB: sign * factors.factorB, zeroPoint: params.zeroPoint },
      ...{ ...clamp, stands: params },
    });
    return { tensor, params };
  };

/** Means of windows over an image of bytes. */
function pooled(
  tracer: Tracer,
  x: Bytes,
  image: Tensor,
  attrs: AvgPoolAttrs,
  params: QuantParams,
): Tensor | string {
  const fixed = fixedPoint(Float64Array.of(x.params.scale / params.scale));
  if (typeof fixed === 'string') return fixed;
  const { shift, multiplier } = fixed;
  return tracer.apply('avg_pool_i8', [image], {
    ...{ ...attrs, shift, multiplier: multiplier[0], inputZero: x.params.zeroPoint },
    ...{ zeroPoint: params.zeroPoint, stands: params },
  });
}

const average: Form['record'] = ({ node, tracer, bytes, params }) => {
  const x = bytes(node.inputs[0]);
  if (!x) return UNSEEN;
  const tensor = pooled(tracer, x, x.tensor, node.attrs as AvgPoolAttrs, params);
  return typeof tensor === 'string' ? tensor : { tensor, params };
};

/** The mean over neighbouring axes: of an image with what is before them, they, nothing, and what is behind. */
const mean: Form['record'] = ({ node, inputs, shape, tracer, bytes, params }) => {
  const { outer, count, inner } = reduceSizes(inputs[0].shape, (node.attrs as ReduceAttrs).axes);
  const x = bytes(node.inputs[0]);
  if (!x) return UNSEEN;
  if (count === 0 || count >= 2 ** 15) return `it is the mean of ${count} elements`;
  const image = tracer.apply('reshape', [x.tensor], { shape: [outer, count, 1, inner] });
  const kernel = [count, 1] as const;
  const how = { kernel, stride: kernel, padding: [0, 0] as const, dilation: [1, 1] as const, ceil: false };
  const tensor = pooled(tracer, x, image, { ...how, countIncludePad: true, divisor: 0 }, params);
  return typeof tensor === 'string'
    ? tensor
    : { tensor: tracer.apply('reshape', [tensor], { shape }), params };
};

/** Each operand in the result's scale, then one behind the other. */
const join: Form['record'] = ({ node, tracer, bytes, params }) => {
  const parts = node.inputs.map(bytes);
  if (parts.some((part) => !part)) return UNSEEN;
  const same = parts.map((part) => requantized(tracer, part!, params));
  return { tensor: tracer.apply('concat', same, node.attrs), params };
};

/** What a quantized model does with several numbers, by the fact of an op's row. */
export const forms: Readonly<Record<NonNullable<Op['integers']>, Form>> = {
  sum: { record: sum(1), clamps: true },
  difference: { record: sum(-1), clamps: true },
  average: { record: average },
  mean: { record: mean },
  join: { record: join },
};
