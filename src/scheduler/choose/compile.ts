import type { Backend, Program, Source } from '../../backend/backend.ts';
import { widestPlans } from '../../backend/entries.ts';
import type { TypedArray } from '../../core/dtype.ts';
import { fail } from '../../core/errors.ts';
import { opAt, type Slot } from '../../graph/plan.ts';
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

/**
 * Throws 'out_of_range' unless every value of a slot (labels, targets) is one that its ops can do something with. `samples`
 * says which samples of a data set the batch is made of.
 */
export function checkBounds(slot: Slot, data: TypedArray, samples?: ArrayLike<number>): void {
  const { below, name, shape } = slot;
  const [least, most] = below === undefined ? (slot.within ?? []) : [0, below - 1];
  if (least === undefined || most === undefined) return;
  for (let i = 0; i < data.length; i++)
    if (!(data[i] >= least && data[i] <= most)) {
      const row = Math.floor((i * shape[0]) / data.length);
      const where = samples ? `sample ${samples[row]} of the data set` : `sample ${row} of the batch`;
      const finite = most === Number.MAX_VALUE ? 'finite numbers' : `numbers from ${least} to ${most}`;
      fail(
        'out_of_range',
        `'${name}' holds ${data[i]} at position ${i}; expected ${below === undefined ? finite : `whole ${finite}`} (${where})`,
      );
    }
}
