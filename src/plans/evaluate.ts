import { buildPlan } from '../graph/build-plan.ts';
import type { Plan } from '../graph/plan.ts';
import { Tracer } from '../graph/trace.ts';
import type { Variable } from '../graph/variable.ts';
import { feed, outputsOf, type Signature, signatureOf, slotName } from '../model/signature.ts';
import { type AnyModel, variableNames } from '../nn/module.ts';
import type { TensorType } from '../ops/op.ts';
import { averageOf } from './average-slot.ts';
import { through } from './bind.ts';
import { traceLossTerms } from './loss-terms.ts';
import { type AnyTrainOptions, lossOf, type TrainPlan, trainSlots } from './train.ts';

/**
 * The loss of a model in training on samples that it does not learn from: layers behave as when they serve, and nothing changes. With
 * `average` its weights are the mean that the training keeps.
 * Its variables are the states of the training plan, so it is an entry of the same program.
 */
export function evaluatePlan(
  model: AnyModel,
  inputs: TensorType | Signature,
  batch: number,
  options: AnyTrainOptions,
  { plan, variables }: TrainPlan,
  average = false,
): Plan {
  const tracer = new Tracer({ training: false });
  const x = feed(tracer, 'input', signatureOf('input', inputs), batch);
  const states = new Map(
    [...new Set(variables.map((v) => v.slot))].map((slot) => {
      const name = average ? averageOf(slot) : slot;
      return [slot, tracer.state(name, plan.slots[name])];
    }),
  );
  const places = new Map(variables.map((v) => [v.variable, v]));
  const placed = (variable: Variable) => {
    const { slot, offset } = places.get(variable)!;
    const { dtype, shape } = variable;
    return tracer.state(undefined, { dtype, shape }, { of: states.get(slot)!.id, offset });
  };
  tracer.bindVariables(
    through(options.bind, variableNames(model), { trained: placed, frozen: placed, buffer: placed }),
  );
  const outputs = tracer.run(() => outputsOf(model, x));
  for (const name in outputs) tracer.output(slotName('output', name), outputs[name]);
  tracer.section = 'loss';
  const loss = lossOf(tracer, outputs, batch, options);
  tracer.output(trainSlots.loss, loss);
  traceLossTerms(tracer, loss);
  return buildPlan(tracer.graph, { name: `evaluate, batch ${batch}` });
}
