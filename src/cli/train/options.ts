import { nn } from '../../node.ts';
import type { Header } from '../data/source.ts';
import type { Common } from '../options.ts';

/** What `biphase train` can bring down, by its name there. */
export const losses = {
  'cross-entropy': nn.crossEntropy,
  mse: nn.mse,
  huber: nn.huber,
  'bce-with-logits': nn.bceWithLogits,
} as const;

export type LossName = keyof typeof losses;

/** How it can get there. */
export const optimizers = [
  'adamw',
  'adam',
  'sgd',
  'nadam',
  'rmsprop',
  'adagrad',
  'adadelta',
  'lion',
  'lamb',
] as const;

export type OptimizerName = (typeof optimizers)[number];

/** The options of `biphase train`. */
export interface TrainOptions extends Common {
  readonly data: string;
  readonly labels?: string;
  readonly target?: string;
  readonly hidden: number[];
  readonly activation: keyof typeof nn.activations;
  readonly dropout: number;
  readonly model?: string;
  readonly loss?: LossName;
  readonly optimizer: OptimizerName;
  readonly lr?: number;
  readonly weightDecay?: number;
  readonly momentum: number;
  readonly clipNorm?: number;
  readonly accumulate?: number;
  readonly epochs: number;
  readonly batch?: number;
  readonly seed: number;
  readonly header: Header;
  readonly normalize: boolean;
  readonly scale?: number;
  readonly validation: number;
  readonly checkpoint?: string;
  readonly every: number;
  readonly resume: boolean;
  readonly terminateOnNan: boolean;
  readonly output: string;
}
