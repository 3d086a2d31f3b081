import type { Backend, Program } from '../backend/backend.ts';
import type { TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import type { Plan, Slot } from '../graph/plan.ts';
import { showType } from '../ops/check.ts';

/** Compiles a plan after asking the backend about each step; an error names every step it can't take. */
export async function compileOn(backend: Backend, plan: Plan): Promise<Program> {
  const reasons = new Set<string>();
  for (const step of plan.steps) {
    const answer = backend.supports(step);
    if (answer !== true) reasons.add(`${step.op}(${step.inputs.map(showType).join(', ')}): ${answer.reason}`);
  }
  if (reasons.size)
    fail('unsupported', `${plan.name} can't run on ${backend.name}: ${[...reasons].join('; ')}`);
  return backend.compile(plan);
}

/** Throws unless every value of an index slot (labels) is inside its bound. */
export function checkBounds(slot: Slot, data: TypedArray): void {
  const { below, name } = slot;
  if (below === undefined) return;
  for (let i = 0; i < data.length; i++)
    if (!(data[i] >= 0 && data[i] < below))
      fail(
        'out_of_range',
        `'${name}' holds ${data[i]} at position ${i}; expected whole numbers from 0 to ${below - 1}`,
      );
}
