import { allocate, type TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import { type AnySamples, inOrder, typesOf } from './batches.ts';
import type { Arrays, SampleType } from './dataset.ts';

const arraysOf = (types: Readonly<Record<string, SampleType>>, count: number): Arrays =>
  Object.fromEntries(
    Object.entries(types).map(([name, { dtype, shape }]) => [name, allocate(dtype, count * sizeOf(shape))]),
  );

/** What `run` makes of all samples in order, `size` at a time: arrays by name, one row after the other. Targets are left alone. */
export async function answersTo(
  data: AnySamples,
  size: number,
  run: (inputs: Arrays, samples: Uint32Array) => Promise<Arrays>,
): Promise<Arrays> {
  const { inputs, targets } = typesOf(data);
  const parts: Arrays[] = [];
  for await (const { samples, fill } of inOrder(data, size)) {
    const xs = arraysOf(inputs, samples.length);
    await fill(xs, arraysOf(targets, samples.length));
    parts.push(await run(xs, samples));
  }
  if (parts.length === 0) fail('invalid_data', 'predict: there are no samples; expected at least one');
  return Object.fromEntries(Object.keys(parts[0]).map((name) => [name, joined(parts.map((p) => p[name]))]));
}

function joined(parts: readonly TypedArray[]): TypedArray {
  const [first] = parts;
  const all = new (first.constructor as new (length: number) => TypedArray)(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
