import { fail } from '../../core/errors.ts';
import type { Plan, Step } from '../../graph/plan.ts';
import { kernelOf } from './kernels/index.ts';
import type { ProductConfig } from './products.ts';
import type { Dispatch } from './record.ts';
import { Scratch } from './scratch.ts';

/** How a step's product is divided; undefined for what is none. `position` is that of the step in its plan. */
export type ConfigOf = (step: Step, position: number) => ProductConfig | undefined;

export interface EncodedStep {
  readonly step: Step;
  readonly dispatch: Dispatch;
}

export interface Encoded {
  readonly steps: readonly EncodedStep[];
  /** Bytes of the plan's arena and of what is lent behind it. */
  readonly arenaBytes: number;
}

/** A plan as dispatches, in order; memory besides its arena is taken from `scratch`. Pure data. */
export function encodeSteps(plan: Plan, configOf: ConfigOf, scratch: Scratch): EncodedStep[] {
  return plan.steps.flatMap((step, i) => {
    scratch.nextStep();
    const kernel = kernelOf(step.op);
    if ('reason' in kernel) return fail('unsupported', `${plan.name}: ${step.op}: ${kernel.reason}`);
    return kernel
      .encode(step, { scratch, config: configOf(step, i) })
      .filter((d) => d.workgroups > 0)
      .map((dispatch) => ({ step, dispatch: dispatch.weights ? reading(dispatch) : dispatch }));
  });
}

/** A dispatch that reads its weights through the binding of their own. */
export function reading(dispatch: Dispatch): Dispatch {
  const { shader } = dispatch;
  return { ...dispatch, shader: { ...shader, constants: { ...shader.constants, APART: 1 } } };
}

/** A plan of its own as dispatches, with the memory they need. */
export function encodePlan(plan: Plan, configOf: ConfigOf = () => undefined): Encoded {
  const scratch = new Scratch(plan.arenaBytes);
  return { steps: encodeSteps(plan, configOf, scratch), arenaBytes: scratch.end };
}
