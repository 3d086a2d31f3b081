import { allocate, dtypeOf, type TypedArray } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { sizeOf } from '../../core/shape.ts';
import { type Arrays, mapFields, slotsOf } from '../../model/signature.ts';
import type { Gatherer, Lanes } from '../turns/lanes.ts';
import { nextTurn } from '../turns/turns.ts';
import type { AnyRows } from './any-rows.ts';
import type { PredictorMeter } from './predictor-stats.ts';

/** Samples that go through together and are answered together. */
export interface Request {
  /** Of each input rows x its size, by its slot; the batcher's own copies. */
  readonly samples: Arrays;
  readonly rows: number;
  readonly arrived: number;
  /** Called once, with rows x its size values of each output, by its slot, or with why there are none. */
  settle(outcome: { output: Arrays } | { error: unknown }): void;
}

export interface BatcherOptions {
  readonly maxBatch: number;
  readonly maxDelayMs: number;
  readonly maxQueue: number;
}

/** Runs one batch, and again on what replaces a backend that was lost. */
export type RunBatch = (work: (model: AnyRows) => Promise<void>) => Promise<void>;

/**
 * Gathers requests and runs them in batches, in the order they came: what came in one turn of the thread, or while a batch
 * ran, is the next batch. With a delay it waits for more, until a batch is full, the oldest has waited that long, or a
 * training step is about to take the engine. A request is never split or dropped.
 */
export class Batcher implements Gatherer {
  private readonly queue = new Set<Request>();
  private readonly options: BatcherOptions;
  private readonly lanes: Lanes;
  private readonly runBatch: RunBatch;
  private readonly meter: PredictorMeter;
  private queuedRows = 0;
  /** Requests up to this one (in order of arrival) go now, whatever their delay. */
  private hurried: Request | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** The turn of the thread that brought the first request is not over yet. */
  private gathering = false;
  private draining: Promise<void> | undefined;
  private closing = false;

  constructor(options: BatcherOptions, lanes: Lanes, runBatch: RunBatch, meter: PredictorMeter) {
    this.options = options;
    this.lanes = lanes;
    this.runBatch = runBatch;
    this.meter = meter;
  }

  /** Samples that wait for a batch. */
  get queued(): number {
    return this.queuedRows;
  }

  /** Puts a request into the queue. Throws 'overloaded' at once where it has no room. */
  add(request: Request): void {
    const { maxQueue, maxBatch } = this.options;
    if (this.queuedRows + request.rows > maxQueue)
      fail(
        'overloaded',
        `${this.queuedRows} samples wait already and ${request.rows} more would pass the limit of ${maxQueue}; ` +
          'try again later, or raise maxQueue',
      );
    this.queue.add(request);
    this.queuedRows += request.rows;
    if (this.queuedRows >= maxBatch) this.drain();
    else this.arm();
  }

  /** Takes a request out again; false where its batch has already begun. */
  remove(request: Request): boolean {
    if (!this.queue.delete(request)) return false;
    this.queuedRows -= request.rows;
    return true;
  }

  /** Runs what is queued now without waiting for the delay. */
  flush(): void {
    if (this.queue.size === 0) return;
    this.hurried = [...this.queue].at(-1);
    this.drain();
  }

  /** Runs everything that was accepted, then settles. */
  async close(): Promise<void> {
    this.closing = true;
    while (this.queue.size > 0 || this.draining) {
      this.drain();
      await this.draining;
    }
    clearTimeout(this.timer);
  }

  private drain(): void {
    this.draining ??= this.runDue().finally(() => {
      this.draining = undefined;
      this.arm();
    });
  }

  private async runDue(): Promise<void> {
    while (this.due())
      await this.lanes.inference(async (mayGoOn) => {
        do {
          await this.runNext();
          // What has come in meanwhile joins the next batch, answers leave, and a training gets to ask for its turn.
          if (this.queue.size > 0) await nextTurn();
        } while (this.due() && mayGoOn());
      });
  }

  private due(): boolean {
    const [oldest] = this.queue;
    if (!oldest) return false;
    if (this.hurried && !this.queue.has(this.hurried)) this.hurried = undefined;
    if (this.closing || this.hurried || this.queuedRows >= this.options.maxBatch) return true;
    return performance.now() - oldest.arrived >= this.options.maxDelayMs;
  }

  /** Sees to it that the oldest request does not wait longer than the delay, and the others of its turn go with it. */
  private arm(): void {
    if (this.timer !== undefined || this.gathering || this.queue.size === 0 || this.draining) return;
    const [oldest] = this.queue;
    const left = this.options.maxDelayMs - (performance.now() - oldest.arrived);
    if (left > 0) {
      this.timer = setTimeout(() => {
        this.timer = undefined;
        this.drainIfDue();
      }, left);
      return;
    }
    this.gathering = true;
    void nextTurn().then(() => {
      this.gathering = false;
      this.drainIfDue();
    });
  }

  private drainIfDue(): void {
    if (this.due()) this.drain();
    else this.arm();
  }

  /** Takes the requests of the next batch off the queue, runs them, and answers each with its rows. */
  private async runNext(): Promise<void> {
    const batch = this.take();
    if (batch.length === 0) return;
    const { meter } = this;
    const start = performance.now();
    for (const { arrived, rows: own } of batch) meter.waitingMs += (start - arrived) * own;
    try {
      const outputs = await this.compute(batch);
      batch.forEach((request, i) => {
        request.settle({ output: outputs[i] });
      });
    } catch (error) {
      for (const request of batch) request.settle({ error });
    }
    meter.computeMs += performance.now() - start;
    meter.batches++;
  }

  private take(): Request[] {
    const batch: Request[] = [];
    let rows = 0;
    for (const request of this.queue) {
      if (rows + request.rows > this.options.maxBatch) break;
      this.remove(request);
      batch.push(request);
      rows += request.rows;
    }
    return batch;
  }

  /** The requests' rows one after the other; each one's results as arrays of its own. */
  private async compute(batch: readonly Request[]): Promise<Arrays[]> {
    const { meter } = this;
    const rows = batch.reduce((sum, r) => sum + r.rows, 0);
    const samples = mapFields(batch[0].samples, (_, slot) => joined(batch.map((r) => r.samples[slot])));
    let outputs: Arrays[] = [];
    await this.runBatch(async (model) => {
      const all: Record<string, TypedArray> = {};
      for (const { name, dtype, shape } of Object.values(slotsOf('output', model.plan.slots)))
        all[name] = allocate(dtype, (rows * sizeOf(shape)) / shape[0]);
      await model.run(rows, samples, all);
      outputs = apart(all, batch, rows);
      const ran = model.grows ? rows : this.options.maxBatch;
      meter.ran(ran);
      meter.paddedRows += ran - rows;
    });
    meter.samples += rows;
    return outputs;
  }
}

function joined(parts: readonly TypedArray[]): TypedArray {
  if (parts.length === 1) return parts[0];
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const all = allocate(dtypeOf(parts[0])!, length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Each request's own results, which nobody else's memory is behind. */
function apart(all: Arrays, batch: readonly Request[], total: number): Arrays[] {
  if (batch.length === 1) return [all];
  let at = 0;
  return batch.map(({ rows }) => {
    const [from, to] = [at, at + rows];
    at = to;
    return mapFields(all, (values) =>
      values.slice((from * values.length) / total, (to * values.length) / total),
    );
  });
}
