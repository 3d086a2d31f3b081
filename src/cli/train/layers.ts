import { nn, optim } from '../../node.ts';
import { rates, type ScheduleName, type TrainOptions } from './options.ts';

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

/** The optimizer for so many steps. */
export function optimizerOf(options: TrainOptions, steps: number): optim.Optimizer {
  const { optimizer, weightDecay, momentum } = options;
  const lr = rateOf(options, steps);
  if (optimizer === 'sgd' || optimizer === 'rmsprop') return optim[optimizer]({ lr, weightDecay, momentum });
  return optim[optimizer]({ lr, weightDecay });
}

/** How the learning rate goes from the highest on, over so many steps. */
const schedules: Readonly<Record<ScheduleName, (lr: number, steps: number) => (step: number) => number>> = {
  constant: (lr) => () => lr,
  cosine: (lr, total) => optim.cosine({ lr, total }),
  linear: (lr, totalIters) => optim.linear({ lr, startFactor: 1, endFactor: 0, totalIters }),
  'one-cycle': (maxLr, totalSteps) => optim.oneCycle({ maxLr, totalSteps }),
};

function rateOf(
  { optimizer, lr = rates[optimizer], lrSchedule, warmup = 0 }: TrainOptions,
  steps: number,
): optim.Rate {
  const after = schedules[lrSchedule](lr, Math.max(1, steps - warmup));
  return (step) => (step <= warmup ? (lr * step) / warmup : after(step - warmup));
}
