import type { shaders } from '../../../generated/shaders.ts';
import { type unary as rows, type UnaryName, unaryNames, unaryOf } from '../../../ops/unary.ts';
import { float, wordOf } from '../record.ts';
import { count, each, type Kernel, type Kernels, one } from './kernel.ts';

/** A function without its shader does not compile. */
const fileOf = (name: UnaryName): keyof typeof shaders => `unary_${name}` as const;

const kernel = (name: UnaryName): Kernel =>
  one(({ inputs: [x], outputs: [y], attrs }) => {
    const parameters = unaryOf(name).parameters?.(attrs) ?? [0, 0];
    return {
      shader: { files: ['unary', 'math', 'angles', fileOf(name)] },
      args: [wordOf(x), wordOf(y), count(x), ...parameters.map(float)],
      workgroups: each(count(x)),
    };
  });

export const unary = Object.fromEntries(unaryNames.map((name) => [name, kernel(name)])) as Kernels<
  typeof rows
>;
