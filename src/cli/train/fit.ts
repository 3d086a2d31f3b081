import process from 'node:process';
import { BiphaseError, type data, type FitOptions, type Training } from '../../node.ts';
import { say } from '../print.ts';
import { trainingProgress } from '../progress.ts';
import type { TrainOptions } from './options.ts';

/** The mean loss of the last epoch, undefined where nothing was left to do; and whether the signal stopped it before its end. */
export async function fit(
  training: Training,
  set: data.DataSet,
  options: TrainOptions & { readonly batch: number },
  signal: AbortSignal,
  looks: Pick<FitOptions, 'validation' | 'earlyStopping'> = {},
): Promise<{ loss?: number; step: number; stopped: boolean }> {
  const { batch: batchSize, epochs, seed, checkpoint: path, every, resume } = options;
  const progress = trainingProgress({ batchSize, label: 'training', stream: process.stderr });
  const checkpoint = path ? { path, everySteps: every, resume } : undefined;
  const { terminateOnNan: terminateOnNaN } = options;
  const how = { batchSize, epochs, seed, signal, checkpoint, terminateOnNaN, ...looks };
  let loss: number | undefined;
  let last = training.step;
  let stopped = false;
  try {
    for await (const step of training.fit(set, how)) {
      loss = progress.step(step);
      last = step.step;
    }
  } catch (error) {
    if (!(error instanceof BiphaseError && error.code === 'aborted')) throw inOptions(error);
    stopped = true;
  } finally {
    progress.done();
  }
  return { loss, step: last, stopped };
}

/** The library names its options; whoever reads this has those of the command. */
function inOptions(error: unknown): unknown {
  if (!(error instanceof BiphaseError && error.code === 'not_finite')) return error;
  const message = error.message
    .replace('learning rate, clipNorm, or', 'learning rate (--lr), --clip-norm, or')
    .replace('terminateOnNaN: false', '--no-terminate-on-nan');
  return new BiphaseError(error.code, message, { cause: error });
}

/** fit() has written the checkpoint, and the caller is told how to go on. */
export function tellStopped(step: number, { checkpoint }: TrainOptions): void {
  say(
    checkpoint
      ? `stopped after step ${step}; the same command with --resume goes on from ${checkpoint}`
      : `stopped after step ${step}; nothing was written (with --checkpoint the state would have been kept)`,
  );
}
