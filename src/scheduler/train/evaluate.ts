import type { Program } from '../../backend/backend.ts';
import { checkBounds } from '../../backend/program.ts';
import { flag, listOf, whole } from '../../core/checks.ts';
import { allocate, type TypedArray } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { optionsOf } from '../../core/options.ts';
import { sizeOf } from '../../core/shape.ts';
import { type AnySamples, inOrder, type SomeSamples, typesOf } from '../../data/batches.ts';
import type { NamedDataSet } from '../../data/index.ts';
import { answersTo } from '../../data/predict.ts';
import type { Plan } from '../../graph/plan.ts';
import { isMetric, type Metric } from '../../metrics/metric.ts';
import { type Arrays, bySlot, slotsOf } from '../../model/signature.ts';
import { type LossTerm, lossTerms } from '../../plans/loss-terms.ts';
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
  let seen = 0;
  const sums = new Map<string, Sum>();
  for await (const some of inOrder(data, most)) {
    const { losses, output, target } = await core.lanes.upkeep(() =>
      core.stepper.using(({ program }) => answersOn(program, types, some, gathered.size > 0)),
    );
    for (const gathering of gathered.values()) gathering.add(output!, target!);
    for (const { term, value, weight } of losses) {
      const { sum, of } = sums.get(term.value) ?? { sum: 0, of: 0 };
      // What weighs nothing has no mean.
      sums.set(term.value, {
        sum: weight === 0 ? sum : sum + value * weight,
        of: term.isSum ? 1 : of + weight,
      });
    }
    seen += some.samples.length;
    await core.lanes.betweenSteps();
  }
  if (seen === 0) fail('invalid_data', 'evaluate: the stream has no rows; expected at least one');
  const values = [...gathered].map(([name, gathering]) => [name, gathering.value()]);
  const loss = [...sums.values()].reduce((total, { sum, of }) => total + sum / of, 0);
  return { loss, samples: seen, metrics: Object.fromEntries(values) };
}

/** A part of the loss so far, and what it is to be divided by. */
interface Sum {
  readonly sum: number;
  readonly of: number;
}

interface Answers {
  /** Each part of the loss, and how much it weighs: by samples, or by their weights. */
  readonly losses: readonly { readonly term: LossTerm; readonly value: number; readonly weight: number }[];
  readonly output?: TypedArray;
  readonly target?: TypedArray;
}

/** The parts of the loss on some samples; with `answers` also what the model makes of them, and what it should. */
async function answersOn(
  program: Program,
  types: Pick<NamedDataSet, 'targets'>,
  { samples, fill }: SomeSamples,
  answers: boolean,
): Promise<Answers> {
  const slots = slotsFor(program);
  checkTargets(types, slotsOf('target', slots));
  const rows = samples.length;
  const arrays = arraysFor(slots, rows);
  await fill(slotsOf('input', arrays), slotsOf('target', arrays));
  runOn(program, arrays, samples);
  const losses: Answers['losses'][number][] = [];
  for (const term of lossTerms(slots)) {
    const [value] = await program.read(slots[term.value]);
    const weight = term.weight ? (await program.read(slots[term.weight]))[0] : term.isSum ? 1 : rows;
    losses.push({ term, value, weight });
  }
  if (!answers) return { losses };
  if (!slots.output || !arrays.target)
    fail('unsupported', 'evaluate: metrics are for models with one output and one target, without names');
  return { losses, output: await program.read(slots.output), target: arrays.target };
}

const slotsFor = (program: Program): Plan['slots'] =>
  (program.plans[EVALUATE] ?? fail('busy', 'the training moved on to a program that evaluates nothing'))
    .slots;

/** Arrays for all that so many samples hold, by slot. */
const arraysFor = (slots: Plan['slots'], rows: number): Record<string, TypedArray> =>
  Object.fromEntries(
    Object.values(slots)
      .filter(({ role }) => role === 'input')
      .map(({ name, dtype, shape }) => [name, allocate(dtype, rows * sizeOf(shape.slice(1)))]),
  );

function runOn(program: Program, arrays: Record<string, TypedArray>, samples: Uint32Array): void {
  const slots = slotsFor(program);
  for (const [name, values] of Object.entries(arrays)) {
    checkBounds(slots[name], values, samples);
    program.write(slots[name], values);
  }
  program.run({ entry: EVALUATE, rows: samples.length });
}

/** Options of training.predict(). */
export type PredictOptions = Pick<EvaluateOptions, 'batchSize' | 'average'>;

const checkPredict = optionsOf<PredictOptions>('predict', { batchSize: whole(1), average: flag });

/** What the model makes of all samples, in order: each output by its name. */
export async function predictOn(
  core: TrainingCore,
  data: AnySamples,
  options: PredictOptions | undefined,
): Promise<Arrays> {
  const { batchSize = 64, average = false } = checkPredict(options);
  if (average) expectAverage(core);
  checkData(data, 1);
  const most = Math.min(batchSize, data.length ?? batchSize);
  await core.lanes.upkeep(() => core.prepareEvaluation({ inputs: typesOf(data).inputs }, most, average));
  return answersTo(data, most, async (inputs, samples) => {
    const outputs = await core.lanes.upkeep(() =>
      core.stepper.using(async ({ program }) => {
        const slots = slotsFor(program);
        // Of targets, which play no part, all are 0.
        runOn(program, { ...arraysFor(slots, samples.length), ...bySlot('input', inputs) }, samples);
        const read: Record<string, TypedArray> = {};
        for (const [name, slot] of Object.entries(slotsOf('output', slots)))
          read[name] = await program.read(slot);
        return read;
      }),
    );
    await core.lanes.betweenSteps();
    return outputs;
  });
}
