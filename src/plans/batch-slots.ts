import { fail } from '../core/errors.ts';
import { showShape } from '../core/shape.ts';
import type { Slot } from '../graph/plan.ts';
import { type TrainPlan, trainSlots } from './train.ts';

/**
 * The slots that a step's batch is copied to, each as large as for all of its samples. Throws 'unsupported' where a target can't be divided
 * among the parts.
 */
export function batchSlots({ parts, batch }: Pick<TrainPlan, 'parts' | 'batch'>): Slot[] {
  const { plan, rows } = parts.at(-1)!;
  return Object.values(plan.slots).flatMap((slot) => {
    const { name, role, shape } = slot;
    if (role !== 'input' || name === trainSlots.hyper || name === trainSlots.seed) return [];
    if (rows === batch) return [slot];
    const [first = 1, ...rest] = shape;
    if (first % rows !== 0)
      fail(
        'unsupported',
        `'${name}' has shape ${showShape(shape)} for ${rows} samples, which can't be divided: accumulate needs some for each`,
      );
    return [{ ...slot, shape: [(first / rows) * batch, ...rest] }];
  });
}
