import {
  callback,
  check,
  either,
  flag,
  object,
  oneOf,
  path,
  required,
  seed,
  sizes,
  whole,
} from '../../core/checks.ts';
import { fail } from '../../core/errors.ts';
import { expectValue, nested, optionsOf } from '../../core/options.ts';
import { sameShape, showShape } from '../../core/shape.ts';
import { type AnySamples, isStream } from '../../data/batches.ts';
import type { DataSet, NamedDataSet, StreamDataSet } from '../../data/index.ts';
import type { Slot } from '../../graph/plan.ts';
import type { Tensor } from '../../graph/trace.ts';
import { isSignature, type Signature } from '../../model/signature.ts';
import type { Values } from '../../nn/module.ts';
import { type TrainOptions, trainChecks } from '../../plans/train.ts';
import type { EpochReport } from './history.ts';
import type { RecoveryOptions } from './recovery.ts';
import {
  type EarlyStoppingOptions,
  type Evaluation,
  earlyStoppingCheck,
  type ValidationOptions,
  validationCheck,
} from './validation-options.ts';

/** Options of engine.train(). */
export interface TrainingOptions<O extends Values = Tensor, T extends Values = Tensor>
  extends TrainOptions<O, T> {
  /** Seed of the initial weights and of dropout. */
  readonly seed?: number;
  /** Shape of one input sample; taken from the first data set if not given. */
  readonly input?: readonly number[];
  /** Type of each input of one sample, by name: `{ ids: i32(128), mask: f32(128) }`; taken from the first data set if not given. */
  readonly inputs?: Signature;
  /**
   * How to get over a lost GPU, a dead thread or refused memory: the state is kept in memory every so many steps, and the
   * steps since are made again. On if not given; with false such an error ends the training.
   */
  readonly recovery?: RecoveryOptions | false;
  /**
   * Stop with a NotFiniteError where the loss, a gradient, a weight or a moment of the optimizer is NaN or infinite; the training
   * then stands before that step. Looked at whenever a loss is read, and the weights at every snapshot and checkpoint and
   * after the last step. On if not given.
   */
  readonly terminateOnNaN?: boolean;
}

/** Of models and losses whatever they take and give. */
export type AnyTrainingOptions = TrainingOptions<never, never>;

export const checkTraining = optionsOf<AnyTrainingOptions>('train', {
  ...trainChecks,
  seed,
  input: sizes,
  inputs: isSignature,
  recovery: either(
    nested<RecoveryOptions>("train's recovery", { everySteps: whole(1), onRecovery: callback }),
    oneOf(false),
  ),
  terminateOnNaN: flag,
});

/** Options of training.fit(). */
export interface FitOptions {
  /** Samples of one step, from 1. */
  readonly batchSize: number;
  /** Times that all samples are gone through; 1 if not given. */
  readonly epochs?: number;
  /** Steps of an epoch, where it is no pass over all samples: the next epoch goes on where it ended, and passes begin anew as they end. */
  readonly stepsPerEpoch?: number;
  /** Seed of the order of the samples; each epoch has its own order. */
  readonly seed?: number;
  /** Take samples in a new random order each epoch; on by default, but for streams, which have orders of their own. */
  readonly shuffle?: boolean;
  /**
   * Leave out the samples at an epoch's end that fill no whole batch; false if not given: they are a smaller batch, as with
   * PyTorch's drop_last. A plan of its own is compiled for that.
   */
  readonly dropLast?: boolean;
  /**
   * Report, and read the loss back, only every so many steps (and after the last one); 1 if not given. The steps between
   * are queued without waiting, and while one loss is on its way the next steps are queued already: a caller who leaves the
   * loop has made up to this many steps more than the last report says.
   */
  readonly lossEvery?: number;
  /**
   * Stops before the next step, with the error 'aborted'. The weights of the last whole step stay, or with `earlyStopping` those of the
   * best look; the checkpoint, if there is one, goes on from the last step.
   */
  readonly signal?: AbortSignal;
  /** Keeps the training on disk; not if not given. */
  readonly checkpoint?: CheckpointOptions;
  /** Looks at samples that it does not learn from after each epoch; reports of these steps have a `validation`. Not if not given. */
  readonly validation?: ValidationOptions;
  /** Ends it where the validation brings nothing better; not if not given. Checkpoints keep how long it waited, and the best. */
  readonly earlyStopping?: EarlyStoppingOptions;
  /**
   * Told of each report, before who loops over them is, and awaited. The fit ends after the step under way where it returns 'stop', as it
   * does when its epochs run out. An error in it ends the fit, with a checkpoint if it keeps some.
   */
  readonly onStep?: (report: StepReport) => unknown;
  /** The same for the end of each epoch. */
  readonly onEpoch?: (report: EpochReport) => unknown;
  /** As the training's option of that name, for this fit. */
  readonly terminateOnNaN?: boolean;
}

