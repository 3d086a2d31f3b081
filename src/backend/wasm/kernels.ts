import { bytesPerElement, type DType } from '../../core/dtype.ts';
import { sizeOf } from '../../core/shape.ts';
import * as opcode from '../../generated/opcodes.ts';
import type { Operands, TensorRef } from '../../graph/plan.ts';
import type { ActivationName } from '../../ops/activation.ts';
import { type DropoutAttrs, dropThreshold } from '../../ops/dropout.ts';
import { type GatherAttrs, gatherSizes } from '../../ops/gather.ts';
import type { AttrsOf, OpName } from '../../ops/index.ts';
import {
  broadcastCopy,
  concatCopies,
  type StridedCopy,
  sliceBackwardCopy,
  sliceCopy,
  transposeCopy,
} from '../../ops/layout.ts';
import type { CrossEntropyAttrs } from '../../ops/loss.ts';
import { weightProduct } from '../../ops/matmul.ts';
import type { AdamAttrs, SgdAttrs } from '../../ops/optimizer.ts';
import { inverseScale, type QuantAttrs } from '../../ops/quantized.ts';
import { type ReduceAttrs, reduceSizes } from '../../ops/reduce.ts';
import { rowsOf } from '../../ops/softmax.ts';
import type { Unsupported } from '../backend.ts';
import { broadcastWalk, copyWalk, outerCount } from '../strides.ts';
import { activationWords } from './activation.ts';
import { encodeMatmul, encodeMatmulI8 } from './matmul.ts';
import { float, type Place, type TapeRecord, type Word } from './tape.ts';

/** How a step becomes records of the tape; `A`: the attributes of its op. */
export interface Kernel<A extends object = object> {
  encode(step: Operands<A>, place: Place): TapeRecord[];
}

/** A step that is one record. */
const one = <A extends object = object>(
  code: number,
  words: (step: Operands<A>, place: Place) => Word[],
): Kernel<A> => ({
  encode: (step, place) => [{ opcode: code, words: words(step, place) }],
});

const count = (t: TensorRef): number => sizeOf(t.shape);
const typeCodes: Record<DType, number> = { f32: opcode.F32, i32: opcode.I32, u8: opcode.U8, i8: opcode.I8 };

const activation = (name: ActivationName): Kernel =>
  one(opcode.ACTIVATION, ({ inputs: [x], outputs: [output], attrs }, { address }) => {
    const [code, parameter] = activationWords({ name, attrs });
    return [code, address(x), address(output), count(x), parameter];
  });

const activationBackward = (name: ActivationName): Kernel =>
  one(opcode.ACTIVATION_BACKWARD, ({ inputs: [dy, saved], outputs: [output], attrs }, { address }) => {
    const [code, parameter] = activationWords({ name, attrs });
    return [code, address(dy), address(saved), address(output), count(dy), parameter];
  });

const binary = (kind: number): Kernel =>
  one(opcode.BINARY, ({ inputs: [a, b], outputs: [output] }, { address }) => {
    const walk = broadcastWalk(a.shape, b.shape, output.shape);
    const { dims, strides } = walk;
    return [
      ...[kind, address(a), address(b), address(output), dims.length, outerCount(walk)],
      ...[...dims, ...strides[0], ...strides[1]],
    ];
  });

function copyRecord(source: TensorRef, target: TensorRef, copy: StridedCopy, { address }: Place): TapeRecord {
  const size = bytesPerElement[source.dtype];
  const walk = copyWalk(copy);
  const { dims, strides } = walk;
  return {
    opcode: opcode.STRIDED_COPY,
    words: [
      ...[address(source) + copy.sourceOffset * size, address(target) + copy.targetOffset * size, size],
      ...[dims.length, outerCount(walk), ...dims, ...strides[0], ...strides[1]],
    ],
  };
}

/** An op that is one strided copy. */
const copies = <A extends object>(copy: (step: Operands<A>) => StridedCopy): Kernel<A> => ({
  encode: (step, place) => [copyRecord(step.inputs[0], step.outputs[0], copy(step), place)],
});

/** Repeats a value over a tensor's memory. */
function fillRecord(t: TensorRef, value: number, { address }: Place): TapeRecord {
  const size = bytesPerElement[t.dtype];
  const byte = value & 0xff;
  const word: Word = t.dtype === 'f32' ? float(value) : size === 4 ? value : byte * 0x01010101;
  return { opcode: opcode.FILL, words: [address(t), count(t) * size, word] };
}

const reduction = (kind: number, divisor: (n: number) => number): Kernel<ReduceAttrs> =>
  one<ReduceAttrs>(opcode.REDUCE, ({ inputs: [x], outputs: [output], attrs }, { address }) => {
    const { outer, count, inner } = reduceSizes(x.shape, attrs.axes);
    return [kind, address(x), address(output), outer, count, inner, divisor(count)];
  });

