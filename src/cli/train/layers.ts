import { nn, optim } from '../../node.ts';
import type { TrainOptions } from './options.ts';

export function perceptron(
  inputs: number,
  outputs: number,
  { hidden, activation, dropout }: TrainOptions,
): nn.Module {
  const widths = [inputs, ...hidden];
  const layers = hidden.flatMap((width, i) => [
    nn.linear(widths[i], width),
    nn.activations[activation](),
    ...(dropout > 0 ? [nn.dropout(dropout)] : []),
  ]);
  return nn.sequential(...layers, nn.linear(widths[hidden.length], outputs));
}

export function optimizerOf({ optimizer, lr, weightDecay, momentum }: TrainOptions): optim.Optimizer {
  if (optimizer === 'sgd' || optimizer === 'rmsprop') return optim[optimizer]({ lr, weightDecay, momentum });
  return optim[optimizer]({ lr, weightDecay });
}
