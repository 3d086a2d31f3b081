import { buildPlan } from '../graph/build-plan.ts';
import type { Graph } from '../graph/graph.ts';
import type { Plan } from '../graph/plan.ts';
import { Tracer } from '../graph/trace.ts';
import { type AnyFrozen, lendValues } from '../model/frozen.ts';
import { feed, outputsOf, slotName } from '../model/signature.ts';

/** Slots of an inference plan whose input and output have no names. */
export const inferSlots = { input: 'input', output: 'output' } as const;

/** The forward graph of a frozen model for one batch size, its weights as constants. */
export function inferGraph(frozen: AnyFrozen, batch: number): Graph {
  const tracer = new Tracer({ training: false });
  const x = feed(tracer, 'input', frozen.inputs, batch);
  tracer.bindVariables((v) => tracer.constant(lendValues(frozen, v), { dtype: v.dtype, shape: v.shape }));
  for (const [name, output] of Object.entries(tracer.run(() => outputsOf(frozen.model, x))))
    tracer.output(slotName('output', name), output);
  return tracer.graph;
}

/** Forward only, f32, for one batch size. */
export const inferPlan = (frozen: AnyFrozen, batch: number): Plan =>
  buildPlan(inferGraph(frozen, batch), { name: `infer f32, batch ${batch}` });