/** Where a fit is kept on disk, to go on after the process has ended. */
export interface CheckpointOptions {
  /** A file that is replaced whole: at every moment it is one complete checkpoint. */
  readonly path: string;
  /** Steps between two; there is always one after the last step, and one when the signal, a callback or early stopping ends the fit. */
  readonly everySteps: number;
  /**
   * Go on from the file, where there is one, with its weights, moments, step and position in the data; the weights come to
   * the same bits as without the interruption. False if not given: what is there is replaced.
   */
  readonly resume?: boolean;
}

const signal = check('an AbortSignal', (x) => object(x) && 'aborted' in (x as object));

export const checkFit = optionsOf<FitOptions>('fit', {
  batchSize: required(whole(1)),
  epochs: whole(1),
  stepsPerEpoch: whole(1),
  seed,
  shuffle: flag,
  dropLast: flag,
  lossEvery: whole(1),
  signal,
  checkpoint: nested<CheckpointOptions>("fit's checkpoint", {
    path: required(path),
    everySteps: required(whole(1)),
    resume: flag,
  }),
  validation: validationCheck,
  earlyStopping: earlyStoppingCheck,
  onStep: callback,
  onEpoch: callback,
  terminateOnNaN: flag,
});

/** What one training step did. */
export interface StepReport {
  /** Steps of this training so far, counted from 1. */
  readonly step: number;
  /** Epoch of this fit, counted from 1. */
  readonly epoch: number;
  /** Steps that this fit will make in all; Infinity as long as nobody knows how many rows a stream has. */
  readonly steps: number;
  /** Steps that this fit has made. */
  readonly done: number;
  /** Samples of the step. */
  readonly samples: number;
  /** The step's loss, before its update. */
  readonly loss: number;
  /** After the last step of an epoch, where the fit validates: how the model does on those samples. */
  readonly validation?: Evaluation;
}

const dataSet = check(
  'a data set, such as data.fromArrays() or data.fromStream() makes',
  (x) =>
    object(x) &&
    (callback((x as DataSet).gather) || callback((x as StreamDataSet).rows)) &&
    ((object((x as DataSet).input) && object((x as DataSet).target)) ||
      (isSignature((x as NamedDataSet).inputs) && object((x as NamedDataSet).targets))),
);

export function checkData(data: AnySamples, batchSize: number): void {
  expectValue('fit', 'data', data, dataSet);
  if (isStream(data) && data.length === undefined) return;
  if (data.length === 0) fail('invalid_data', 'the data set is empty; expected at least one sample');
  if (batchSize > data.length!)
    fail(
      'out_of_range',
      `batchSize is ${batchSize} but the data set has ${data.length} samples; use a smaller batch`,
    );
}

/** Throws 'shape_mismatch' unless a data set has the targets that a plan takes. */
export function checkTargets(
  { targets }: Pick<NamedDataSet, 'targets'>,
  slots: Readonly<Record<string, Slot>>,
): void {
  const names = Object.keys(slots);
  const other = Object.keys(targets).find((name) => !slots[name]) ?? names.find((name) => !targets[name]);
  if (other)
    fail(
      'shape_mismatch',
      `the data set has the targets ${Object.keys(targets).join(', ')}; this training takes ${names.join(', ')}`,
    );
  for (const [name, { dtype, shape }] of Object.entries(targets)) {
    const expected = slots[name].shape.slice(1);
    if (dtype !== slots[name].dtype || !sameShape(shape, expected))
      fail(
        'shape_mismatch',
        `the data set's ${name === 'target' ? 'targets' : `targets.${name}`} are ${dtype} ${showShape(shape)} for each sample; ` +
          `this model and loss expect ${slots[name].dtype} ${showShape(expected)}`,
      );
  }
}
