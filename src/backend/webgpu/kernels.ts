import { bytesPerElement, type DType } from '../../core/dtype.ts';
import { sizeOf } from '../../core/shape.ts';
import type { Operands, TensorRef } from '../../graph/plan.ts';
import type { ActivationName } from '../../ops/activation.ts';
import { type DropoutAttrs, dropThreshold } from '../../ops/dropout.ts';
import { type GatherAttrs, gatherSizes } from '../../ops/gather.ts';
import type { AttrsOf, OpName } from '../../ops/index.ts';
import { broadcastCopy, sliceCopy, transposeCopy } from '../../ops/layout.ts';
import type { CrossEntropyAttrs } from '../../ops/loss.ts';
import type { AdamAttrs, SgdAttrs } from '../../ops/optimizer.ts';
import { inverseScale, type QuantAttrs } from '../../ops/quantized.ts';
import { type ReduceAttrs, reduceSizes } from '../../ops/reduce.ts';
import { rowsOf } from '../../ops/softmax.ts';
import type { Unsupported } from '../backend.ts';
import { broadcastWalk } from '../strides.ts';
import { activationFiles } from './activation.ts';
import { concatKernel, copies, fillDispatch, packed, sliceBackwardKernel } from './copy.ts';
import { backwardDispatches, matmulDispatches, matmulI8Dispatches } from './matmul.ts';
import { configs, type ProductConfig } from './products.ts';
import { type Dispatch, float, type Shader, type Word, wordOf } from './record.ts';
import { lanesFor, normDispatches, reduceDispatches } from './reduce.ts';
import type { Scratch } from './scratch.ts';

/** How a step becomes dispatches; `A`: the attributes of its op. */
export interface Kernel<A extends object = object> {
  encode(step: Operands<A>, context: EncodeContext): Dispatch[];
}

export interface EncodeContext {
  /** Memory besides the plan's arena. */
  readonly scratch: Scratch;
  /** How a product is to be divided. */
  readonly config?: ProductConfig;
}

const count = (t: TensorRef): number => sizeOf(t.shape);
/** Workgroups of 64 for one invocation an element. */
const each = (n: number): number => Math.ceil(n / 64);

/** A step that is one dispatch. */
const one = <A extends object = object>(make: (step: Operands<A>) => Dispatch): Kernel<A> => ({
  encode: (step) => [make(step)],
});

const activation = (name: ActivationName): Kernel =>
  one(({ inputs: [x], outputs: [output], attrs }) => {
    const [files, p] = activationFiles({ name, attrs });
    return {
      shader: { files: ['activation', ...files] },
      args: [wordOf(x), wordOf(output), count(x), p],
      workgroups: each(count(x)),
    };
  });

const activationBackward = (name: ActivationName): Kernel =>
  one(({ inputs: [dy, saved], outputs: [output], attrs }) => {
    const [files, p] = activationFiles({ name, attrs });
    return {
      shader: { files: ['activation_backward', ...files] },
      args: [wordOf(dy), wordOf(saved), wordOf(output), count(dy), p],
      workgroups: each(count(dy)),
    };
  });

const eight = (values: readonly number[]): number[] => Array.from({ length: 8 }, (_, i) => values[i] ?? 0);

const binary = (kind: number): Kernel =>
  one(({ inputs: [a, b], outputs: [output] }) => {
    const { dims, strides } = broadcastWalk(a.shape, b.shape, output.shape);
    return {
      shader: { files: ['binary'], constants: { KIND: kind } },
      args: [
        ...[a, b, output].map(wordOf),
        ...[count(output), ...eight(dims), ...eight(strides[0]), ...eight(strides[1]), dims.length],
      ],
      workgroups: each(count(output)),
    };
  });

const reduction = (kind: 0 | 1, divisor: (n: number) => number): Kernel<ReduceAttrs> => ({
  encode: ({ inputs: [x], outputs: [output], attrs }, { scratch }) => {
    const sizes = reduceSizes(x.shape, attrs.axes);
    return reduceDispatches(kind, sizes, x, output, scratch, divisor(sizes.count));
  },
});

