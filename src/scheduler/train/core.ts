import type { TypedArray } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { Random } from '../../core/random.ts';
import { sameShape, showShape } from '../../core/shape.ts';
import { type GrowingPlan, growing } from '../../graph/growing.ts';
import { Buffer, type Variable } from '../../graph/variable.ts';
import { type AnyFrozen, FrozenModel } from '../../model/frozen.ts';
import { isLone, type Signature } from '../../model/signature.ts';
import { type AnyModel, namedVariables } from '../../nn/module.ts';
import type { TensorType } from '../../ops/op.ts';
import { batchesOf } from '../../plans/accumulate.ts';
import { boundValues } from '../../plans/bind.ts';
import { evaluatePlan } from '../../plans/evaluate.ts';
import { type TrainPlan, trainPlan } from '../../plans/train.ts';
import type { PlacedVariable } from '../../plans/variables.ts';
import type { Backends } from '../choose/backends.ts';
import type { Chooser } from '../choose/chooser.ts';
import type { Lanes } from '../turns/lanes.ts';
import { notFinite } from './diagnose.ts';
import { Broken } from './finite.ts';
import type { AnyTrainingOptions } from './fit-options.ts';
import { initialState, initialValues } from './initial.ts';
import type { Batch } from './step-program.ts';
import { type Build, Stepper } from './stepper.ts';

/** Where a training runs, and beside what. */
export interface Place {
  readonly backends: Backends;
  readonly lanes: Lanes;
  readonly chooser: Chooser;
}

/** What every call of a training works on: the model, plans for its batch sizes, and steps made in their turn. */
export class TrainingCore {
  readonly model: AnyModel;
  readonly lanes: Lanes;
  readonly stepper: Stepper;
  /** Whether what is not finite stops it, where a fit says nothing else. */
  readonly watches: boolean;
  private readonly source: AnyFrozen | undefined;
  private readonly asked: AnyTrainingOptions;
  private inputs: Signature | undefined;
  /** Of targets with names; what one without has to be follows from the loss. */
  private targets: Signature | undefined;

  constructor(
    { backends, lanes, chooser }: Place,
    source: AnyModel | AnyFrozen,
    options: AnyTrainingOptions,
  ) {
    this.lanes = lanes;
    this.asked = options;
    this.source = source instanceof FrozenModel ? source : undefined;
    this.model = source instanceof FrozenModel ? source.model : source;
    if (options.input && options.inputs)
      fail('invalid_argument', 'train: got input and inputs; give the shape of one input, or types by name');
    const lone = options.input && { input: { dtype: 'f32', shape: options.input } as const };
    this.inputs = options.inputs ?? lone ?? this.source?.inputs;
    this.targets = options.targets;
    const { seed = 0, recovery = {}, terminateOnNaN = true, accumulate } = options;
    this.watches = terminateOnNaN;
    this.stepper = new Stepper(backends, chooser, {
      ...{ seed, recovery: recovery || undefined, mostParts: batchesOf(accumulate) },
    });
  }

  /** What it was given, and what it has learned of its targets since. */
  get options(): AnyTrainingOptions {
    return this.targets === this.asked.targets ? this.asked : { ...this.asked, targets: this.targets };
  }

  /** Types of one sample's inputs. Throws 'invalid_argument' where `what` asks for them before they are known. */
  signature(what: string): Signature {
    return (
      this.inputs ??
      fail(
        'invalid_argument',
        `${what} needs the input shape: train first, or pass { input: [...] } or { inputs: { ... } } to train()`,
      )
    );
  }

  /** What is compiled, or, before anything is, the plan for two samples: for one there are no batch statistics. `what` asks. */
  async prepared(what: string): Promise<Build> {
    return this.stepper.current ?? this.prepare({ inputs: this.signature(what) }, 2);
  }

  /** The program for a batch size; weights and moments move over when the size changes. */
  async prepare(
    data: { readonly inputs: Signature; readonly targets?: Signature },
    batch: number,
  ): Promise<Build> {
    const { inputs } = data;
    if (this.inputs) expectInputs(this.inputs, inputs);
    if (this.stepper.current?.batch === batch) return this.stepper.current;
    const targets = this.targets ?? data.targets;
    const options = { ...this.asked, targets };
    const train = trainPlan(this.model, inputs, batch, options);
    const most = this.stepper.current?.evaluate?.most;
    const { average } = this.stepper.current ?? {};
    const evaluate = most ? this.evaluation(data, most, train, average) : undefined;
    const build = await this.compile({ train, batch, evaluate, average });
    this.inputs = inputs;
    this.targets = targets;
    return build;
  }

