import { showShape } from '../core/shape.ts';
import { Tracer } from '../graph/trace.ts';
import type { Loss } from '../nn/losses.ts';
import { forward, type Model, nameParameters } from '../nn/module.ts';
import type { TensorType } from '../ops/op.ts';
import { batched } from './train.ts';

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
export function recipeOf(model: Model, input: TensorType, loss: Loss): Recipe | undefined {
  try {
    return traced(model, input, loss);
  } catch {
    return undefined;
  }
}

function traced(model: Model, input: TensorType, loss: Loss): Recipe {
  const tracer = new Tracer({ training: true });
  const x = tracer.input('input', batched(input, BATCH));
  tracer.bindParameters(({ shape }) => tracer.state(undefined, { dtype: 'f32', shape }));
  const output = forward(model, x);
  tracer.section = 'loss';
  const { dtype, shape } = loss.target?.(output) ?? output;
  loss(output, tracer.input('target', { dtype, shape }));
  const names = nameParameters(model, tracer.parameters.keys());
  const known = new Map([...tracer.parameters].map(([p, tensor]) => [tensor.id, names.get(p)!]));
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