/** A workgroup for each row of the operand at `position`. */
const rowwise = <A extends object = object>(
  files: string[],
  position = 0,
  more: (attrs: A) => Word[] = () => [],
): Kernel<A> =>
  one<A>(({ inputs, outputs: [output], attrs }) => {
    const { rows, n } = rowsOf(inputs[position].shape);
    return {
      shader: { files: [...files, 'rows', 'sums', 'workgroup', 'math'], constants: { LANES: lanesFor(n) } },
      args: [...inputs.map(wordOf), wordOf(output), rows, n, ...more(attrs)],
      workgroups: n === 0 && files[0] !== 'cross_entropy' ? 0 : rows,
    };
  });

const smoothing = (attrs: CrossEntropyAttrs): Word[] => [float(attrs.labelSmoothing)];

const loss = (file: string, kind: number): Kernel<{ delta?: number }> =>
  one<{ delta?: number }>(({ inputs, outputs: [output], attrs }) => ({
    shader: { files: [file, 'math'], constants: { KIND: kind } },
    args: [...inputs.map(wordOf), wordOf(output), count(output), float(attrs.delta ?? 0)],
    workgroups: each(count(output)),
  }));

const typeCodes: Record<DType, number> = { f32: 0, i32: 1, u8: 2, i8: 3 };

const adam = (decoupled: 0 | 1): Kernel<AdamAttrs> =>
  one<AdamAttrs>(({ inputs: [p, g, m, v, hyper, norm], attrs }) => {
    const { maxNorm = 0, beta1, beta2, eps, weightDecay } = attrs;
    const floats = [maxNorm, beta1, 1 - beta1, beta2, 1 - beta2, eps, weightDecay].map(float);
    return {
      shader: { files: ['adam'], constants: { DECOUPLED: decoupled, CLIP: norm ? 1 : 0 } },
      args: [...[p, g, m, v, hyper].map(wordOf), norm ? wordOf(norm) : 0, count(p), ...floats],
      workgroups: each(count(p)),
    };
  });

const sgd = one<SgdAttrs>(({ inputs, attrs }) => {
  const [p, g, ...rest] = inputs;
  const buffer = attrs.momentum > 0 ? rest.shift() : undefined;
  const [hyper, norm] = rest;
  const floats = [attrs.maxNorm ?? 0, attrs.momentum, attrs.weightDecay].map(float);
  return {
    shader: { files: ['sgd'], constants: { MOMENTUM: buffer ? 1 : 0, CLIP: norm ? 1 : 0 } },
    args: [
      ...[
        wordOf(p),
        wordOf(g),
        buffer ? wordOf(buffer) : 0,
        wordOf(hyper),
        norm ? wordOf(norm) : 0,
        count(p),
      ],
      ...[...floats, attrs.nesterov ? 1 : 0],
    ],
    workgroups: each(count(p)),
  };
});

const shader = (file: string, constants?: Shader['constants']): Shader => ({ files: [file], constants });

