import { fail } from '../../core/errors.ts';
import { batchOrder, type NamedDataSet } from '../../data/index.ts';
import { checkWritable } from '../../io/file.ts';
import { slotsOf } from '../../model/signature.ts';
import type { TrainingCore } from './core.ts';
import { printOf } from './data-print.ts';
import { Broken } from './finite.ts';
import { checkData, checkTargets, type FitOptions, type StepReport } from './fit-options.ts';
import type { Keeper } from './keeping.ts';
import { Validation } from './validation.ts';
import type { Evaluation } from './validation-options.ts';

/** The steps of a fit whose options and data have been checked, each reported when its loss is there. */
export async function* fitSteps(
  core: TrainingCore,
  keeper: Keeper,
  data: NamedDataSet,
  options: FitOptions,
): AsyncGenerator<StepReport, void, void> {
  const { batchSize, epochs = 1, seed = 0, shuffle = true, lossEvery = 1, signal, checkpoint } = options;
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
    ...{ batchSize, seed, shuffle, dropLast, samples: data.length },
    data: checkpoint && (await printOf(data)),
  };
  const perEpoch = Math[dropLast ? 'floor' : 'ceil'](data.length / batchSize);
  const steps = perEpoch * epochs;
  let done = await keeper.begin(checkpoint, where);
  await stepper.watch(terminateOnNaN);
  let onItsWay: Promise<StepReport> | undefined;
  let order: Uint32Array | undefined;
  for (; done < steps; done++) {
    const epoch = Math.floor(done / perEpoch);
    if (signal?.aborted) {
      if (checkpoint) await keeper.write(checkpoint.path, { ...where, done });
      else await lanes.upkeep(() => stepper.check());
      fail('aborted', `training was stopped after ${done} of ${steps} steps; the weights are intact`, {
        cause: signal.reason,
      });
    }
    if (!order || done % perEpoch === 0) order = batchOrder(data.length, { seed, epoch, shuffle });
    const at = (done % perEpoch) * batchSize;
    const samples = order.subarray(at, at + batchSize);
    if (stepper.current?.batch !== samples.length) {
      // Losses on their way come from the program that is about to go.
      await onItsWay?.catch(() => undefined);
      await lanes.upkeep(() => core.prepare(data, samples.length));
    }
    const looks = (done + 1) % perEpoch === 0 && validation?.due(epoch + 1, epochs);
    const wanted = looks || (done + 1) % lossEvery === 0 || done + 1 === steps;
    const { loss } = await core.make(
      {
        fill: (inputs, targets) => data.gather(samples, inputs, targets),
        ...{ samples, epoch: epoch + 1 },
      },
      { loss: wanted, wait: lossEvery === 1 },
    );
    let seen: Evaluation | undefined;
    if (looks) {
      if (onItsWay) yield sound(await onItsWay);
      onItsWay = undefined;
      if (terminateOnNaN && !Number.isFinite(await loss!)) throw new Broken();
      // Before the checkpoint, which keeps what schedules were told of it.
      seen = await validation!.look();
    }
    if (checkpoint && ((done + 1) % checkpoint.everySteps === 0 || done + 1 === steps))
      await keeper.write(checkpoint.path, { ...where, done: done + 1 });
    // The last update has no loss after it that would tell.
    if (terminateOnNaN && done + 1 === steps) await lanes.upkeep(() => stepper.check());
    if (loss) {
      const now = { step: stepper.step, epoch: epoch + 1, steps, done: done + 1 };
      const report = loss.then((value) => ({ ...now, loss: value }));
      if (seen) {
        yield { ...sound(await report), validation: seen };
        if (validation!.stops) {
          done++;
          break;
        }
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
  if ((await validation?.restore()) && checkpoint) await keeper.write(checkpoint.path, { ...where, done });
}
