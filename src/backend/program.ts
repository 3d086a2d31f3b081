import { expectArray } from '../core/arrays.ts';
import { bytesPerElement, type TypedArray } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { showShape, sizeOf } from '../core/shape.ts';
import type { Plan, Slot, Step } from '../graph/plan.ts';
import { showType } from '../ops/check.ts';

/** Checks a slot against its plan and an array against the slot; every backend's write and read start here. */
export function checkSlotArray(plan: Plan, slot: Slot, data: TypedArray, verb: 'write' | 'read into'): void {
  checkSlot(plan, slot);
  expectArray(`${plan.name}: can't ${verb} '${slot.name}'`, data, slot.dtype);
  const length = sizeOf(slot.shape);
  if (data.length !== length)
    fail(
      'shape_mismatch',
      `${plan.name}: can't ${verb} '${slot.name}': got ${data.length} elements, ` +
        `expected ${length} for shape ${showShape(slot.shape)}`,
    );
}

/**
 * Throws 'out_of_range' unless every value for a slot (labels, ids, targets), of as many samples as there are, is one that its ops
 * can do something with. `samples` says which samples of a data set they are. Asked wherever callers' values are written.
 */
export function checkBounds(slot: Slot, data: TypedArray, samples?: ArrayLike<number>): void {
  const { below, except, name, shape } = slot;
  const [least, most] = below === undefined ? (slot.within ?? []) : [0, below - 1];
  if (least === undefined || most === undefined) return;
  for (let i = 0; i < data.length; i++)
    if (!(data[i] >= least && data[i] <= most) && data[i] !== except) {
      const row = Math.floor(i / sizeOf(shape.slice(1)));
      const where = samples ? `sample ${samples[row]} of the data set` : `sample ${row} of the batch`;
      const finite = most === Number.MAX_VALUE ? 'finite numbers' : `numbers from ${least} to ${most}`;
      const wanted = below === undefined ? finite : `whole ${finite}`;
      const ignored = except === undefined ? '' : `, or ${except} for what is left out`;
      fail(
        'out_of_range',
        `'${name}' holds ${data[i]} at position ${i}; expected ${wanted}${ignored} (${where})`,
      );
    }
}

export function checkSlot(plan: Plan, slot: Slot): void {
  if (plan.slots[slot?.name] !== slot)
    fail(
      'invalid_argument',
      `${plan.name}: '${slot?.name}' is not a slot of this plan; take slots from plan.slots`,
    );
}

/** `train(input f32 [8, 784], target i32 [8])`: a plan in messages, by what goes into it. */
export function describePlan({ name, slots }: Plan): string {
  const inputs = Object.values(slots).filter((s) => s.role === 'input');
  return `${name}(${inputs.map((s) => `${s.name} ${showType(s)}`).join(', ')})`;
}

/** The step whose tensors take most memory, in messages: `matmul(f32 [1024, 784], f32 [784, 256])`. */
export function largestStep({ steps }: Plan): string {
  const bytes = ({ inputs, outputs }: Step) =>
    [...inputs, ...outputs].reduce((sum, t) => sum + sizeOf(t.shape) * bytesPerElement[t.dtype], 0);
  const [first, ...others] = steps;
  return first ? describeStep(others.reduce((a, b) => (bytes(b) > bytes(a) ? b : a), first)) : 'no step';
}

/** `matmul(f32 [2, 3], f32 [3, 4])`. */
export const describeStep = ({ op, inputs }: Step): string => `${op}(${inputs.map(showType).join(', ')})`;

/** What calls answer after the engine they belong to is gone. */
export const ENGINE_DISPOSED = 'this engine was disposed; make a new one with createEngine()';
