import { digestOf } from '../core/digest.ts';
import { showShape } from '../core/shape.ts';
import type { Section } from '../graph/plan.ts';
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
/** Before what tells long constants apart. */
const DIGEST = ' of digest ';
const DIGITS = new RegExp(`${DIGEST}[\\d ]+`, 'g');

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
    const operands = inputs.flatMap((id) => known.get(id) ?? constant(tracer.tensors[id], section) ?? []);
    const said = Object.keys(attrs).length ? ` ${JSON.stringify(attrs)}` : '';
    lines[section === 'loss' ? 'loss' : 'model'].push(
      `${op}${said}${operands.length ? ` with ${operands.join(', ')}` : ''}`,
    );
  }
  return lines;
}

/** The loss of now as a recipe says it that was saved: older ones say nothing of the values of long constants. */
export const lossAsIn = (saved: Recipe, { loss }: Recipe): readonly string[] =>
  saved.loss.some((line) => line.includes(DIGEST)) ? loss : loss.map((line) => line.replaceAll(DIGITS, ''));

/** In words; of long ones a loss has its values too (a teacher's weights), a model its shape, since engines may differ in the last bit of a sine. */
function constant({ kind, data, shape }: Tracer['tensors'][number], section: Section): string | undefined {
  if (kind !== 'constant' || !data) return undefined;
  if (data.length <= FEW) return Array.from(data).join(' ');
  return `a constant ${showShape(shape)}${section === 'loss' ? DIGEST + digestOf(data) : ''}`;
}
