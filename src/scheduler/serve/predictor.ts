import { checkBounds } from '../../backend/program.ts';
import { contentKeyOf, sameBitsEach } from '../../core/content.ts';
import { BiphaseError, fail } from '../../core/errors.ts';
import type { GrowingPlan } from '../../graph/growing.ts';
import type { Plan, Slot } from '../../graph/plan.ts';
import type { Tensor } from '../../graph/trace.ts';
import {
  type Arrays,
  type ArraysOf,
  byName,
  bySlot,
  countOf,
  mapFields,
  type ResultsOf,
  type Signature,
  sampleTypes,
  slotsOf,
  unnamed,
} from '../../model/signature.ts';
import type { Values } from '../../nn/module.ts';
import type { Renewable } from '../choose/renewable.ts';
import type { Lanes } from '../turns/lanes.ts';
import type { AnyRows } from './any-rows.ts';
import { Batcher, type Request, type RunBatch } from './batcher.ts';
import { PredictionCache } from './prediction-cache.ts';
import type { CheckedOptions } from './predictor-options.ts';
import { type PredictorCost, PredictorMeter, type PredictorStats } from './predictor-stats.ts';

/** One caller's wait for an answer; several may wait for the same request. */
interface Waiter {
  readonly arrived: number;
  readonly resolve: (output: Arrays) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
  onAbort: (() => void) | undefined;
}

interface Pending extends Request {
  readonly key: number;
  readonly waiters: Set<Waiter>;
}

/** Serves a frozen model to many callers: batches, remembers, and refuses what it can't take. */
export class Predictor<I extends Values = Tensor, O extends Values = Tensor> {
  /** Types of one sample's inputs; `{ input }` where it has no name. */
  readonly inputs: Signature;
  /** Types of one sample's outputs; `{ output }` where it has no name. */
  readonly outputs: Signature;
  /** Shape of one sample's input, the first where there are several. */
  readonly inputShape: readonly number[];
  /** Shape of one sample's output, the first where there are several. */
  readonly outputShape: readonly number[];
  /**
   * Numbers of samples that it is ready for: all up to maxBatch.
   * @deprecated They are always the same.
   */
  readonly batchSizes: readonly number[];
  private readonly programs: Renewable<AnyRows>;
  private readonly slots: Readonly<Record<string, Slot>>;
  private readonly programBytes: number;
  private readonly maxBatch: number;
  private readonly meter: PredictorMeter;
  private readonly batcher: Batcher;
  private readonly cache: PredictionCache | undefined;
  /** Requests under way by content. */
  private readonly underWay = new Map<number, Pending>();
  private readonly leave: () => void;
  private closed: Promise<void> | undefined;

  private constructor(
    renewable: Renewable<AnyRows>,
    model: AnyRows,
    one: Plan,
    options: CheckedOptions,
    lanes: Lanes,
  ) {
    const { maxBatch } = options;
    const outputs = slotsOf('output', model.plan.slots);
    this.slots = slotsOf('input', model.plan.slots);
    this.programs = renewable;
    this.meter = new PredictorMeter(one, model.plan, maxBatch);
    this.maxBatch = maxBatch;
    this.inputs = sampleTypes(this.slots);
    this.outputs = sampleTypes(outputs);
    this.inputShape = Object.values(this.inputs)[0].shape;
    this.outputShape = Object.values(this.outputs)[0].shape;
    this.batchSizes = Array.from({ length: maxBatch }, (_, i) => i + 1);
    this.programBytes = model.bytes;
    this.cache = options.cacheBytes > 0 ? new PredictionCache(options.cacheBytes) : undefined;
    const run: RunBatch = async (work) => {
      const before = renewable.renewed;
      await renewable.use(work);
      if (renewable.renewed > before) this.meter.retried++;
    };
    this.batcher = new Batcher(options, lanes, run, this.meter);
    this.leave = lanes.serving(this.batcher);
  }

  static async create<I extends Values, O extends Values>(
    renewable: Renewable<AnyRows>,
    { planOf }: GrowingPlan,
    options: CheckedOptions,
    lanes: Lanes,
  ): Promise<Predictor<I, O>> {
    const model = await renewable.use(async (model) => model);
    return new Predictor<I, O>(renewable, model, model.grows ? planOf(1) : model.plan, options, lanes);
  }

  /**
   * Outputs (count x output size) for 1 to maxBatch samples (count x input size, row-major), which are copied
   * at once; by name where inputs or outputs have names. They go through together, perhaps with other callers' samples; the answer has the same bits as alone for an
   * int8 model, and is the caller's own. Rejects with 'overloaded' when the queue is full, 'aborted' by the signal,
   * 'disposed' after close(), 'shape_mismatch' and the like for bad input, 'out_of_range' for an id that the model has no row for.
   */
  async predict(given: ArraysOf<I>, signal?: AbortSignal): Promise<ResultsOf<O>> {
    return resultsOf<O>(await this.answer(given, signal));
  }

