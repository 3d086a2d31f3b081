import { BiphaseError, data, type nn, Tensor, Tracer } from '../../node.ts';
import { columnLabels, columnOf, type Labels, labelsOf } from '../data/columns.ts';
import type { ModelFacts } from '../data/facts.ts';
import { inputsOf, largestOf, type Samples } from '../data/inputs.ts';
import { readSource } from '../data/read.ts';
import { widthOf } from '../data/source.ts';
import { decide, type Target } from '../data/target.ts';
import { toldSamples, toldTarget, toldTask } from '../data/tell.ts';
import { readLayers } from '../models.ts';
import { say } from '../print.ts';
import { perceptron } from './layers.ts';
import { imageOf, isNetwork, networks } from './networks.ts';
import type { TrainOptions } from './options.ts';

/** All that a training needs, and what is kept beside the model. */
export interface Lesson {
  readonly model: nn.Module;
  readonly target: Target;
  readonly facts: ModelFacts;
  readonly train: data.DataSet;
  /** Class numbers of the samples trained on, where they are of classes. */
  readonly trained: ArrayLike<number>;
  /** What was put aside to test on. */
  readonly test?: data.DataSet;
}

/** Reads the data, decides what they stand for and says so, and puts a part aside. Throws before any work is done. */
export async function prepare(options: TrainOptions): Promise<Lesson> {
  const { inputs, labels } = await readData(options);
  if (labels.count !== inputs.count)
    throw new BiphaseError(
      'shape_mismatch',
      `${labels.path} has ${labels.count} labels, expected one for each of the ${inputs.count} samples` +
        (Math.abs(labels.count - inputs.count) === 1
          ? ' (--header says whether a first row names columns)'
          : ''),
    );
  const network = isNetwork(options.model) ? options.model : undefined;
  const image = network && imageOf(inputs.shape, inputs.path);
  const given = options.model && !network ? await readLayers(options.model) : undefined;
  const width = given && outputsOf(given, inputs.size, options.model!);
  const target = decide(labels, options.loss, width);
  if (width !== undefined && width !== target.outputs)
    throw new BiphaseError(
      'shape_mismatch',
      `${options.model} has ${width} outputs, ${labels.path} needs ${target.outputs} (${toldTask(target)})`,
    );
  const { train, test } = parts(inputs.count, target, options);
  const { values, size } = inputs;
  const transform = transformOf(inputs, train, options);
  const facts: ModelFacts = {
    ...{ task: target.task, classes: target.classes, target: target.name, transform },
    ...{ inputs: inputs.names, type: inputs.type, largest: largestOf(values) },
  };
  say(toldSamples(inputs, facts, toldTarget(target, labels.path === inputs.path ? undefined : labels.path)));
  say(toldTask(target));
  const set = data.fromArrays({
    ...{ input: values, inputShape: [size], transform, target: target.values },
    targetShape: target.width === 0 ? [] : [target.width],
  });
  return {
    model: image
      ? networks[network!](image, target.outputs)
      : (given ?? perceptron(size, target.outputs, options)),
    ...{ target, facts, train: data.pick(set, train) },
    trained: Array.from(train, (i) => target.values[i]),
    ...(test && { test: data.pick(set, test) }),
  };
}

/** Inputs and labels: of two files, or of one whose labels are in the column --target, or in the last. */
async function readData({ data: path, labels, target, header }: TrainOptions): Promise<{
  inputs: Samples;
  labels: Labels;
}> {
  const source = await readSource(path, header);
  if (labels !== undefined)
    return { inputs: inputsOf(source), labels: labelsOf(await readSource(labels, header), target) };
  if (source.shape.length !== 2 || widthOf(source) < 2)
    throw new BiphaseError(
      'invalid_data',
      `${path} has the shape ${source.shape.join(' x ')}; give the labels in a file of their own (--labels)`,
    );
  const except = target === undefined ? widthOf(source) - 1 : columnOf(source, target);
  return { inputs: inputsOf(source, { except }), labels: columnLabels(source, except) };
}

/** Outputs of a model for one sample of so many values; what the model can't take is refused here. */
function outputsOf(model: nn.Module, size: number, path: string): number {
  const tracer = new Tracer({ training: false });
  tracer.bindVariables((v) => tracer.state(undefined, v));
  try {
    const output = model.forward(tracer.input('input', { dtype: 'f32', shape: [1, size] }));
    return output instanceof Tensor ? output.shape.slice(1).reduce((a, b) => a * b, 1) : 0;
  } catch (error) {
    if (!(error instanceof BiphaseError)) throw error;
    throw new BiphaseError(error.code, `${path} does not take samples of ${size} values: ${error.message}`);
  }
}

/** A share drawn at random, of each class alike; the rest is to train on. */
function parts(
  count: number,
  { task, values }: Target,
  { validation, seed }: TrainOptions,
): Partial<data.Split> & { train: Uint32Array } {
  if (validation === 0) return { train: Uint32Array.from({ length: count }, (_, i) => i) };
  const classes = task === 'regression' || values.length !== count ? undefined : values;
  return data.split(count, validation, { seed, classes });
}

function transformOf(
  { values, size, type }: Samples,
  train: Uint32Array,
  { normalize, scale }: TrainOptions,
): data.Transform | undefined {
  if (normalize) return data.standardize(values, size, train);
  const factor = scale ?? (type === 'u8' ? 1 / 255 : undefined);
  return factor === undefined ? undefined : { scale: factor, shift: 0 };
}
