import { unary as record } from '../../../generated/records.ts';
import { type unary as rows, type UnaryName, unaryNames, unaryOf } from '../../../ops/unary.ts';
import { count, type Kernel, type Kernels, one } from './kernel.ts';

const kernel = (unary: UnaryName): Kernel =>
  one(({ inputs: [x], outputs: [y], attrs }, at) => {
    const [parameter, second] = unaryOf(unary).parameters?.(attrs) ?? [0, 0];
    return record({ unary, ...at({ x, y }), count: count(x), parameter, second });
  });

export const unary = Object.fromEntries(unaryNames.map((name) => [name, kernel(name)])) as Kernels<
  typeof rows
>;
