import { dtypeOf, type TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { showShape, sizeOf } from '../core/shape.ts';
import type { Plan, Slot } from '../graph/plan.ts';

/** Checks a slot against its plan and an array against the slot; every backend's write and read start here. */
export function checkSlotArray(plan: Plan, slot: Slot, data: TypedArray, verb: 'write' | 'read into'): void {
  checkSlot(plan, slot);
  const dtype = dtypeOf(data);
  if (dtype !== slot.dtype)
    fail(
      'dtype_mismatch',
      `${plan.name}: can't ${verb} '${slot.name}': got ${dtype ?? typeof data}, expected ${slot.dtype}`,
    );
  const length = sizeOf(slot.shape);
  if (data.length !== length)
    fail(
      'shape_mismatch',
      `${plan.name}: can't ${verb} '${slot.name}': got ${data.length} elements, ` +
        `expected ${length} for shape ${showShape(slot.shape)}`,
    );
}

export function checkSlot(plan: Plan, slot: Slot): void {
  if (plan.slots[slot?.name] !== slot)
    fail(
      'invalid_argument',
      `${plan.name}: '${slot?.name}' is not a slot of this plan; take slots from plan.slots`,
    );
}

/** What calls answer after the engine they belong to is gone. */
export const ENGINE_DISPOSED = 'this engine was disposed; make a new one with createEngine()';
