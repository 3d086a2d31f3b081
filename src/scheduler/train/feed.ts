import { contentKey, contentKeyOf } from '../../core/content.ts';
import { fail } from '../../core/errors.ts';
import { type AnySamples, batchesOf, isStream, samplesIn } from '../../data/batches.ts';
import { batchOrder, type NamedDataSet, named, type StreamDataSet } from '../../data/index.ts';
import type { Rows } from '../../data/rows.ts';
import type { FitOptions } from './fit-options.ts';
import type { Fill } from './step-program.ts';

/** Where in a stream a fit stands: after so many batches of a pass, and a key of their values. */
export interface StreamPosition {
  readonly pass: number;
  readonly batches: number;
  readonly key: number;
}

/** The batch of a step, and where that is. */
export interface Fed {
  readonly fill: Fill;
  /** Positions in the data set, or in the pass of a stream. */
  readonly samples: Uint32Array;
  /** Counted from 1. */
  readonly epoch: number;
  readonly endsEpoch: boolean;
  /** Whether the fit's last step is made of it. */
  readonly ends: boolean;
  /** Steps of the whole fit; Infinity while that is not known. */
  readonly steps: number;
  /** Where the stream is after it. */
  readonly stream?: StreamPosition;
}

/** Gives a fit its batches. */
export interface Feed {
  readonly data: NamedDataSet | StreamDataSet;
  /** Steps of the whole fit; Infinity where that is not known. */
  readonly steps: number;
  /** Where a stream is read. */
  readonly at?: StreamPosition;
  /** Goes where a fit stands that has made `done` steps. */
  begin(done: number, stream?: StreamPosition): Promise<void>;
  /** The next batch; undefined where all steps are made. Rejects with the signal's reason when it is aborted meanwhile. */
  next(signal?: AbortSignal): Promise<Fed | undefined>;
  /** Asks for no more. */
  close(): void;
}

/** The feed of a fit. Throws 'invalid_argument' for options that don't go together. */
export function feedOf(data: AnySamples, options: FitOptions): Feed {
  if (!isStream(data)) return new SampleFeed(named(data), options);
  if (options.shuffle)
    fail(
      'invalid_argument',
      'fit: shuffle is true, but a stream has an order of its own; data.shuffle(stream, { buffer, seed }) changes it',
    );
  return new StreamFeed(data, options);
}

/** Samples by position, in an order that the seed and the pass give. */
class SampleFeed implements Feed {
  readonly data: NamedDataSet;
  readonly steps: number;
  private readonly options: FitOptions;
  /** Steps of a pass over all samples, and of an epoch. */
  private readonly perPass: number;
  private readonly perEpoch: number;
  private done = 0;
  private order: Uint32Array | undefined;

  constructor(data: NamedDataSet, options: FitOptions) {
    const { batchSize, epochs = 1, dropLast, stepsPerEpoch } = options;
    this.data = data;
    this.options = options;
    this.perPass = Math[dropLast ? 'floor' : 'ceil'](data.length / batchSize);
    this.perEpoch = stepsPerEpoch ?? this.perPass;
    this.steps = this.perEpoch * epochs;
  }

  async begin(done: number): Promise<void> {
    this.done = done;
  }

  async next(): Promise<Fed | undefined> {
    const { data, perPass, perEpoch, steps, done } = this;
    const { batchSize, seed = 0, shuffle = true } = this.options;
    if (done >= steps) return undefined;
    if (!this.order || done % perPass === 0)
      this.order = batchOrder(data.length, { seed, epoch: Math.floor(done / perPass), shuffle });
    const at = (done % perPass) * batchSize;
    const samples = this.order.subarray(at, at + batchSize);
    this.done++;
    return {
      ...{ samples, steps, epoch: Math.floor(done / perEpoch) + 1 },
      fill: (inputs, targets) => data.gather(samples, inputs, targets),
      ...{ endsEpoch: this.done % perEpoch === 0, ends: this.done === steps },
    };
  }

  close(): void {}
}

type Batch = Rows & { readonly first: number };

/** Rows one after the other. While a step is computed the next batch is read, so that its epoch's end is known. */
class StreamFeed implements Feed {
  readonly data: StreamDataSet;
  readonly steps: number;
  at: StreamPosition = { pass: 0, batches: 0, key: 0 };
  private readonly options: FitOptions;
  private readonly epochs: number;
  private done = 0;
  private reader: AsyncGenerator<Batch, void, void> | undefined;
  private ahead: Promise<IteratorResult<Batch, void>>[] = [];

