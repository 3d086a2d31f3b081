import { fail } from '../../core/errors.ts';
import { isStream } from '../../data/batches.ts';
import { named } from '../../data/index.ts';
import { slotsOf } from '../../model/signature.ts';
import { type Checkpoint, differs } from './checkpoint.ts';
import type { Stopping } from './checkpoint-stopping.ts';
import type { TrainingCore } from './core.ts';
import { type DataPrint, difference, printOf } from './data-print.ts';
import { evaluateOn } from './evaluate.ts';
import { checkTargets, type FitOptions } from './fit-options.ts';
import type { Snapshot } from './snapshots.ts';
import type { EarlyStoppingOptions, Evaluation, ValidationOptions } from './validation-options.ts';

/** Looks at the validation samples after epochs, remembers the best, and says when to stop. */
export class Validation {
  private readonly core: TrainingCore;
  private readonly options: ValidationOptions;
  private readonly stopping: EarlyStoppingOptions | undefined;
  private readonly monitor: string;
  private best:
    | { readonly value: number; readonly state: Snapshot | undefined; readonly step: number }
    | undefined;
  private waited = 0;
  /** Where the steps led, once the training was put where it was best. */
  private last: Snapshot | undefined;
  private print: DataPrint | undefined;

  constructor(core: TrainingCore, options: ValidationOptions, stopping: EarlyStoppingOptions | undefined) {
    this.core = core;
    this.options = options;
    this.stopping = stopping;
    this.monitor = stopping?.monitor ?? 'loss';
    const names = ['loss', ...(options.metrics ?? []).map(({ name }) => name)];
    if (!names.includes(this.monitor))
      fail(
        'invalid_argument',
        `fit's earlyStopping: monitor is '${this.monitor}', expected one of what the validation measures: ${names.join(', ')}`,
      );
  }

  /** Refuses samples that the training, which is prepared, can't look at. */
  async prepare({ checkpoint, batchSize }: FitOptions): Promise<void> {
    const given = this.options.data;
    const data = isStream(given) ? given : named(given);
    const { train } = await this.core.prepare(data, batchSize);
    checkTargets(data, slotsOf('target', train.plan.slots));
    if (checkpoint && this.stopping && !isStream(data)) this.print = await printOf(data);
  }

  /** What a checkpoint keeps of it. */
  get state(): Stopping | undefined {
    const { stopping, monitor, waited, best, last, print: data } = this;
    if (!stopping) return undefined;
    const isHere = best?.step === this.core.stepper.step;
    return {
      ...{
        monitor,
        waited,
        data,
        left: last !== undefined,
        other: last ?? (isHere ? undefined : best?.state),
      },
      best: best && { step: best.step, value: best.value },
    };
  }

  /** Waits from where a checkpoint's fit did. Throws 'invalid_argument' where that watched something else. */
  resume({ stopping: was, snapshot }: Checkpoint): void {
    if (!this.stopping || !was) return;
    differs('what earlyStopping watches', was.monitor, this.monitor);
    const other = difference(was.data, this.print);
    if (other) fail('invalid_argument', `fit's validation: ${other}`);
    this.waited = was.waited;
    const isHere = was.best?.step === snapshot.step;
    const state = was.left ? snapshot : (was.other ?? (isHere ? copied(snapshot) : undefined));
    const { restoreBest = true } = this.stopping;
    this.best = was.best && { ...was.best, state: restoreBest ? state : undefined };
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
    const { monitor } = this;
    const { minDelta = 0, restoreBest = true } = this.stopping ?? {};
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

  /** Puts the training where it was best, from where its steps led; false where it is there, or is to stay. */
  async leave(): Promise<boolean> {
    const { best, core } = this;
    if (!best?.state || best.step === core.stepper.step) return false;
    this.last = await this.keep();
    await core.lanes.upkeep(() => core.stepper.restore(best.state!));
    return true;
  }

  private async keep(): Promise<Snapshot> {
    return copied(await this.core.lanes.upkeep(() => this.core.stepper.state()));
  }
}

/** The stepper writes over its own. */
function copied({ step, states, observed }: Snapshot): Snapshot {
  const copies = Object.entries(states).map(([name, values]) => [name, values.slice()]);
  return { step, states: Object.fromEntries(copies), observed: observed?.slice() };
}
