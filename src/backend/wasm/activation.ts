import { oneOf } from '../../core/checks.ts';
import { type Activation, kinds } from '../../generated/records.ts';
import { type ActivationName, type ActivationRef, activationKernel } from '../../ops/activation.ts';

/** Every name that callers may give: gelu_tanh is gelu, approximated. */
export const activationNames = (Object.keys(kinds.activation) as Activation[]).filter(
  (name): name is ActivationName => name !== 'none' && name !== 'gelu_tanh',
);
export const activationCheck = oneOf(...activationNames);

/** An activation as records name it, and the number it takes. */
export function activationOf(ref: ActivationRef | undefined): { activation: Activation; parameter: number } {
  if (!ref) return { activation: 'none', parameter: 0 };
  const { kernel, parameter } = activationKernel(ref);
  return { activation: kernel, parameter };
}
