import type { Engine, Predictor, PredictorCost, QuantizedModel } from '../../src/index.ts';
import { PIXELS } from './mnist.ts';

/** What one answer of the int8 model takes when many ask at once, in microseconds of one machine's time for each answer. */
export interface ServingCosts {
  readonly callers: number;
  /** Different images, each computed; the mean number that went through together. */
  readonly batched_us: number;
  readonly meanBatch: number;
  /** The same images again, all of them known. */
  readonly cached_us: number;
  readonly hitRate: number;
  /** The predictor's own account of the first. */
  readonly cost: PredictorCost;
}

const CALLERS = 64;

/** Asks for every image once, by callers who each wait for their answer; milliseconds in all. */
async function askAll(predictor: Predictor, images: Float32Array, count: number): Promise<number> {
  const begin = performance.now();
  let next = 0;
  const caller = async () => {
    while (next < count) {
      const at = PIXELS * next++;
      await predictor.predict(images.subarray(at, at + PIXELS));
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return performance.now() - begin;
}

/** The first rounds are seen by the engine's compilers, and a shared machine is held up at times. */
async function least(round: () => Promise<number>): Promise<number> {
  let ms = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) ms = Math.min(ms, await round());
  return ms;
}

/** Serves images to many callers: computed in batches, then answered from memory. */
export async function timeCallers(
  engine: Engine,
  model: QuantizedModel,
  images: Float32Array,
  most = 4096,
): Promise<ServingCosts> {
  const count = Math.min(most, images.length / PIXELS);
  const options = { maxBatch: CALLERS, maxDelayMs: 0 };
  await using computing = await engine.predictor(model, { ...options, cache: false });
  const batchedMs = await least(() => askAll(computing, images, count));
  const { samples, batches } = computing.stats();
  // Room for an image with its answer and bookkeeping, of every image.
  const cache = { maxBytes: count * (4 * PIXELS + 1024) };
  await using knowing = await engine.predictor(model, { ...options, cache });
  await askAll(knowing, images, count);
  const before = knowing.stats().cache;
  const cachedMs = await least(() => askAll(knowing, images, count));
  const { hits, joined, misses } = knowing.stats().cache;
  return {
    callers: CALLERS,
    batched_us: (1000 * batchedMs) / count,
    meanBatch: samples / batches,
    cached_us: (1000 * cachedMs) / count,
    hitRate:
      1 - (misses - before.misses) / (hits + joined + misses - before.misses - before.hits - before.joined),
    cost: computing.cost(),
  };
}
