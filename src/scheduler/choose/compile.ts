import type { Backend, Program, Source } from '../../backend/backend.ts';
import { widestPlans } from '../../backend/entries.ts';
import { fail } from '../../core/errors.ts';
import { opAt } from '../../graph/plan.ts';
import { showType } from '../../ops/check.ts';

/** Compiles after asking the backend about each step; an error names every step it can't take. */
export async function compileOn(backend: Backend, source: Source): Promise<Program> {
  for (const plan of widestPlans(source)) {
    const reasons = new Set<string>();
    for (const step of plan.steps) {
      const answer = backend.supports(step);
      if (answer !== true)
        reasons.add(`${opAt(step)}(${step.inputs.map(showType).join(', ')}): ${answer.reason}`);
    }
    if (reasons.size)
      fail('unsupported', `${plan.name} can't run on ${backend.name}: ${[...reasons].join('; ')}`);
  }
  return backend.compile(source);
}