/** Every op, by name: how it becomes dispatches, or why it can't. */
export const kernels: { readonly [N in OpName]: Kernel<AttrsOf<N>> | Unsupported } = {
  matmul: {
    encode: (step, { config, scratch }) => matmulDispatches(step, config ?? configs.direct, scratch),
  },
  linear_backward: {
    encode: (step, { config, scratch }) => backwardDispatches(step, config ?? configs.direct, scratch),
  },
  matmul_i8: {
    encode: (step, { config, scratch }) => matmulI8Dispatches(step, config ?? configs.direct, scratch),
  },
  add: binary(0),
  sub: binary(1),
  mul: binary(2),
  div: binary(3),
  scale: one<{ factor: number }>(({ inputs: [x], outputs: [output], attrs }) => ({
    shader: shader('scale'),
    args: [wordOf(x), wordOf(output), count(x), float(attrs.factor)],
    workgroups: each(count(x)),
  })),
  cast: one(({ inputs: [x], outputs: [output] }) => ({
    shader: shader('cast', { FROM: typeCodes[x.dtype], TO: typeCodes[output.dtype] }),
    args: [wordOf(x), wordOf(output), count(x)],
    workgroups: each(bytesPerElement[output.dtype] === 4 ? count(x) : packed(count(x))),
  })),
  copy: copies(({ inputs: [x] }) => transposeCopy(x, { perm: x.shape.map((_, i) => i) })),
  fill: {
    encode: ({ outputs: [output], attrs }) => [fillDispatch(output, attrs.value)],
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
  sum: reduction(0, () => 1),
  mean: reduction(0, (n) => n),
  max: reduction(1, () => 1),
  max_backward: one<ReduceAttrs>(({ inputs: [dy, x, y], outputs: [output], attrs }) => {
    const sizes = reduceSizes(x.shape, attrs.axes);
    return {
      shader: shader('max_backward'),
      args: [...[dy, x, y, output].map(wordOf), count(y), sizes.count, sizes.inner],
      workgroups: each(count(y)),
    };
  }),
  argmax: one(({ inputs: [x], outputs: [output] }) => {
    const { rows, n } = rowsOf(x.shape);
    return {
      shader: shader('argmax', { BYTES: x.dtype === 'u8' ? 1 : 0 }),
      args: [wordOf(x), wordOf(output), rows, n],
      workgroups: each(rows),
    };
  }),
  global_norm: {
    encode: ({ inputs: [x], outputs: [output] }, { scratch }) => normDispatches(x, output, scratch),
  },
  reshape: { encode: () => [] },
  transpose: copies(({ inputs: [x], attrs }) => transposeCopy(x, attrs)),
  slice: copies(({ inputs: [x], attrs }) => sliceCopy(x, attrs)),
  slice_backward: sliceBackwardKernel,
  concat: concatKernel,
  broadcast: copies(({ inputs: [x], outputs: [output] }) => broadcastCopy(x, output)),
  gather: one<GatherAttrs>(({ inputs: [x, indices], outputs: [output], attrs }) => {
    const sizes = gatherSizes(x, indices, attrs);
    return {
      shader: shader('gather'),
      args: [...[x, indices, output].map(wordOf), count(output), sizes.size, sizes.inner, sizes.count],
      workgroups: each(count(output)),
    };
  }),
  gather_backward: one<GatherAttrs>(({ inputs: [dy, indices], outputs: [output], attrs }) => {
    const sizes = gatherSizes(output, indices, attrs);
    return {
      shader: { files: ['gather_backward', 'sums'] },
      args: [...[dy, indices, output].map(wordOf), count(output), sizes.size, sizes.inner, sizes.count],
      workgroups: each(count(output)),
    };
  }),
  softmax: rowwise(['softmax']),
  softmax_backward: rowwise(['softmax_backward']),
  log_softmax: rowwise(['log_softmax']),
  log_softmax_backward: rowwise(['log_softmax_backward']),
  cross_entropy: rowwise(['cross_entropy'], 0, smoothing),
  cross_entropy_backward: rowwise(['cross_entropy_backward'], 1, smoothing),
  mse: loss('loss', 0),
  mse_backward: loss('loss_backward', 0),
  bce_with_logits: loss('loss', 1),
  bce_with_logits_backward: loss('loss_backward', 1),
  huber: loss('loss', 2),
  huber_backward: loss('loss_backward', 2),
  dropout: one<DropoutAttrs>(({ inputs: [x, seed], outputs: [output], attrs: { p, salt } }) => ({
    shader: shader('dropout'),
    args: [...[x, seed, output].map(wordOf), count(x), salt, dropThreshold(p), float(1 / (1 - p))],
    workgroups: each(Math.ceil(count(x) / 2)),
  })),
  sgd,
  adam: adam(0),
  adamw: adam(1),
  quantize: one<QuantAttrs>(({ inputs: [x], outputs: [output], attrs: { scale, zeroPoint } }) => ({
    shader: shader('quantize'),
    args: [
      ...[wordOf(x), wordOf(output), count(x), float(inverseScale(scale)), zeroPoint],
      ...(output.dtype === 'u8' ? [0, 255] : [-128, 127]),
    ],
    workgroups: each(packed(count(x))),
  })),
  dequantize: one<QuantAttrs>(({ inputs: [x], outputs: [output], attrs: { scale, zeroPoint } }) => ({
    shader: shader('dequantize', { SIGNED: x.dtype === 'i8' ? 1 : 0 }),
    args: [wordOf(x), wordOf(output), count(x), zeroPoint, float(scale)],
    workgroups: each(count(x)),
  })),
  activation_i8: one(({ inputs: [x, table], outputs: [output] }) => ({
    shader: shader('activation_i8'),
    args: [...[x, table, output].map(wordOf), count(x)],
    workgroups: each(packed(count(x))),
  })),
};

/** The kernel of an op, its attributes untyped. */
export const kernelOf = (name: OpName): Kernel | Unsupported => kernels[name];
