import { activationBackward as backwardRecord, activation as record } from '../../../generated/records.ts';
import type { ActivationName, activationRows } from '../../../ops/activation.ts';
import { activationOf } from '../activation.ts';
import { count, type Kernel, type Kernels, one } from './kernel.ts';

const forward = (name: ActivationName): Kernel =>
  one(({ inputs: [x], outputs: [y], attrs }, at) =>
    record({ ...activationOf({ name, attrs }), ...at({ x, y }), count: count(x) }),
  );

/** Also what a product's derivative is. */
export const backward = (name: ActivationName): Kernel =>
  one(({ inputs: [dy, saved], outputs: [dx], attrs }, at) =>
    backwardRecord({ ...activationOf({ name, attrs }), ...at({ dy, saved, dx }), count: count(dy) }),
  );

export const activation: Kernels<typeof activationRows> = {
  relu: forward('relu'),
  relu_backward: backward('relu'),
  leaky_relu: forward('leaky_relu'),
  leaky_relu_backward: backward('leaky_relu'),
  elu: forward('elu'),
  elu_backward: backward('elu'),
  gelu: forward('gelu'),
  gelu_backward: backward('gelu'),
  silu: forward('silu'),
  silu_backward: backward('silu'),
  sigmoid: forward('sigmoid'),
  sigmoid_backward: backward('sigmoid'),
  tanh: forward('tanh'),
  tanh_backward: backward('tanh'),
  softplus: forward('softplus'),
  softplus_backward: backward('softplus'),
  hardswish: forward('hardswish'),
  hardswish_backward: backward('hardswish'),
};
