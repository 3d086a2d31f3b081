import type { Program } from '../../backend/backend.ts';
import { checkBounds } from '../../backend/program.ts';
import { flag, whole } from '../../core/checks.ts';
import { allocate } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { optionsOf } from '../../core/options.ts';
import { sizeOf } from '../../core/shape.ts';
import { type AnyDataSet, type NamedDataSet, named } from '../../data/index.ts';
import { slotsOf } from '../../model/signature.ts';
import { trainSlots } from '../../plans/train.ts';
import type { TrainingCore } from './core.ts';
import { checkData, checkTargets } from './fit-options.ts';
import { expectAverage } from './reading.ts';

/** Options of training.evaluate(). */
export interface EvaluateOptions {
  /** Samples that go through together; 64 if not given. */
  readonly batchSize?: number;
  /** Look at the mean of the weights that the training keeps (see `average` of train) instead of the weights; false if not given. */
  readonly average?: boolean;
}

const check = optionsOf<EvaluateOptions>('evaluate', { batchSize: whole(1), average: flag });

/** How a model in training does on samples that it does not learn from. */
export interface Evaluation {
  /** The loss, its mean over all samples. */
  readonly loss: number;
  /** Samples that were looked at. */
  readonly samples: number;
}

/** The entry of a training's program that evaluates. */
export const EVALUATE = 'evaluate';

/** Runs all samples, in order, through the entry beside the training; batches take turns with what else the engine does. */
export async function evaluateOn(
  core: TrainingCore,
  given: AnyDataSet,
  options: EvaluateOptions | undefined,
): Promise<Evaluation> {
  const { batchSize = 64, average = false } = check(options);
  if (average) expectAverage(core);
  checkData(given, 1);
  const data = named(given);
  const most = Math.min(batchSize, data.length);
  await core.lanes.upkeep(() => core.prepareEvaluation(data, most, average));
  let total = 0;
  for (let at = 0; at < data.length; at += most) {
    const rows = Math.min(most, data.length - at);
    const samples = Uint32Array.from({ length: rows }, (_, i) => at + i);
    const loss = await core.lanes.upkeep(() =>
      core.stepper.using(({ program }) => lossOn(program, data, samples)),
    );
    total += loss * rows;
    await core.lanes.betweenSteps();
  }
  return { loss: total / data.length, samples: data.length };
}

/** The mean loss of some samples. */
async function lossOn(program: Program, data: NamedDataSet, samples: Uint32Array): Promise<number> {
  const { slots } =
    program.plans[EVALUATE] ?? fail('busy', 'the training moved on to a program that evaluates nothing');
  checkTargets(data, slotsOf('target', slots));
  const rows = samples.length;
  const inputs = Object.values(slots).filter(({ role }) => role === 'input');
  const arrays = Object.fromEntries(
    inputs.map(({ name, dtype, shape }) => [name, allocate(dtype, rows * sizeOf(shape.slice(1)))]),
  );
  await data.gather(samples, slotsOf('input', arrays), slotsOf('target', arrays));
  for (const slot of inputs) {
    checkBounds(slot, arrays[slot.name], samples);
    program.write(slot, arrays[slot.name]);
  }
  program.run({ entry: EVALUATE, rows });
  return (await program.read(slots[trainSlots.loss]))[0];
}
