import type { Backend } from '../backend/backend.ts';
import { expectArray } from '../core/arrays.ts';
import { anything, object, required } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { sizeOf } from '../core/shape.ts';
import type { DataSet } from '../data/index.ts';
import { expectFinite, type FrozenModel } from '../model/frozen.ts';
import { inferSlots } from '../plans/infer.ts';
import { type CalibrationMethod, checkMethod, RangeObserver } from '../quantize/calibrate.ts';
import {
  calibrationGraph,
  calibrationPlan,
  observedSlot,
  type QuantizedModel,
  quantizedModelInTurns,
  tensorsToObserve,
} from '../quantize/quantize.ts';
import { compileOn } from './choose/compile.ts';
import { Turns } from './turns/turns.ts';

export interface QuantizeOptions {
  /** Samples like those the model will serve: values (count x input size), or a data set. A few hundred are enough. */
  readonly calibration: Float32Array | DataSet;
  readonly method?: CalibrationMethod;
}

const checkQuantize = optionsOf<QuantizeOptions>('quantize', {
  calibration: required(object),
  method: anything,
});

const BATCH = 64;

/** Runs the model over the calibration samples, notes the range of every tensor, and makes the int8 model. */
export async function calibrate(
  backend: Backend,
  frozen: FrozenModel,
  given: QuantizeOptions,
): Promise<QuantizedModel> {
  const options = checkQuantize(given);
  const { method = { method: 'minmax' } } = options;
  checkMethod(method);
  expectFinite(frozen, 'quantize');
  const turns = new Turns();
  const samples = await samplesOf(frozen, options.calibration, turns);
  const sampleSize = sizeOf(frozen.input.shape);
  const count = samples.length / sampleSize;
  const graph = calibrationGraph(frozen, Math.min(BATCH, count));
  const observed = tensorsToObserve(graph);
  const observers = new Map(observed.map((id) => [id, new RangeObserver()]));
  // The last samples may not fill a batch: they go through again in a batch that ends with them.
  const batch = Math.min(BATCH, count);
  const program = await compileOn(backend, calibrationPlan(graph, observed));
  try {
    for (let at = 0; at < count; at += batch) {
      const start = Math.min(at, count - batch);
      program.write(
        program.plan.slots[inferSlots.input],
        samples.subarray(start * sampleSize, (start + batch) * sampleSize),
      );
      program.run();
      for (const [id, observer] of observers) {
        const values = await program.read(program.plan.slots[observedSlot(id)]);
        const seen = ((at - start) * values.length) / batch;
        observer.observe(values.subarray(seen), `the tensor '${graph.keys.get(id)}'`);
        await turns.breathe();
      }
    }
  } finally {
    program.dispose();
  }
  const ranges = new Map([...observers].map(([id, o]) => [graph.keys.get(id)!, o.range(method)]));
  return quantizedModelInTurns(frozen, graph, ranges, () => turns.breathe());
}

/** Checked, and gathered where they are a data set: in parts, since there may be many. */
async function samplesOf(
  frozen: FrozenModel,
  calibration: Float32Array | DataSet,
  turns: Turns,
): Promise<Float32Array> {
  const size = sizeOf(frozen.input.shape);
  const samples = isDataSet(calibration)
    ? await gatherAll(calibration, size, turns)
    : expectArray<Float32Array>('calibration', calibration, 'f32');
  if (samples.length === 0 || samples.length % size !== 0)
    fail(
      'invalid_data',
      `calibration has ${samples.length} values; expected a whole number of samples of ${size}, at least one`,
    );
  for (let at = 0; at < samples.length; at += PART) {
    const bad = samples.subarray(at, at + PART).findIndex((x) => !Number.isFinite(x));
    if (bad >= 0)
      fail(
        'invalid_data',
        `calibration sample ${Math.floor((at + bad) / size)} holds ${samples[at + bad]}; expected finite numbers`,
      );
    await turns.breathe();
  }
  return samples;
}

/** Values that are looked at in one go: about a millisecond. */
const PART = 2 ** 18;

const isDataSet = (x: unknown): x is DataSet => typeof (x as Partial<DataSet> | null)?.gather === 'function';

async function gatherAll(data: DataSet, size: number, turns: Turns): Promise<Float32Array> {
  const samples = new Float32Array(data.length * size);
  const Targets = data.target.dtype === 'i32' ? Int32Array : Float32Array;
  const targetSize = sizeOf(data.target.shape);
  for (let at = 0; at < data.length; at += BATCH) {
    const count = Math.min(BATCH, data.length - at);
    const indices = Uint32Array.from({ length: count }, (_, i) => at + i);
    const into = samples.subarray(at * size, (at + count) * size);
    await data.gather(indices, into, new Targets(count * targetSize));
    await turns.breathe();
  }
  return samples;
}
