import { oneOf } from '../../core/checks.ts';
import * as opcode from '../../generated/opcodes.ts';
import {
  type ActivationName,
  type ActivationRef,
  activationParameter,
  type GeluAttrs,
} from '../../ops/activation.ts';
import { float, type Word } from './tape.ts';

const activationCodes: Record<ActivationName, number> = {
  relu: opcode.RELU,
  leaky_relu: opcode.LEAKY_RELU,
  elu: opcode.ELU,
  gelu: opcode.GELU,
  silu: opcode.SILU,
  sigmoid: opcode.SIGMOID,
  tanh: opcode.TANH,
  softplus: opcode.SOFTPLUS,
  hardswish: opcode.HARDSWISH,
};

/** Every name that is taken. */
export const activationNames = oneOf(...Object.keys(activationCodes));

/** An activation's code, and the number it takes. */
export function activationWords(activation: ActivationRef | undefined): [code: number, parameter: Word] {
  if (!activation) return [0, float(0)];
  const { name, attrs } = activation;
  const approximate = name === 'gelu' && (attrs as GeluAttrs).approximate === 'tanh';
  return [approximate ? opcode.GELU_TANH : activationCodes[name], float(activationParameter(attrs))];
}