  constructor(stream: StreamDataSet, options: FitOptions) {
    const { batchSize, epochs = 1, dropLast, stepsPerEpoch } = options;
    this.data = stream;
    this.options = options;
    this.epochs = epochs;
    const perPass = Math[dropLast ? 'floor' : 'ceil']((stream.length ?? Infinity) / batchSize);
    this.steps = (stepsPerEpoch ?? perPass) * epochs;
  }

  async begin(done: number, stream?: StreamPosition): Promise<void> {
    this.done = done;
    if (!stream) return;
    this.at = { pass: stream.pass, batches: 0, key: 0 };
    while (this.at.batches < stream.batches) {
      const { value } = await this.read();
      if (!value) break;
      this.passed(value);
    }
    if (this.at.batches < stream.batches || this.at.key !== stream.key)
      fail(
        'invalid_argument',
        `the stream does not give what it gave: ${
          this.at.batches < stream.batches ? `only ${this.at.batches}` : 'some other rows'
        } of the ${stream.batches} batches that pass ${stream.pass} of it had when the checkpoint was made. To go on, a stream must ` +
          'give the same rows again: take a function that begins a pass by its number, and seed what is random',
      );
  }

  async next(signal?: AbortSignal): Promise<Fed | undefined> {
    const { stepsPerEpoch } = this.options;
    if (stepsPerEpoch ? this.done >= this.steps : this.at.pass >= this.epochs) return undefined;
    let batch = (await orAborted(this.read(), signal)).value;
    if (!batch) {
      this.nextPass();
      batch = (await orAborted(this.read(), signal)).value;
    }
    if (!batch) return this.empty();
    const { pass } = this.at;
    this.passed(batch);
    this.done++;
    // Counted steps wait for no row that they don't need.
    const last = !stepsPerEpoch && (await orAborted(this.isLast(), signal));
    if (last) this.nextPass();
    const ends = stepsPerEpoch ? this.done === this.steps : this.at.pass === this.epochs;
    return {
      ...samplesIn(batch),
      epoch: (stepsPerEpoch ? Math.floor((this.done - 1) / stepsPerEpoch) : pass) + 1,
      endsEpoch: stepsPerEpoch ? this.done % stepsPerEpoch === 0 : last,
      ...{ ends, steps: ends ? this.done : this.steps, stream: this.at },
    };
  }

  /** Not awaited: a source that waits for its next row hears of it when that has come. */
  close(): void {
    this.reader?.return().catch(() => undefined);
    this.reader = undefined;
    this.ahead = [];
  }

  /** The next batch of the pass, with the two after it on their way. */
  private read(): Promise<IteratorResult<Batch, void>> {
    const { batchSize, dropLast } = this.options;
    this.reader ??= batchesOf(this.data, this.at.pass, batchSize, dropLast);
    while (this.ahead.length < 3) {
      const reading = this.reader.next();
      // Whoever needs it hears of it.
      reading.catch(() => undefined);
      this.ahead.push(reading);
    }
    return this.ahead.shift()!;
  }

  /** Whether the pass has no other batch. Where that can't be read, the step before it is made all the same. */
  private isLast(): Promise<boolean> {
    return this.ahead[0].then(
      ({ done }) => done === true,
      () => false,
    );
  }

  private passed({ inputs, targets }: Batch): void {
    const { pass, batches, key } = this.at;
    const all = [...Object.values(inputs), ...Object.values(targets)];
    const keys = this.options.checkpoint ? Float64Array.of(key, contentKeyOf(all)) : new Float64Array(1);
    this.at = { pass, batches: batches + 1, key: contentKey(new Float32Array(keys.buffer)) };
  }

  private nextPass(): void {
    if (this.at.batches === 0) this.empty();
    this.close();
    this.at = { pass: this.at.pass + 1, batches: 0, key: 0 };
  }

  private empty(): never {
    const { batchSize, dropLast } = this.options;
    const what = dropLast ? `no whole batch of ${batchSize} rows` : 'no rows';
    return fail(
      'invalid_data',
      this.at.pass === 0
        ? `the stream has ${what}; expected at least one batch`
        : `the stream has ${what} in its pass ${this.at.pass}: where its source can be gone through once, give a function that begins each pass anew`,
    );
  }
}

/** The promise, or a rejection once the signal is aborted. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
