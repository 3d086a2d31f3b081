import { check, flag, listOf, object, real, required, text, whole } from '../../core/checks.ts';
import { nested } from '../../core/options.ts';
import type { AnySamples } from '../../data/batches.ts';
import { isMetric, type Metric } from '../../metrics/metric.ts';

/** How a model in training does on samples that it does not learn from. */
export interface Evaluation {
  /** The loss of all samples as one batch: a mean over them, by their weights where they have weights, or a sum. */
  readonly loss: number;
  /** Samples that were looked at. */
  readonly samples: number;
  /** What was asked for, by name. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** How a fit looks at samples that it does not learn from. */
export interface ValidationOptions {
  /** The samples; of a stream its first pass, each time. */
  readonly data: AnySamples;
  /** Epochs from one look to the next; 1 if not given. There is always one after the last. */
  readonly everyEpochs?: number;
  /** Samples that go through together; 64 if not given. */
  readonly batchSize?: number;
  /** What is measured besides the loss. */
  readonly metrics?: readonly Metric[];
}

/** When a fit ends before its last epoch, and what it leaves. */
export interface EarlyStoppingOptions {
  /** What has to become better: 'loss', as if not given, or the name of one of the validation's metrics. */
  readonly monitor?: string;
  /** Looks in a row that bring nothing better before it stops, from 1; 5 if not given. */
  readonly patience?: number;
  /** By how much better something must be to count; 0 if not given. */
  readonly minDelta?: number;
  /** Put the training where it was at the best look, when it stops and when the epochs run out; on by default. */
  readonly restoreBest?: boolean;
}

export const validationCheck = nested<ValidationOptions>("fit's validation", {
  data: required(check('a data set', object)),
  everyEpochs: whole(1),
  batchSize: whole(1),
  metrics: listOf(isMetric),
});
export const earlyStoppingCheck = nested<EarlyStoppingOptions>("fit's earlyStopping", {
  monitor: text,
  patience: whole(1),
  minDelta: real(0),
  restoreBest: flag,
});
