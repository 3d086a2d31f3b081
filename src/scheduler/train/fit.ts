import { fail } from '../../core/errors.ts';
import { isStream } from '../../data/batches.ts';
import { checkWritable } from '../../io/file.ts';
import { slotsOf } from '../../model/signature.ts';
import type { TrainingCore } from './core.ts';
import { printOf } from './data-print.ts';
import type { Fed, Feed } from './feed.ts';
import { Broken } from './finite.ts';
import { checkData, checkTargets, type FitOptions, type StepReport } from './fit-options.ts';
import type { Keeper } from './keeping.ts';
import { Validation } from './validation.ts';
import type { Evaluation } from './validation-options.ts';

/** The steps of a fit whose options and data have been checked, each reported when its loss is there. */
export async function* fitSteps(
  core: TrainingCore,
  keeper: Keeper,
  feed: Feed,
  options: FitOptions,
): AsyncGenerator<StepReport, void, void> {
  const { batchSize, epochs = 1, seed = 0, lossEvery = 1, signal, checkpoint } = options;
  const { data } = feed;
  const shuffle = options.shuffle ?? !isStream(data);
  const { terminateOnNaN = core.watches, dropLast = false, earlyStopping } = options;
  if (earlyStopping && !options.validation)
    fail('invalid_argument', 'fit: earlyStopping needs to know what to watch: give { validation: { data } }');
  const validation = options.validation && new Validation(core, options.validation, earlyStopping);
  if (options.validation) checkData(options.validation.data, 1);
  const { stepper, lanes } = core;
  const sound = (report: StepReport): StepReport => {
    if (terminateOnNaN && !Number.isFinite(report.loss)) throw new Broken();
    return report;
  };
  if (checkpoint) await checkWritable(checkpoint.path);
  const { train } = await core.prepare(data, batchSize);
  checkTargets(data, slotsOf('target', train.plan.slots));
  const where = {
    ...{ batchSize, seed, shuffle, dropLast, samples: data.length ?? 0 },
    data: checkpoint && !isStream(data) ? await printOf(data) : undefined,
  };
  let stream = feed.at;
  let done = await keeper.begin(checkpoint, { ...where, stream }, async (position) => {
    await feed.begin(position.done, position.stream);
    stream = feed.at;
  });
  await stepper.watch(terminateOnNaN);
  const keep = (path: string) => keeper.write(path, { ...where, done, stream });
  /** The next batch. Where there is none to be had, all steps so far are kept. */
  const next = async (): Promise<Fed | undefined> => {
    try {
      signal?.throwIfAborted();
      return await feed.next(signal);
    } catch (error) {
      if (checkpoint) await keep(checkpoint.path);
      else await lanes.upkeep(() => stepper.check());
      if (!signal?.aborted || error !== signal.reason) throw error;
      const of = Number.isFinite(feed.steps) ? ` of ${feed.steps}` : '';
      return fail('aborted', `training was stopped after ${done}${of} steps; the weights are intact`, {
        cause: error,
      });
    }
  };
  let onItsWay: Promise<StepReport> | undefined;
  for (let fed = await next(); fed; fed = fed.ends ? undefined : await next()) {
    const { samples, fill, epoch, steps } = fed;
    if (stepper.current?.batch !== samples.length) {
      // Losses on their way come from the program that is about to go.
      await onItsWay?.catch(() => undefined);
      await lanes.upkeep(() => core.prepare(data, samples.length));
    }
    const looks = fed.endsEpoch && validation?.due(epoch, epochs);
    const wanted = looks || (done + 1) % lossEvery === 0 || fed.ends;
    const { loss } = await core.make({ fill, samples, epoch }, { loss: wanted, wait: lossEvery === 1 });
    done++;
    stream = fed.stream;
    let seen: Evaluation | undefined;
    if (looks) {
      if (onItsWay) yield sound(await onItsWay);
      onItsWay = undefined;
      if (terminateOnNaN && !Number.isFinite(await loss!)) throw new Broken();
      // Before the checkpoint, which keeps what schedules were told of it.
      seen = await validation!.look();
    }
    if (checkpoint && (done % checkpoint.everySteps === 0 || fed.ends)) await keep(checkpoint.path);
    // The last update has no loss after it that would tell.
    if (terminateOnNaN && fed.ends) await lanes.upkeep(() => stepper.check());
    if (loss) {
      const now = { step: stepper.step, epoch, steps, done };
      const report = loss.then((value) => ({ ...now, loss: value }));
      if (seen) {
        yield { ...sound(await report), validation: seen };
        if (validation!.stops) break;
      } else if (lossEvery === 1) yield sound(await report);
      else {
        // If the caller leaves before it comes, nobody waits for it.
        report.catch(() => undefined);
        if (onItsWay) yield sound(await onItsWay);
        onItsWay = report;
      }
    }
    await lanes.betweenSteps();
  }
  if (onItsWay) yield sound(await onItsWay);
  if ((await validation?.restore()) && checkpoint) await keep(checkpoint.path);
}
