import { fail } from '../../core/errors.ts';
import type { TrainingCore } from './core.ts';
import { evaluateOn } from './evaluate.ts';
import type { Snapshot } from './snapshots.ts';
import type { EarlyStoppingOptions, Evaluation, ValidationOptions } from './validation-options.ts';

/** Looks at the validation samples after epochs, remembers the best, and says when to stop. */
export class Validation {
  private readonly core: TrainingCore;
  private readonly options: ValidationOptions;
  private readonly stopping: EarlyStoppingOptions | undefined;
  private best:
    | { readonly value: number; readonly state: Snapshot | undefined; readonly step: number }
    | undefined;
  private waited = 0;

  constructor(core: TrainingCore, options: ValidationOptions, stopping: EarlyStoppingOptions | undefined) {
    this.core = core;
    this.options = options;
    this.stopping = stopping;
    const { monitor = 'loss' } = stopping ?? {};
    const names = ['loss', ...(options.metrics ?? []).map(({ name }) => name)];
    if (!names.includes(monitor))
      fail(
        'invalid_argument',
        `fit's earlyStopping: monitor is '${monitor}', expected one of what the validation measures: ${names.join(', ')}`,
      );
  }

  /** Whether there is a look after this epoch. */
  due(epoch: number, epochs: number): boolean {
    return epoch === epochs || epoch % (this.options.everyEpochs ?? 1) === 0;
  }

  /** True once patience is at an end. */
  get stops(): boolean {
    return this.stopping !== undefined && this.waited >= (this.stopping.patience ?? 5);
  }

  async look(): Promise<Evaluation> {
    const { data, batchSize, metrics } = this.options;
    const seen = await evaluateOn(this.core, data, { batchSize, metrics });
    const { monitor = 'loss', minDelta = 0, restoreBest = true } = this.stopping ?? {};
    const value = monitor === 'loss' ? seen.loss : seen.metrics[monitor];
    if (Number.isFinite(value)) this.core.stepper.observe(value);
    if (!this.stopping) return seen;
    const highest = monitor !== 'loss' && metrics?.find(({ name }) => name === monitor)?.mode === 'max';
    const gain = this.best ? (highest ? value - this.best.value : this.best.value - value) : Infinity;
    // NaN is never better, also not than nothing.
    if (!Number.isNaN(value) && gain > minDelta) {
      const { step } = this.core.stepper;
      this.best = { value, step, state: restoreBest ? await this.keep() : undefined };
      this.waited = 0;
    } else this.waited++;
    return seen;
  }

  /** Puts the training where it was best; false where it is there. */
  async restore(): Promise<boolean> {
    const { best, core } = this;
    if (!best?.state || best.step === core.stepper.step) return false;
    await core.lanes.upkeep(() => core.stepper.restore(best.state!));
    return true;
  }

  /** A copy of all that the training is. */
  private async keep(): Promise<Snapshot> {
    const { step, states, observed } = await this.core.lanes.upkeep(() => this.core.stepper.state());
    const copies = Object.entries(states).map(([name, values]) => [name, values.slice()]);
    return { step, states: Object.fromEntries(copies), observed: observed?.slice() };
  }
}
