import { fail } from '../core/errors.ts';
import { buildPlan } from '../graph/build-plan.ts';
import type { Graph } from '../graph/graph.ts';
import type { Plan } from '../graph/plan.ts';
import { Tensor, Tracer } from '../graph/trace.ts';
import type { FrozenModel } from '../model/frozen.ts';
import { forward } from '../nn/module.ts';
import { batched } from './train.ts';

/** Names of the slots of an inference plan. */
export const inferSlots = { input: 'input', output: 'output' } as const;

/** The forward graph of a frozen model for one batch size, its weights as constants. */
export function inferGraph(frozen: FrozenModel, batch: number): Graph {
  const tracer = new Tracer({ training: false });
  const x = tracer.input(inferSlots.input, batched(frozen.input, batch));
  tracer.bindParameters((p) => tracer.constant(frozen.values(p), { dtype: 'f32', shape: p.shape }));
  const output = forward(frozen.model, x);
  if (!(output instanceof Tensor))
    fail('invalid_argument', 'the model returned no tensor; return the result of its last op');
  tracer.output(inferSlots.output, output);
  return tracer.graph;
}

/** Forward only, f32, for one batch size. */
export const inferPlan = (frozen: FrozenModel, batch: number): Plan =>
  buildPlan(inferGraph(frozen, batch), { name: `infer f32, batch ${batch}` });
