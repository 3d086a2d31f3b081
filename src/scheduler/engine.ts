import type { Backend, Program, Source } from '../backend/backend.ts';
import { whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { type GrowingPlan, growing } from '../graph/growing.ts';
import type { Plan } from '../graph/plan.ts';
import type { Tensor } from '../graph/trace.ts';
import { type AnyFrozen, FrozenModel } from '../model/frozen.ts';
import type { Model, Tensors, Values } from '../nn/module.ts';
import { inferPlan } from '../plans/infer.ts';
import { type AnyQuantized, type QuantizedModel, quantizedPlan } from '../quantize/quantize.ts';
import { rawSlot } from '../quantize/rewrite.ts';
import { calibrate, type QuantizeOptions } from './calibration.ts';
import { Backends } from './choose/backends.ts';
import type { Choice, Finding } from './choose/choose.ts';
import { Chooser } from './choose/chooser.ts';
import { compileOn } from './choose/compile.ts';
import type { Explanation } from './choose/explain.ts';
import { Renewable } from './choose/renewable.ts';
import { AnyRows } from './serve/any-rows.ts';
import { createInference, type Inference } from './serve/inference.ts';
import { Predictor } from './serve/predictor.ts';
import { checkPredictorOptions, type PredictorOptions } from './serve/predictor-options.ts';
import type { TrainingOptions } from './train/fit-options.ts';
import { Training } from './train/training.ts';
import { Lanes } from './turns/lanes.ts';
import type { Profile } from './turns/profile.ts';

/** Options of engine.infer(). */
export interface InferOptions {
  /** Samples that go through together. */
  readonly batchSize?: number;
}

const checkInfer = optionsOf<InferOptions>('infer', { batchSize: whole(1) });

/** Trains, quantizes and serves models on the backend that was chosen for it. */
export class Engine {
  /** Every backend that was looked for, what was found, and what was chosen and why. */
  readonly findings: readonly Finding[];
  private readonly backends: Backends;
  private readonly chooser: Chooser;
  private readonly lanes = new Lanes();
  private disposed = false;

  constructor(backend: Backend, { findings, providers, free = false }: Choice) {
    this.backends = new Backends(backend, providers);
    this.chooser = new Chooser(this.backends, free);
    this.findings = findings;
  }

  /** What it runs on: the backend that was chosen, or what took over where that was lost. */
  get backend(): Backend {
    return this.backends.main;
  }

  /** The findings as lines of text. */
  describe(): string {
    const findings = [...this.findings, ...this.backends.events];
    const width = Math.max(...findings.map((f) => f.name.length));
    return findings.map((f) => `${f.chosen ? '*' : ' '} ${f.name.padEnd(width)}  ${f.text}`).join('\n');
  }

  /** Starts training a model, or goes on from a frozen model's weights (the frozen model itself does not change). */
  async train<
    I extends Values = Tensor,
    O extends Values = Tensor,
    T extends Values = O extends Tensor ? Tensor : Tensors,
  >(model: Model<I, O> | FrozenModel<I, O>, options: TrainingOptions<O, T>): Promise<Training<I, O, T>> {
    this.alive();
    const { backends, chooser, lanes } = this;
    return new Training({ backends, chooser, lanes }, model, options);
  }

  /** Makes the int8 form of a frozen model; ranges are measured on the calibration samples. */
  async quantize<I extends Values, O extends Values>(
    frozen: FrozenModel<I, O>,
    options: QuantizeOptions,
  ): Promise<QuantizedModel<I, O>> {
    this.alive();
    return calibrate(this.backend, frozen, options);
  }

  /** Compiles a frozen or quantized model for serving. */
  async infer<I extends Values, O extends Values>(
    model: FrozenModel<I, O> | QuantizedModel<I, O>,
    options?: InferOptions,
  ): Promise<Inference<I, O>> {
    this.alive();
    const { batchSize = 1 } = checkInfer(options);
    const source = plansOf(model, batchSize);
    const first = await this.chooser.backendFor(source.planOf(batchSize));
    const programs = await Renewable.create(this.backends, first, (b) => AnyRows.compile(b, source));
    return createInference(programs, rawSlot, this.lanes.serving());
  }

  /**
   * Serves a frozen or quantized model to many callers at once: dynamic batches, a cache, backpressure, cancellation.
   * The model must treat each sample by itself, as all layers in `nn` do.
   */
  async predictor<I extends Values, O extends Values>(
    model: FrozenModel<I, O> | QuantizedModel<I, O>,
    options?: PredictorOptions,
  ): Promise<Predictor<I, O>> {
    this.alive();
    const checked = checkPredictorOptions(options);
    const { maxBatch } = checked;
    const source = plansOf(model, maxBatch);
    const first = await this.chooser.backendFor(source.planOf(maxBatch));
    const programs = await Renewable.create(this.backends, first, (b) => AnyRows.compile(b, source));
    return Predictor.create(programs, source, checked, this.lanes);
  }

  /**
   * What a plan takes on each backend, as measured by running it there a few times (once for each plan); its arithmetic and
   * bytes, what bounds it, what was chosen and why. `String()` of it is a table.
   */
  async explain(plan: Plan): Promise<Explanation> {
    this.alive();
    return this.chooser.explain(plan);
  }

  /**
   * Records what the engine does from now on: training steps, batches of predictors, snapshots and checkpoints, each with how
   * long it waited for its turn. `stop()` gives a trace in Chrome's format. Calls of infer() take no turns and are not in it.
   */
  profile(): Profile {
    this.alive();
    return this.lanes.profile();
  }

  /** Compiles any plan, growing plan, or several of them by name as entries of one program, for people who build their own. */
  async compile(source: Source): Promise<Program> {
    this.alive();
    return compileOn(this.backend, source);
  }

  /** Gives back everything the engine holds; its trainings and inferences end with it. */
  dispose(): void {
    this.disposed = true;
    this.backends.dispose();
  }

  /** dispose(), for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  private alive(): void {
    if (this.disposed) fail('disposed', 'this engine was disposed; make a new one with createEngine()');
  }
}

/** What serves a model, for any number of samples up to the most. */
const plansOf = (model: AnyFrozen | AnyQuantized, most: number): GrowingPlan =>
  growing((rows) => (model instanceof FrozenModel ? inferPlan(model, rows) : quantizedPlan(model, rows)), {
    most,
  });