const sum = reduction(opcode.SUM, () => 1);

/** Softmax and its kin: operands, then rows and their length. */
const rowwise = (code: number): Kernel =>
  one(code, ({ inputs, outputs: [output] }, { address }) => {
    const { rows, n } = rowsOf(inputs[0].shape);
    return [...inputs.map(address), address(output), rows, n];
  });

const crossEntropy = (code: number, logits: number): Kernel<CrossEntropyAttrs> =>
  one<CrossEntropyAttrs>(code, ({ inputs, outputs: [output], attrs }, { address }) => {
    const { rows, n } = rowsOf(inputs[logits].shape);
    return [...inputs.map(address), address(output), rows, n, float(attrs.labelSmoothing)];
  });

const loss = (code: number, kind: number): Kernel<{ delta?: number }> =>
  one<{ delta?: number }>(code, ({ inputs, outputs: [output], attrs }, { address }) => [
    ...[kind, ...inputs.map(address), address(output), count(inputs[0])],
    float(attrs.delta ?? 0),
  ]);

const adam = (decoupled: 0 | 1): Kernel<AdamAttrs> =>
  one<AdamAttrs>(opcode.ADAM, ({ inputs: [p, g, m, v, hyper, norm], attrs }, { address }) => [
    ...[p, g, m, v, hyper].map(address),
    norm ? address(norm) : 0,
    count(p),
    ...[
      attrs.maxNorm ?? 0,
      attrs.beta1,
      1 - attrs.beta1,
      attrs.beta2,
      1 - attrs.beta2,
      attrs.eps,
      attrs.weightDecay,
    ].map(float),
    decoupled,
  ]);