  private async answer(given: unknown, signal: AbortSignal | undefined): Promise<Arrays> {
    const [samples, rows] = this.check(given);
    const { meter } = this;
    meter.requests++;
    if (signal?.aborted) {
      meter.aborted++;
      fail('aborted', 'the request was cancelled before it began', { cause: signal.reason });
    }
    const arrived = performance.now();
    const key = this.cache ? contentKeyOf(Object.values(samples)) : 0;
    const known = this.cache?.get(key, samples);
    if (known) {
      meter.hits++;
      meter.answer(performance.now() - arrived);
      return copyOf(known);
    }
    const same = this.cache && this.underWay.get(key);
    if (same && sameBitsEach(Object.values(same.samples), Object.values(samples))) {
      meter.joined++;
      return this.wait(same, signal, arrived);
    }
    const request = this.request(copyOf(samples), rows, key, arrived);
    try {
      // This may begin the request's batch, but its answer takes at least one turn of the microtasks: the wait comes first.
      this.batcher.add(request);
    } catch (error) {
      meter.overloaded++;
      throw error;
    }
    meter.misses++;
    if (this.cache && !same) this.underWay.set(key, request);
    return this.wait(request, signal, arrived);
  }

  /** What it has done so far. */
  stats(): PredictorStats {
    return this.meter.stats(this.batcher.queued, this.cache);
  }

  /** What its answers cost so far. */
  cost(): PredictorCost {
    return this.meter.cost(this.heldBytes, this.programs.on.peak);
  }

  /** Runs what waits for its delay now, as a server does that is about to stop. */
  flush(): void {
    this.batcher.flush();
  }

  /** Refuses new requests, answers all that were accepted, then gives back what it holds. */
  close(): Promise<void> {
    this.closed ??= this.batcher.close().then(() => {
      this.leave();
      this.cache?.clear();
      this.programs.dispose();
    });
    return this.closed;
  }

  /** Closes it, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private get heldBytes(): number {
    return this.programBytes + (this.cache?.bytes ?? 0);
  }

  private request(samples: Arrays, rows: number, key: number, arrived: number): Pending {
    const waiters = new Set<Waiter>();
    const request: Pending = {
      ...{ samples, rows, key, arrived, waiters },
      settle: (outcome) => {
        this.forget(request);
        if ('output' in outcome) this.cache?.set(key, samples, outcome.output);
        this.meter.holds(this.heldBytes);
        for (const waiter of waiters) {
          waiter.signal?.removeEventListener('abort', waiter.onAbort!);
          if ('error' in outcome) {
            this.meter.failed++;
            waiter.reject(outcome.error);
          } else {
            this.meter.answer(performance.now() - waiter.arrived);
            waiter.resolve(copyOf(outcome.output));
          }
        }
        waiters.clear();
      },
    };
    return request;
  }

  private wait(request: Pending, signal: AbortSignal | undefined, arrived: number): Promise<Arrays> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { arrived, resolve, reject, signal, onAbort: undefined };
      request.waiters.add(waiter);
      if (!signal) return;
      waiter.onAbort = () => {
        request.waiters.delete(waiter);
        this.meter.aborted++;
        // Others may wait for the same answer, and a batch that has begun is finished.
        if (request.waiters.size === 0 && this.batcher.remove(request)) this.forget(request);
        reject(new BiphaseError('aborted', 'the request was cancelled', { cause: signal.reason }));
      };
      signal.addEventListener('abort', waiter.onAbort, { once: true });
    });
  }

  private forget(request: Pending): void {
    if (this.underWay.get(request.key) === request) this.underWay.delete(request.key);
  }

  /** A caller's samples by slot, and how many there are. */
  private check(given: unknown): [samples: Arrays, rows: number] {
    if (this.closed) fail('disposed', 'this predictor was closed; make another with engine.predictor()');
    const samples = byName('predict', 'input', Object.keys(this.slots), given);
    const rows = countOf('predict', this.inputs, samples, 'shape_mismatch');
    if (rows > this.maxBatch)
      fail(
        'out_of_range',
        `${rows} samples in one request, but maxBatch is ${this.maxBatch}; send fewer, or use engine.infer()`,
      );
    for (const name in samples) checkBounds(this.slots[name], samples[name]);
    return [bySlot('input', samples), rows];
  }
}

const copyOf = (arrays: Arrays): Arrays => mapFields(arrays, (values) => values.slice());

/** Results as their caller knows them, from those by slot. */
const resultsOf = <O extends Values>(outputs: Arrays): ResultsOf<O> =>
  unnamed('output', slotsOf('output', outputs)) as ResultsOf<O>;
