import { type ActivationRef, activationParameter, type GeluAttrs } from '../../ops/activation.ts';
import { float, type Word } from './record.ts';

/** The files of an activation, to be joined to a kernel that calls forward() or backward(). */
export function activationFiles(activation: ActivationRef | undefined): [files: string[], parameter: Word] {
  if (!activation) return [['activation_none'], float(0)];
  const { name, attrs } = activation;
  const tanh = name === 'gelu' && (attrs as GeluAttrs).approximate === 'tanh';
  return [['math', `activation_${name}${tanh ? '_tanh' : ''}`], float(activationParameter(attrs))];
}
