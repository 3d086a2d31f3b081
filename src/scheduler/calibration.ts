import type { Backend } from '../backend/backend.ts';
import { checkBounds } from '../backend/program.ts';
import { anything, object, required } from '../core/checks.ts';
import { allocate, type TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { optionsOf } from '../core/options.ts';
import { showShape, sizeOf } from '../core/shape.ts';
import { type AnyDataSet, type NamedDataSet, named } from '../data/index.ts';
import { expectFinite, type FrozenModel } from '../model/frozen.ts';
import { type Arrays, byName, countOf, mapFields, type Signature, slotsOf } from '../model/signature.ts';
import type { Values } from '../nn/module.ts';
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
  /**
   * Samples like those the model will serve: values (count x input size), by name where inputs have names, or a data set. A few
   * hundred are enough.
   */
  readonly calibration: TypedArray | Arrays | AnyDataSet;
  readonly method?: CalibrationMethod;
}

const checkQuantize = optionsOf<QuantizeOptions>('quantize', {
  calibration: required(object),
  method: anything,
});

const BATCH = 64;

/** Runs the model over the calibration samples, notes the range of every tensor, and makes the int8 model. */
export async function calibrate<I extends Values, O extends Values>(
  backend: Backend,
  frozen: FrozenModel<I, O>,
  given: QuantizeOptions,
): Promise<QuantizedModel<I, O>> {
  const options = checkQuantize(given);
  const { method = { method: 'minmax' } } = options;
  checkMethod(method);
  expectFinite(frozen, 'quantize');
  const turns = new Turns();
  const { samples, count } = await samplesOf(frozen.inputs, options.calibration, turns);
  const graph = calibrationGraph(frozen, Math.min(BATCH, count));
  const observed = tensorsToObserve(graph);
  const observers = new Map(observed.map((id) => [id, new RangeObserver()]));
  // The last samples may not fill a batch: they go through again in a batch that ends with them.
  const batch = Math.min(BATCH, count);
  const program = await compileOn(backend, calibrationPlan(graph, observed));
  try {
    for (let at = 0; at < count; at += batch) {
      const start = Math.min(at, count - batch);
      for (const [name, slot] of Object.entries(slotsOf('input', program.plan.slots))) {
        const size = samples[name].length / count;
        const part = samples[name].subarray(start * size, (start + batch) * size);
        checkBounds(slot, part);
        program.write(slot, part);
      }
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
  signature: Signature,
  calibration: QuantizeOptions['calibration'],
  turns: Turns,
): Promise<{ samples: Arrays; count: number }> {
  const samples = isDataSet(calibration)
    ? await gatherAll(signature, named(calibration), turns)
    : byName('calibration', 'input', Object.keys(signature), calibration);
  const count = countOf('calibration', signature, samples, 'invalid_data');
  for (const [name, values] of Object.entries(samples))
    for (let at = 0; at < values.length; at += PART) {
      const bad = values.subarray(at, at + PART).findIndex((x) => !Number.isFinite(x));
      if (bad >= 0)
        fail(
          'invalid_data',
          `calibration sample ${Math.floor(((at + bad) * count) / values.length)} holds ${values[at + bad]}` +
            `${name === 'input' ? '' : ` in inputs.${name}`}; expected finite numbers`,
        );
      await turns.breathe();
    }
  return { samples, count };
}

/** Values that are looked at in one go: about a millisecond. */
const PART = 2 ** 18;

const isDataSet = (x: object): x is AnyDataSet => typeof (x as Partial<AnyDataSet>).gather === 'function';

async function gatherAll(signature: Signature, data: NamedDataSet, turns: Turns): Promise<Arrays> {
  const arraysOf = (types: Signature, count: number) =>
    mapFields(types, ({ dtype, shape }) => allocate(dtype, count * sizeOf(shape)));
  const others = Object.keys({ ...data.inputs, ...signature }).filter((name) => {
    const [has, takes] = [data.inputs[name], signature[name]];
    return has?.dtype !== takes?.dtype || sizeOf(has?.shape ?? []) !== sizeOf(takes.shape);
  });
  if (others.length > 0)
    fail(
      'shape_mismatch',
      `calibration: the data set's inputs (${others.join(', ')}) are not those that the model takes: ${describe(signature)}; got ${describe(data.inputs)}`,
    );
  const samples = arraysOf(data.inputs, data.length);
  for (let at = 0; at < data.length; at += BATCH) {
    const count = Math.min(BATCH, data.length - at);
    const indices = Uint32Array.from({ length: count }, (_, i) => at + i);
    const into = mapFields(samples, (values) => {
      const size = values.length / data.length;
      return values.subarray(at * size, (at + count) * size);
    });
    await data.gather(indices, into, arraysOf(data.targets, count));
    await turns.breathe();
  }
  return samples;
}

const describe = (types: Signature): string =>
  Object.entries(types)
    .map(([name, { dtype, shape }]) => `${name} ${dtype} ${showShape(shape)}`)
    .join(', ');
