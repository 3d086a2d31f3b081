import { fail } from '../../core/errors.ts';
import type { Plan, Step } from '../../graph/plan.ts';
import { kernelOf } from './kernels/index.ts';
import type { ProductConfig } from './products.ts';
import type { Dispatch } from './record.ts';
import { Scratch } from './scratch.ts';

export interface Encoded {
  readonly steps: readonly { readonly step: Step; readonly dispatch: Dispatch }[];
  /** Words behind the plan's arena. */
  readonly scratchWords: number;
}

/** A plan as dispatches, in order, with the memory they need besides the plan's arena. Pure data. */
export function encodePlan(
  plan: Plan,
  configOf: (step: Step) => ProductConfig | undefined = () => undefined,
): Encoded {
  const from = Math.ceil(plan.arenaBytes / 64) * 16;
  const walk = (scratch: Scratch) =>
    plan.steps.flatMap((step) => {
      scratch.nextStep();
      const kernel = kernelOf(step.op);
      if ('reason' in kernel) return fail('unsupported', `${plan.name}: ${step.op}: ${kernel.reason}`);
      return kernel
        .encode(step, { scratch, config: configOf(step) })
        .filter((d) => d.workgroups > 0)
        .map((dispatch) => ({ step, dispatch }));
    });
  // What is kept lies before what is lent, so its size has to be known first.
  const sizes = new Scratch(from);
  walk(sizes);
  const scratch = new Scratch(from, sizes.keptWords);
  const steps = walk(scratch);
  return { steps, scratchWords: scratch.words === 0 ? 0 : from - plan.arenaBytes / 4 + scratch.words };
}
