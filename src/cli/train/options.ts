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

/** How it can get there: optimizers, with their own learning rates. */
export const rates = {
  adamw: 1e-3,
  adam: 1e-3,
  sgd: 1e-3,
  nadam: 2e-3,
  rmsprop: 1e-2,
  adagrad: 1e-2,
  adadelta: 1,
  lion: 1e-4,
  lamb: 1e-3,
} as const;

export type OptimizerName = keyof typeof rates;

/** How the learning rate goes from there. */
export const lrSchedules = ['constant', 'cosine', 'linear', 'one-cycle'] as const;
export type ScheduleName = (typeof lrSchedules)[number];

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
  readonly teacher?: string;
  readonly temperature?: number;
  readonly alpha?: number;
  readonly optimizer: OptimizerName;
  readonly lr?: number;
  readonly lrSchedule: ScheduleName;
  readonly warmup?: number;
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
  readonly metrics?: readonly string[];
  readonly earlyStopping?: number;
  readonly classWeights?: 'balanced';
  readonly checkpoint?: string;
  readonly every: number;
  readonly resume: boolean;
  readonly terminateOnNan: boolean;
  readonly output: string;
}
