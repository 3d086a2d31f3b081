import { bytesPerElement } from '../core/dtype.ts';
import { fail } from '../core/errors.ts';
import { sameShape, sizeOf } from '../core/shape.ts';
import { alignUp } from '../graph/memory.ts';
import { ALIGNMENT, type Constant, type Plan, type TensorRef } from '../graph/plan.ts';
import { showType } from '../ops/check.ts';

/** How the plans of several entries come to lie in one arena. */
export interface SharedPlaces {
  /** All constants, each once. */
  readonly constants: readonly Constant[];
  /** For each plan: moves it, or one for fewer rows that is placed as it is. */
  readonly moves: readonly ((plan: Plan) => Plan)[];
}

/** A tensor in the persistent part of a plan's arena, and where it goes. */
interface Moved {
  readonly from: number;
  readonly end: number;
  readonly to: number;
}

const bytesOf = (t: TensorRef): number => sizeOf(t.shape) * bytesPerElement[t.dtype];

/**
 *     | states, by name | constants, by their arrays | the rest of whichever plan runs |
 */
export function sharedPlaces(plans: readonly Plan[]): SharedPlaces {
  const states = new Map<string, TensorRef & { plan: string }>();
  const constants = new Map<unknown, Constant>();
  let end = 0;
  const take = (t: TensorRef): number => {
    const at = end;
    end = alignUp(end + bytesOf(t), ALIGNMENT);
    return at;
  };
  const moved = plans.map((plan): Moved[] => {
    const own = Object.values(plan.slots).filter((s) => s.offset < plan.memory.persistentBytes);
    const pieces = own.filter((s) => !own.some((o) => o !== s && isWithin(s, o)));
    return [
      ...pieces.map((slot) => {
        const known = states.get(slot.name) ?? { ...slot, offset: take(slot), plan: plan.name };
        if (known.dtype !== slot.dtype || !sameShape(known.shape, slot.shape))
          fail(
            'shape_mismatch',
            `the state '${slot.name}' is ${showType(known)} in '${known.plan}' and ${showType(slot)} in '${plan.name}'`,
          );
        states.set(slot.name, known);
        return { from: slot.offset, end: slot.offset + bytesOf(slot), to: known.offset };
      }),
      ...plan.constants.map((constant) => {
        const { data } = constant;
        const known = constants.get(data) ?? { ...constant, offset: take(constant) };
        constants.set(data, known);
        return { from: constant.offset, end: constant.offset + bytesOf(constant), to: known.offset };
      }),
    ];
  });
  return {
    constants: [...constants.values()],
    moves: plans.map((plan, i) => (other) => move(other, moved[i], plan.memory.persistentBytes, end)),
  };
}

/** Whether a tensor lies within another one: a named part of a state. */
const isWithin = (t: TensorRef, other: TensorRef): boolean =>
  t.offset >= other.offset &&
  t.offset + bytesOf(t) <= other.offset + bytesOf(other) &&
  bytesOf(t) < bytesOf(other);

function move(plan: Plan, moved: readonly Moved[], persistentBytes: number, newBytes: number): Plan {
  const place = (offset: number): number => {
    if (offset >= persistentBytes) return newBytes + offset - persistentBytes;
    // An empty tensor lies where the next one begins.
    const at = moved.find((m) => offset >= m.from && offset < m.end) ?? moved.find((m) => offset === m.from);
    if (!at) return fail('internal', `${plan.name}: nothing is known of the state at byte ${offset}`);
    return at.to + offset - at.from;
  };
  const at = <T extends TensorRef>(t: T): T => ({ ...t, offset: place(t.offset) });
  return {
    ...plan,
    arenaBytes: newBytes + plan.arenaBytes - persistentBytes,
    steps: plan.steps.map((s) => ({ ...s, inputs: s.inputs.map(at), outputs: s.outputs.map(at) })),
    slots: Object.fromEntries(Object.entries(plan.slots).map(([name, slot]) => [name, at(slot)])),
    constants: plan.constants.map(at),
    memory: { ...plan.memory, persistentBytes: newBytes },
  };
}
