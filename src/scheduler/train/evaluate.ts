import type { Program } from '../../backend/backend.ts';
import { checkBounds } from '../../backend/program.ts';
import { flag, listOf, whole } from '../../core/checks.ts';
import { allocate, type TypedArray } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { optionsOf } from '../../core/options.ts';
import { sizeOf } from '../../core/shape.ts';
import { type AnySamples, inOrder, type SomeSamples, typesOf } from '../../data/batches.ts';
import type { NamedDataSet } from '../../data/index.ts';
import { isMetric, type Metric } from '../../metrics/metric.ts';
import { slotsOf } from '../../model/signature.ts';
import { trainSlots } from '../../plans/train.ts';
import type { TrainingCore } from './core.ts';
import { checkData, checkTargets } from './fit-options.ts';
import { expectAverage } from './reading.ts';
import type { Evaluation } from './validation-options.ts';

/** Options of training.evaluate(). */
export interface EvaluateOptions {
  /** Samples that go through together; 64 if not given. */
  readonly batchSize?: number;
  /** Look at the mean of the weights that the training keeps (see `average` of train) instead of the weights; false if not given. */
  readonly average?: boolean;
  /** What is measured besides the loss, of a model with one output and one target: `[metrics.accuracy()]`. */
  readonly metrics?: readonly Metric[];
}

const check = optionsOf<EvaluateOptions>('evaluate', {
  batchSize: whole(1),
  average: flag,
  metrics: listOf(isMetric),
});

/** The entry of a training's program that evaluates. */
export const EVALUATE = 'evaluate';

/** Runs all samples, in order, through the entry beside the training; batches take turns with what else the engine does. */
export async function evaluateOn(
  core: TrainingCore,
  data: AnySamples,
  options: EvaluateOptions | undefined,
): Promise<Evaluation> {
  const { batchSize = 64, average = false, metrics = [] } = check(options);
  if (average) expectAverage(core);
  checkData(data, 1);
  const most = Math.min(batchSize, data.length ?? batchSize);
  const types = typesOf(data);
  const gathered = new Map(metrics.map((metric) => [metric.name, metric.start()]));
  if (gathered.size < metrics.length)
    fail(
      'invalid_argument',
      `evaluate: two metrics are named alike: ${metrics.map(({ name }) => name).join(', ')}`,
    );
  await core.lanes.upkeep(() => core.prepareEvaluation(types, most, average));
  let total = 0;
  let seen = 0;
  for await (const some of inOrder(data, most)) {
    const { loss, output, target } = await core.lanes.upkeep(() =>
      core.stepper.using(({ program }) => answersOn(program, types, some, gathered.size > 0)),
    );
    for (const gathering of gathered.values()) gathering.add(output!, target!);
    total += loss * some.samples.length;
    seen += some.samples.length;
    await core.lanes.betweenSteps();
  }
  if (seen === 0) fail('invalid_data', 'evaluate: the stream has no rows; expected at least one');
  const values = [...gathered].map(([name, gathering]) => [name, gathering.value()]);
  return { loss: total / seen, samples: seen, metrics: Object.fromEntries(values) };
}

interface Answers {
  readonly loss: number;
  readonly output?: TypedArray;
  readonly target?: TypedArray;
}

/** The mean loss of some samples; with `answers` also what the model makes of them, and what it should. */
async function answersOn(
  program: Program,
  types: Pick<NamedDataSet, 'targets'>,
  { samples, fill }: SomeSamples,
  answers: boolean,
): Promise<Answers> {
  const { slots } =
    program.plans[EVALUATE] ?? fail('busy', 'the training moved on to a program that evaluates nothing');
  checkTargets(types, slotsOf('target', slots));
  const rows = samples.length;
  const inputs = Object.values(slots).filter(({ role }) => role === 'input');
  const arrays = Object.fromEntries(
    inputs.map(({ name, dtype, shape }) => [name, allocate(dtype, rows * sizeOf(shape.slice(1)))]),
  );
  await fill(slotsOf('input', arrays), slotsOf('target', arrays));
  for (const slot of inputs) {
    checkBounds(slot, arrays[slot.name], samples);
    program.write(slot, arrays[slot.name]);
  }
  program.run({ entry: EVALUATE, rows });
  const [loss] = await program.read(slots[trainSlots.loss]);
  if (!answers) return { loss };
  if (!slots.output || !arrays.target)
    fail('unsupported', 'evaluate: metrics are for models with one output and one target, without names');
  return { loss, output: await program.read(slots.output), target: arrays.target };
}
