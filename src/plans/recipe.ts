import { showShape } from '../core/shape.ts';
import { Tracer } from '../graph/trace.ts';
import { feed, outputsOf, type Signature } from '../model/signature.ts';
import { type AnyModel, variableNames } from '../nn/module.ts';
import { type AnyTrainOptions, lossOf } from './train.ts';
import { TrainedVariables } from './variables.ts';

/** What a model and its loss compute, one line for each op: what tells one training from another of the same shapes. */
export interface Recipe {
  readonly model: readonly string[];
  readonly loss: readonly string[];
}

/** Traced at this size whatever the batches are, since shapes are part of some ops. */
const BATCH = 2;
/** Constants of at most so many values are written out. */
const FEW = 8;

/** Undefined for a model that takes other batch sizes only. */
export function recipeOf(
  model: AnyModel,
  inputs: Signature,
  options: Pick<AnyTrainOptions, 'loss' | 'targets' | 'bind'>,
): Recipe | undefined {
  try {
    return traced(model, inputs, options);
  } catch {
    return undefined;
  }
}

function traced(
  model: AnyModel,
  inputs: Signature,
  options: Pick<AnyTrainOptions, 'loss' | 'targets' | 'bind'>,
): Recipe {
  const tracer = new Tracer({ training: true });
  const x = feed(tracer, 'input', inputs, BATCH);
  const variables = new TrainedVariables(tracer, 'parameters', variableNames(model), options.bind);
  const outputs = tracer.run(() => outputsOf(model, x));
  tracer.section = 'loss';
  lossOf(tracer, outputs, BATCH, options);
  const known = variables.namesById;
  const lines = { model: [] as string[], loss: [] as string[] };
  for (const { op, inputs, attrs, section } of tracer.nodes) {
    const operands = inputs.flatMap((id) => known.get(id) ?? constant(tracer.tensors[id]) ?? []);
    const said = Object.keys(attrs).length ? ` ${JSON.stringify(attrs)}` : '';
    lines[section === 'loss' ? 'loss' : 'model'].push(
      `${op}${said}${operands.length ? ` with ${operands.join(', ')}` : ''}`,
    );
  }
  return lines;
}

function constant({ kind, data, shape }: Tracer['tensors'][number]): string | undefined {
  if (kind !== 'constant' || !data) return undefined;
  return data.length <= FEW ? Array.from(data).join(' ') : `a constant ${showShape(shape)}`;
}
