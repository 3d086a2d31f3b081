import type { Backend } from '../backend/backend.ts';
import { expectArray } from '../core/arrays.ts';
import { anything, object, required } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { sizeOf } from '../core/shape.ts';
import type { DataSet } from '../data/index.ts';
import { type CalibrationMethod, checkMethod, RangeObserver } from '../passes/calibrate.ts';
import { expectFinite, type FrozenModel } from '../passes/frozen.ts';
import { inferSlots } from '../passes/infer.ts';
import {
  calibrationGraph,
  calibrationPlan,
  observedSlot,
  type QuantizedModel,
  quantizedModel,
  tensorsToObserve,
} from '../passes/quantize.ts';
import { compileOn } from './compile.ts';
import { Turns } from './turns.ts';

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
  const samples = await samplesOf(frozen, options.calibration);
  const sampleSize = sizeOf(frozen.input.shape);
  const count = samples.length / sampleSize;
  const graph = calibrationGraph(frozen, Math.min(BATCH, count));
  const observed = tensorsToObserve(graph);
  const observers = new Map(observed.map((id) => [id, new RangeObserver()]));
  const turns = new Turns();
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
        observer.observe(
          values.subarray(seen),
          `tensor ${id} (${graph.nodes.find((n) => n.output === id)?.op ?? 'input'})`,
        );
      }
      await turns.breathe();
    }
  } finally {
    program.dispose();
  }
  return quantizedModel(frozen, graph, new Map([...observers].map(([id, o]) => [id, o.range(method)])));
}

async function samplesOf(frozen: FrozenModel, calibration: Float32Array | DataSet): Promise<Float32Array> {
  const size = sizeOf(frozen.input.shape);
  const samples = isDataSet(calibration)
    ? await gatherAll(calibration, size)
    : expectArray<Float32Array>('calibration', calibration, 'f32');
  if (samples.length === 0 || samples.length % size !== 0)
    fail(
      'invalid_data',
      `calibration has ${samples.length} values; expected a whole number of samples of ${size}, at least one`,
    );
  const bad = samples.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0)
    fail(
      'invalid_data',
      `calibration sample ${Math.floor(bad / size)} holds ${samples[bad]}; expected finite numbers`,
    );
  return samples;
}

const isDataSet = (x: unknown): x is DataSet => typeof (x as Partial<DataSet> | null)?.gather === 'function';

async function gatherAll(data: DataSet, size: number): Promise<Float32Array> {
  const samples = new Float32Array(data.length * size);
  const target = data.target.dtype === 'i32' ? Int32Array : Float32Array;
  const targets = new target(data.length * sizeOf(data.target.shape));
  await data.gather(
    Uint32Array.from({ length: data.length }, (_, i) => i),
    samples,
    targets,
  );
  return samples;
}
