import { fail } from '../../core/errors.ts';
import { isStream } from '../../data/batches.ts';
import { checkWritable } from '../../io/file.ts';
import { slotsOf } from '../../model/signature.ts';
import type { TrainingCore } from './core.ts';
import { printOf } from './data-print.ts';
import type { Fed, Feed } from './feed.ts';
import { Broken } from './finite.ts';
import { checkData, checkTargets, type FitOptions, type StepReport } from './fit-options.ts';
import type { History } from './history.ts';
import type { Keeper } from './keeping.ts';
import { Validation } from './validation.ts';

/** The steps of a fit whose options and data have been checked, each reported when its loss is there. */
export async function* fitSteps(
  core: TrainingCore,
  keeper: Keeper,
  feed: Feed,
  options: FitOptions,
  history: History,
): AsyncGenerator<StepReport, void, void> {
  const { batchSize, epochs = 1, seed = 0, lossEvery = 1, signal, checkpoint } = options;
  const { data } = feed;
  const shuffle = options.shuffle ?? !isStream(data);
  const { terminateOnNaN = core.watches, dropLast = false, earlyStopping, onStep, onEpoch } = options;
  if (earlyStopping && !options.validation)
    fail('invalid_argument', 'fit: earlyStopping needs to know what to watch: give { validation: { data } }');
  const validation = options.validation && new Validation(core, options.validation, earlyStopping);
  if (options.validation) checkData(options.validation.data, 1);
  const { stepper, lanes } = core;
  if (checkpoint) await checkWritable(checkpoint.path);
  const { train } = await core.prepare(data, batchSize);
  checkTargets(data, slotsOf('target', train.plan.slots));
  await validation?.prepare(options);
  const where = {
    ...{ batchSize, seed, shuffle, dropLast, samples: data.length ?? 0 },
    data: checkpoint && !isStream(data) ? await printOf(data) : undefined,
  };
  let stream = feed.at;
  let done = await keeper.begin(checkpoint, { ...where, stream }, async (found) => {
    validation?.resume(found);
    history.resume(found.history);
    await feed.begin(found.position.done, found.position.stream);
    stream = feed.at;
  });
  await stepper.watch(terminateOnNaN);
  /** Keeps all steps so far; where nothing is to be kept, looks through them as that does. */
  const keep = (): Promise<void> =>
    checkpoint
      ? keeper.write(checkpoint.path, {
          ...{ position: { ...where, done, stream }, stopping: validation?.state, history: history.text },
        })
      : lanes.upkeep(() => stepper.check());
  /** Puts the training where it was best, and keeps that. */
  const leave = async (unkept: boolean): Promise<void> => {
    if ((await validation?.leave()) || unkept) await keep();
  };
  /** A report whose loss is there. */
  const arrived = async (coming: Promise<StepReport>): Promise<StepReport> => {
    const report = await coming;
    if (terminateOnNaN && !Number.isFinite(report.loss)) throw new Broken();
    history.add(report);
    return report;
  };
  let stopped = false;
  /** Tells a callback, which may stop the fit. What it throws ends that too, with all steps so far kept. */
  const tell = async <R>(callback: ((report: R) => unknown) | undefined, report: R): Promise<void> => {
    try {
      if ((await callback?.(report)) === 'stop') stopped = true;
    } catch (error) {
      const also = await keep().catch((failed: unknown) => [failed]);
      throw also
        ? new AggregateError([error, ...also], `${error}; nor could a checkpoint be written`)
        : error;
    }
  };
  let onItsWay: Promise<StepReport> | undefined;
  /** The next batch. Where there is none to be had, all steps so far are kept. */
  const next = async (): Promise<Fed | undefined> => {
    try {
      signal?.throwIfAborted();
      return await feed.next(signal);
    } catch (error) {
      if (onItsWay) await arrived(onItsWay);
      const { step } = stepper;
      if (!signal?.aborted || error !== signal.reason) {
        await keep();
        throw error;
      }
      await leave(true);
      const of = Number.isFinite(feed.steps) ? ` of ${feed.steps}` : '';
      const best = stepper.step < step ? `those of the best look, after step ${stepper.step}` : 'intact';
      return fail('aborted', `training was stopped after ${done}${of} steps; the weights are ${best}`, {
        cause: error,
      });
    }
  };
  let ends = false;
  while (!ends && !stopped && !validation?.stops) {
    const fed = await next();
    if (!fed) break;
    const { samples, fill, epoch, steps } = fed;
    if (stepper.current?.batch !== samples.length) {
      // Losses on their way come from the program that is about to go.
      await onItsWay?.catch(() => undefined);
      await lanes.upkeep(() => core.prepare(data, samples.length));
    }
    ends = fed.ends;
    const looks = fed.endsEpoch && validation?.due(epoch, epochs) === true;
    const wanted = looks || ends || (done + 1) % lossEvery === 0;
    const { loss } = await core.make({ fill, samples, epoch }, { loss: wanted, wait: lossEvery === 1 });
    done++;
    stream = fed.stream;
    const now = { step: stepper.step, epoch, steps, done, samples: samples.length };
    const coming = loss?.then((value) => ({ ...now, loss: value }));
    // If the caller leaves before it comes, nobody waits for it.
    coming?.catch(() => undefined);
    const saves = checkpoint && (done % checkpoint.everySteps === 0 || ends);
    const settles = lossEvery === 1 || fed.endsEpoch || saves;
    if (onItsWay && (coming || settles)) {
      const report = await arrived(onItsWay);
      onItsWay = undefined;
      await tell(onStep, report);
      yield report;
    }
    if (!settles) onItsWay ??= coming;
    else {
      let report = coming && (await arrived(coming));
      // Before the look: what it measures is for the steps to come.
      const learningRate = stepper.rateOf(core.options.optimizer);
      // Before the checkpoint, which keeps what schedules were told of it.
      const seen = looks ? { validation: await validation!.look() } : {};
      const ended = fed.endsEpoch
        ? history.close({ epoch, step: stepper.step, learningRate, ...seen })
        : undefined;
      if (saves || validation?.stops) await keep();
      // The last update has no loss after it that would tell.
      if (terminateOnNaN && ends) await lanes.upkeep(() => stepper.check());
      if (report) {
        report = { ...report, ...seen };
        await tell(onStep, report);
      }
      if (ended) await tell(onEpoch, ended);
      if (report) yield report;
    }
    await lanes.betweenSteps();
  }
  if (onItsWay) {
    const report = await arrived(onItsWay);
    await tell(onStep, report);
    yield report;
  }
  await leave(stopped);
}
