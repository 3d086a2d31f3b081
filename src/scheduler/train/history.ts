import { fail } from '../../core/errors.ts';
import type { Evaluation } from './validation-options.ts';

/** What one epoch of a fit came to. All of it is JSON, where NaN becomes null. */
export interface EpochReport {
  /** Epoch of this fit, counted from 1. */
  readonly epoch: number;
  /** Steps of the training at its end. */
  readonly step: number;
  /** The mean of its steps' losses by their samples, of those that were read (see `lossEvery`); undefined where none was. */
  readonly loss: number | undefined;
  /** The learning rate of its last step, outside of the optimizer's groups. */
  readonly learningRate: number;
  /** Where the fit looked at samples that it does not learn from: how the model did on them. */
  readonly validation?: Evaluation;
}

/** Gathers what each epoch of a fit came to. */
export class History {
  /** The epochs that ended; the array stays the same. */
  readonly epochs: EpochReport[] = [];
  /** Of the epoch under way: losses by samples, and samples. */
  private sum = 0;
  private samples = 0;

  add({ loss, samples }: { readonly loss: number; readonly samples: number }): void {
    this.sum += loss * samples;
    this.samples += samples;
  }

  /** Ends an epoch. */
  close(rest: Omit<EpochReport, 'loss'>): EpochReport {
    const { epoch, step, ...more } = rest;
    const report = { epoch, step, loss: this.samples ? this.sum / this.samples : undefined, ...more };
    this.epochs.push(report);
    [this.sum, this.samples] = [0, 0];
    return report;
  }

  /** For a checkpoint. */
  get text(): string {
    return JSON.stringify([this.epochs, this.sum, this.samples]);
  }

  /** Goes on from a checkpoint's. Throws 'invalid_data' for what is none. */
  resume(text: string | undefined): void {
    if (text === undefined) return;
    try {
      const [epochs, sum, samples] = JSON.parse(text, (_, x: unknown) => (x === null ? Number.NaN : x));
      const sound = ({ epoch, step }: EpochReport) =>
        Number.isSafeInteger(epoch) && Number.isSafeInteger(step);
      if (
        Array.isArray(epochs) &&
        epochs.every(sound) &&
        [sum, samples].every((n) => typeof n === 'number')
      ) {
        this.epochs.splice(0, Infinity, ...epochs);
        [this.sum, this.samples] = [sum, samples];
        return;
      }
    } catch {}
    fail('invalid_data', `the checkpoint's history is '${text.slice(0, 80)}', expected the epochs of a fit`);
  }
}
