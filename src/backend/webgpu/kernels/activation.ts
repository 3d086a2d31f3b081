import type { shaders } from '../../../generated/shaders.ts';
import {
  type ActivationKernel,
  type ActivationName,
  type ActivationRef,
  activationKernel,
  activationNames,
  type activationRows as rows,
} from '../../../ops/activation.ts';
import { float, type Word, wordOf } from '../record.ts';
import { count, each, type Kernel, type Kernels, one } from './kernel.ts';

/** An activation without its shader does not compile. */
const fileOf = (kernel: ActivationKernel): keyof typeof shaders => `activation_${kernel}` as const;

/** The files of an activation, to be joined to a kernel that calls forward() or backward(). */
export function activationFiles(activation: ActivationRef | undefined): [files: string[], parameter: Word] {
  if (!activation) return [['activation_none'], float(0)];
  const { kernel, parameter } = activationKernel(activation);
  return [['math', fileOf(kernel)], float(parameter)];
}

const forward = (name: ActivationName): Kernel =>
  one(({ inputs: [x], outputs: [output], attrs }) => {
    const [files, p] = activationFiles({ name, attrs });
    return {
      shader: { files: ['activation', ...files] },
      args: [wordOf(x), wordOf(output), count(x), p],
      workgroups: each(count(x)),
    };
  });

const backward = (name: ActivationName): Kernel =>
  one(({ inputs: [dy, saved], outputs: [output], attrs }) => {
    const [files, p] = activationFiles({ name, attrs });
    return {
      shader: { files: ['activation_backward', ...files] },
      args: [wordOf(dy), wordOf(saved), wordOf(output), count(dy), p],
      workgroups: each(count(dy)),
    };
  });

export const activation = Object.fromEntries(
  activationNames.flatMap((name) => [
    [name, forward(name)],
    [`${name}_backward`, backward(name)],
  ]),
) as Kernels<typeof rows>;
