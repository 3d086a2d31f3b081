import { checkSlotArray } from '../../backend/program.ts';
import { type Arrays, byName, slotsOf } from '../../model/signature.ts';
import { batchSlots } from '../../plans/batch-slots.ts';
import type { TrainPlan } from '../../plans/train.ts';

/** A caller's arrays for a step, checked. */
export function fieldsOf(train: TrainPlan, part: 'input' | 'target', given: unknown): Arrays {
  const plan = {
    ...train.plan,
    slots: Object.fromEntries(batchSlots(train).map((slot) => [slot.name, slot])),
  };
  const slots = slotsOf(part, plan.slots);
  const arrays = byName('stepOn', part, Object.keys(slots), given);
  for (const name in slots) checkSlotArray(plan, slots[name], arrays[name], 'write');
  return arrays;
}
