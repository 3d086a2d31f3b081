import { activationBackward as backwardRecord, activation as record } from '../../../generated/records.ts';
import { type ActivationName, activationNames, type activationRows } from '../../../ops/activation.ts';
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

export const activation = Object.fromEntries(
  activationNames.flatMap((name) => [
    [name, forward(name)],
    [`${name}_backward`, backward(name)],
  ]),
) as Kernels<typeof activationRows>;