  /** The same with an entry beside the step that evaluates up to `most` samples together. */
  async prepareEvaluation(
    data: { readonly inputs: Signature; readonly targets?: Signature },
    most: number,
    average = false,
  ): Promise<void> {
    const { current } = this.stepper;
    if (this.inputs) expectInputs(this.inputs, data.inputs);
    // Of one sample there are no batch statistics.
    const { train, batch, evaluate, average: was = false } = current ?? (await this.prepare(data, 2));
    if (evaluate?.most === most && was === average) return;
    // Losses on their way come from the program that is about to go.
    await this.stepper.settled();
    await this.compile({ train, batch, average, evaluate: this.evaluation(data, most, train, average) });
  }

  private evaluation(
    { inputs, targets }: { readonly inputs: Signature; readonly targets?: Signature },
    most: number,
    train: TrainPlan,
    average: boolean | undefined,
  ): GrowingPlan {
    const options = { ...this.asked, targets: this.targets ?? targets };
    return growing((rows) => evaluatePlan(this.model, inputs, rows, options, train, average), { most });
  }

  private async compile(build: Build): Promise<Build> {
    const { seed = 0 } = this.asked;
    await this.stepper.prepare(build, () => initialState(build.train, seed, (v) => this.given(v)));
    return build;
  }

  /** The model with these values of what it used in training; of buffers that it did not use, what they begin with. */
  frozen(used: readonly PlacedVariable[], values: Map<Variable, TypedArray>): AnyFrozen {
    const { model, options } = this;
    const own = used.filter(({ isBindings }) => !isBindings);
    const others = [...namedVariables(model)].flatMap(([variable, name]) =>
      variable instanceof Buffer && !values.has(variable) ? [{ name, variable }] : [],
    );
    for (const { name, variable } of others)
      values.set(
        variable,
        this.given(variable) ?? initialValues(variable, name, new Random(options.seed ?? 0)),
      );
    const variables = [...own, ...others];
    const seen = options.bind ? boundValues(variables, values, options.bind) : values;
    return new FrozenModel(model, this.signature('freeze'), variables, seen);
  }

  /** The values that a variable of a frozen model begins with. */
  private given(variable: Variable): TypedArray | undefined {
    return this.source?.has(variable) ? this.source.values(variable) : undefined;
  }

  /** One step in its turn, and the snapshot after it, where it is time for one, in another. */
  async make(
    batch: Batch,
    how: { loss: boolean; wait: boolean },
  ): Promise<{ loss: Promise<number> | undefined }> {
    const asked = performance.now();
    const made = await this.lanes.training(() => {
      this.stepper.meter.waitingMs += performance.now() - asked;
      return this.stepper.make(batch, how);
    });
    if (this.stepper.snapshotIsDue) {
      await this.lanes.betweenSteps();
      await this.lanes.upkeep(() => this.stepper.takeSnapshot());
    }
    return made;
  }

  /** The error that callers get: for what is not finite, where that began, with the training put before it. */
  async explained(error: unknown): Promise<unknown> {
    if (!(error instanceof Broken)) return error;
    return this.lanes.upkeep(async () => {
      const broken = await this.stepper.rollBack();
      const { train, batch: size } = this.stepper.current!;
      const { backend } = this.stepper;
      const { model, options, inputs } = this;
      return notFinite(
        { ...{ backend, model, size, options }, inputs: inputs!, variables: train.variables },
        broken,
      );
    });
  }
}

/** Throws 'shape_mismatch' unless samples are of the type that a training takes. */
function expectInputs(known: Signature, given: Signature): void {
  const names = [...new Set([...Object.keys(known), ...Object.keys(given)])];
  const other = names.find(
    (name) => known[name]?.dtype !== given[name]?.dtype || !sameShape(known[name].shape, given[name].shape),
  );
  if (other === undefined) return;
  if (isLone('input', known) && isLone('input', given) && known.input.dtype === given.input.dtype)
    fail(
      'shape_mismatch',
      `this training takes samples of shape ${showShape(known.input.shape)}, got ${showShape(given.input.shape)}`,
    );
  const show = (type: TensorType | undefined) =>
    type ? `${type.dtype} ${showShape(type.shape)}` : 'nothing';
  fail(
    'shape_mismatch',
    `this training takes ${show(known[other])} as ${other === 'input' ? 'its input' : `inputs.${other}`}, got ${show(given[other])}`,
  );
}
