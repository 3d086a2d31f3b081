import { either, listOf, oneOf, real, required, whole } from '../../core/checks.ts';
import { fail } from '../../core/errors.ts';
import { nested, optionsOf } from '../../core/options.ts';

/** Options of engine.predictor(). */
export interface PredictorOptions {
  /** Most samples that go through together; 64 if not given. */
  readonly maxBatch?: number;
  /**
   * Longest that a sample waits for others to go with, in ms; 0 if not given: a batch is what came in one turn of the thread,
   * or while the batch before it ran. More is for backends on which larger batches pay for the wait.
   */
  readonly maxDelayMs?: number;
  /** Most samples that may wait; a request beyond is refused with 'overloaded'. 1024 if not given, or maxBatch if that is more. */
  readonly maxQueue?: number;
  /** Bytes of inputs and outputs to keep; false keeps nothing. 16 MiB if not given. */
  readonly cache?: { readonly maxBytes: number } | false;
  /**
   * Whole numbers, the largest of them maxBatch. Nothing depends on the others: one program runs any number of samples.
   * @deprecated `maxBatch` says all.
   */
  readonly batchSizes?: readonly number[];
}

export interface CheckedOptions {
  readonly maxBatch: number;
  readonly maxDelayMs: number;
  readonly maxQueue: number;
  readonly cacheBytes: number;
}

const checkNames = optionsOf<PredictorOptions>('predictor', {
  maxBatch: whole(1),
  maxDelayMs: real(0, 60_000),
  maxQueue: whole(1),
  cache: either(
    nested<{ readonly maxBytes: number }>("predictor's cache", { maxBytes: required(whole(0)) }),
    oneOf(false),
  ),
  batchSizes: listOf(whole(1)),
});

/** Fills in what was not given; throws 'invalid_argument' for what is nonsense. */
export function checkPredictorOptions(given: PredictorOptions | undefined): CheckedOptions {
  const options = checkNames(given);
  const { maxBatch = 64, maxDelayMs = 0, cache = { maxBytes: 16 * 2 ** 20 } } = options;
  const { maxQueue = Math.max(1024, maxBatch) } = options;
  if (maxQueue < maxBatch)
    fail('invalid_argument', `maxQueue is ${maxQueue}, expected a whole number from ${maxBatch} (maxBatch)`);
  const cacheBytes = cache === false ? 0 : cache.maxBytes;
  const { batchSizes = [maxBatch] } = options;
  if (Math.max(...batchSizes) !== maxBatch)
    fail(
      'invalid_argument',
      `batchSizes are ${batchSizes.join(', ')}; the largest must be maxBatch (${maxBatch})`,
    );
  return { maxBatch, maxDelayMs, maxQueue, cacheBytes };
}
