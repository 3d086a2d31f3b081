import { BiphaseError, data } from '../../node.ts';
import { classNumbers, type Numbers, readNumbers, splitColumn } from '../data.ts';
import type { TrainOptions } from './options.ts';

/** The samples of a training, and what follows from them. */
export async function prepare(options: TrainOptions) {
  const source = await readNumbers(options.data);
  const { input, target } = options.labels
    ? { input: source, target: await readNumbers(options.labels) }
    : splitColumn(source, options.target);
  const count = input.shape[0];
  const size = input.shape.slice(1).reduce((a, b) => a * b, 1);
  const isClasses = target.shape.length === 1 && target.values.every((x) => Number.isInteger(x) && x >= 0);
  const loss = options.loss ?? (isClasses ? 'cross-entropy' : 'mse');
  const scale = options.scale ?? (input.values instanceof Uint8Array ? 1 / 255 : 1);
  const transform = { scale, shift: 0 };
  const labels = loss === 'cross-entropy' ? classNumbers(target, count) : valuesOf(target, count);
  const outputs =
    loss === 'cross-entropy'
      ? (labels as Int32Array).reduce((a, b) => Math.max(a, b), 0) + 1
      : labels.length / count;
  const set = data.fromArrays({
    ...{ input: input.values, inputShape: [size], target: labels, transform },
    targetShape: loss === 'cross-entropy' ? [] : [outputs],
  });
  return { set, loss, outputs, transform };
}

function valuesOf({ path, shape, values }: Numbers, count: number): Float32Array {
  if (shape[0] !== count)
    throw new BiphaseError(
      'shape_mismatch',
      `${path} has ${shape[0]} rows, expected one for each of the ${count} samples`,
    );
  return Float32Array.from(values);
}