/** Every op, by name: how it becomes records, or why it can't. */
export const kernels: { readonly [N in OpName]: Kernel<AttrsOf<N>> | Unsupported } = {
  matmul: {
    encode(step, place) {
      const { derivative } = step.attrs;
      const product = encodeMatmul(step, place);
      if (!derivative) return product;
      // Element by element, so it may write where it reads.
      const inputs = [step.outputs[0], step.inputs[2]];
      return [
        ...product,
        ...activationBackward(derivative.name).encode({ ...step, inputs, attrs: derivative.attrs }, place),
      ];
    },
  },
  linear_backward: {
    encode(step, place) {
      const [dy] = step.inputs;
      const [weight, bias] = step.outputs;
      return [
        ...encodeMatmul({ ...step, outputs: [weight], attrs: weightProduct }, place),
        ...sum.encode(
          { ...step, inputs: [dy], outputs: [bias], attrs: { axes: [0], keepDims: false } },
          place,
        ),
      ];
    },
  },
  matmul_i8: { encode: encodeMatmulI8 },
  add: binary(opcode.ADD),
  sub: binary(opcode.SUB),
  mul: binary(opcode.MUL),
  div: binary(opcode.DIV),
  scale: one<{ factor: number }>(opcode.SCALE, ({ inputs: [x], outputs: [output], attrs }, { address }) => [
    ...[address(x), address(output), count(x)],
    float(attrs.factor),
  ]),
  cast: one(opcode.CAST, ({ inputs: [x], outputs: [output] }, { address }) => [
    ...[typeCodes[x.dtype], typeCodes[output.dtype], address(x), address(output), count(x)],
  ]),
  copy: copies(({ inputs: [x] }) => transposeCopy(x, { perm: x.shape.map((_, i) => i) })),
  fill: {
    encode: ({ outputs: [output], attrs }, place) => [fillRecord(output, attrs.value, place)],
  },
  relu: activation('relu'),
  relu_backward: activationBackward('relu'),
  leaky_relu: activation('leaky_relu'),
  leaky_relu_backward: activationBackward('leaky_relu'),
  elu: activation('elu'),
  elu_backward: activationBackward('elu'),
  gelu: activation('gelu'),
  gelu_backward: activationBackward('gelu'),
  silu: activation('silu'),
  silu_backward: activationBackward('silu'),
  sigmoid: activation('sigmoid'),
  sigmoid_backward: activationBackward('sigmoid'),
  tanh: activation('tanh'),
  tanh_backward: activationBackward('tanh'),
  softplus: activation('softplus'),
  softplus_backward: activationBackward('softplus'),
  hardswish: activation('hardswish'),
  hardswish_backward: activationBackward('hardswish'),
  sum,
  mean: reduction(opcode.SUM, (n) => n),
  max: reduction(opcode.MAX, () => 1),
  max_backward: one<ReduceAttrs>(
    opcode.MAX_BACKWARD,
    ({ inputs: [dy, x, y], outputs: [output], attrs }, { address }) => {
      const { outer, count, inner } = reduceSizes(x.shape, attrs.axes);
      return [...[dy, x, y, output].map(address), outer, count, inner];
    },
  ),
  argmax: one(opcode.ARGMAX, ({ inputs: [x], outputs: [output] }, { address }) => {
    const { rows, n } = rowsOf(x.shape);
    return [typeCodes[x.dtype], address(x), address(output), rows, n];
  }),
  global_norm: one(opcode.GLOBAL_NORM, ({ inputs: [x], outputs: [output] }, { address }) => [
    address(x),
    address(output),
    count(x),
  ]),
  reshape: { encode: () => [] },
  transpose: copies(({ inputs: [x], attrs }) => transposeCopy(x, attrs)),
  slice: copies(({ inputs: [x], attrs }) => sliceCopy(x, attrs)),
  slice_backward: {
    encode: ({ inputs: [dy], outputs: [output], attrs }, place) => [
      fillRecord(output, 0, place),
      copyRecord(dy, output, sliceBackwardCopy(output, attrs), place),
    ],
  },
  concat: {
    encode: ({ inputs, outputs: [output], attrs }, place) =>
      concatCopies(inputs, output, attrs).map((c, i) => copyRecord(inputs[i], output, c, place)),
  },
  broadcast: copies(({ inputs: [x], outputs: [output] }) => broadcastCopy(x, output)),
  gather: one<GatherAttrs>(
    opcode.GATHER,
    ({ inputs: [x, indices], outputs: [output], attrs }, { address }) => {
      const { outer, size, inner, count } = gatherSizes(x, indices, attrs);
      return [...[x, indices, output].map(address), outer, size, inner, count];
    },
  ),
  gather_backward: one<GatherAttrs>(
    opcode.GATHER_BACKWARD,
    ({ inputs: [dy, indices], outputs: [output], attrs }, { address }) => {
      const { outer, size, inner, count } = gatherSizes(output, indices, attrs);
      return [...[dy, indices, output].map(address), outer, size, inner, count];
    },
  ),
  softmax: rowwise(opcode.SOFTMAX),
  softmax_backward: rowwise(opcode.SOFTMAX_BACKWARD),
  log_softmax: rowwise(opcode.LOG_SOFTMAX),
  log_softmax_backward: rowwise(opcode.LOG_SOFTMAX_BACKWARD),
  cross_entropy: crossEntropy(opcode.CROSS_ENTROPY, 0),
  cross_entropy_backward: crossEntropy(opcode.CROSS_ENTROPY_BACKWARD, 1),
  mse: loss(opcode.LOSS, opcode.MSE),
  mse_backward: loss(opcode.LOSS_BACKWARD, opcode.MSE),
  bce_with_logits: loss(opcode.LOSS, opcode.BCE_WITH_LOGITS),
  bce_with_logits_backward: loss(opcode.LOSS_BACKWARD, opcode.BCE_WITH_LOGITS),
  huber: loss(opcode.LOSS, opcode.HUBER),
  huber_backward: loss(opcode.LOSS_BACKWARD, opcode.HUBER),
  dropout: one<DropoutAttrs>(
    opcode.DROPOUT,
    ({ inputs: [x, seed], outputs: [output], attrs: { p, salt } }, { address }) => [
      ...[x, seed, output].map(address),
      ...[count(x), salt, dropThreshold(p), float(1 / (1 - p))],
    ],
  ),
  sgd: one<SgdAttrs>(opcode.SGD, ({ inputs, attrs }, { address }) => {
    const [p, g, ...rest] = inputs;
    const buffer = attrs.momentum > 0 ? rest.shift() : undefined;
    const [hyper, norm] = rest;
    return [
      ...[
        address(p),
        address(g),
        buffer ? address(buffer) : 0,
        address(hyper),
        norm ? address(norm) : 0,
        count(p),
      ],
      ...[attrs.maxNorm ?? 0, attrs.momentum, attrs.weightDecay].map(float),
      attrs.nesterov ? 1 : 0,
    ];
  }),
  adam: adam(0),
  adamw: adam(1),
  quantize: one<QuantAttrs>(
    opcode.QUANTIZE,
    ({ inputs: [x], outputs: [output], attrs: { scale, zeroPoint } }, { address }) => [
      ...[address(x), address(output), count(x), float(inverseScale(scale)), zeroPoint],
      ...(output.dtype === 'u8' ? [0, 255] : [-128, 127]),
    ],
  ),
  dequantize: one<QuantAttrs>(
    opcode.DEQUANTIZE,
    ({ inputs: [x], outputs: [output], attrs: { scale, zeroPoint } }, { address }) => [
      ...[address(x), address(output), count(x), x.dtype === 'i8' ? 1 : 0, zeroPoint],
      float(scale),
    ],
  ),
  activation_i8: one(opcode.ACTIVATION_I8, ({ inputs: [x, table], outputs: [output] }, { address }) => [
    ...[x, table, output].map(address),
    count(x),
  ]),
};

/** The kernel of an op, its attributes untyped. */
export const kernelOf = (name: OpName): Kernel | Unsupported => kernels[name];
