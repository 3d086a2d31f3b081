import { fail } from '../../core/errors.ts';
import type { Plan, Step } from '../../graph/plan.ts';
import { readerOf } from '../extra-memory.ts';
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
  /** Words behind the plan's arena. */
  readonly scratchWords: number;
}

/** A plan as dispatches, in order; memory besides its arena is taken from `scratch`. Pure data. */
export function encodeSteps(plan: Plan, configOf: ConfigOf, scratch: Scratch): EncodedStep[] {
  return plan.steps.flatMap((step, i) => {
    scratch.nextStep(readerOf(step, `${plan.name} ${i}`));
    const kernel = kernelOf(step.op);
    if ('reason' in kernel) return fail('unsupported', `${plan.name}: ${step.op}: ${kernel.reason}`);
    return kernel
      .encode(step, { scratch, config: configOf(step, i) })
      .filter((d) => d.workgroups > 0)
      .map((dispatch) => ({ step, dispatch }));
  });
}

/** The scratch memory behind an arena, once `walk` has encoded with it all that needs most of it. */
export function scratchBehind(arenaBytes: number, walk: (scratch: Scratch) => void): Scratch {
  const scratch = new Scratch(Math.ceil(arenaBytes / 64) * 16);
  // What is kept lies before what is lent, so its size has to be known first.
  walk(scratch);
  scratch.settle();
  return scratch;
}

/** Words that scratch memory takes behind an arena, those between the two included. */
export const wordsBehind = (arenaBytes: number, { words }: Scratch): number =>
  words === 0 ? 0 : Math.ceil(arenaBytes / 64) * 16 - arenaBytes / 4 + words;

/** A plan of its own as dispatches, with the memory they need besides the plan's arena. */
export function encodePlan(plan: Plan, configOf: ConfigOf = () => undefined): Encoded {
  const scratch = scratchBehind(plan.arenaBytes, (s) => encodeSteps(plan, configOf, s));
  const steps = encodeSteps(plan, configOf, scratch);
  return { steps, scratchWords: wordsBehind(plan.arenaBytes, scratch) };
}
