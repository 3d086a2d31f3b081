import { bytesPerElement } from '../../core/dtype.ts';
import { sizeOf } from '../../core/shape.ts';
import { ALIGNMENT, type Constant, type Plan, type Step, type TensorRef } from '../../graph/plan.ts';
import { kernelOf } from './kernels/index.ts';

const bytesOf = (t: TensorRef): number => sizeOf(t.shape) * bytesPerElement[t.dtype];

/**
 * Takes the constants that kernels can read through a binding of their own out of the arena of some plans: operands become
 * `apart`, and what lay behind them moves up. A constant that another kernel reads as well stays in the arena besides.
 */
export function constantsApart(plans: readonly Plan[], constants: readonly Constant[]): (plan: Plan) => Plan {
  const starts = new Map(constants.map((c, i) => [c.offset, i]));
  const within = (t: TensorRef) => (c: Constant) => t.offset >= c.offset && t.offset < c.offset + bytesOf(c);
  /** Which constant a tensor lies in; -1 for none. */
  const indexOf = (t: TensorRef): number => {
    if (!t.constant || bytesOf(t) === 0) return -1;
    const at = starts.get(t.offset) ?? -1;
    return at >= 0 && bytesOf(constants[at]) > 0 ? at : constants.findIndex(within(t));
  };
  /** Positions of the inputs that a step reads apart. */
  const apartIn = ({ op, inputs }: Step): readonly number[] => {
    const kernel = kernelOf(op);
    const wanted = ('reason' in kernel ? undefined : kernel.apart) ?? [];
    return wanted.every((i) => indexOf(inputs[i]) >= 0) ? wanted : [];
  };
  const needed = new Set<number>();
  for (const { steps, slots } of plans) {
    for (const step of steps) {
      const apart = apartIn(step);
      for (const [i, t] of step.inputs.entries()) if (!apart.includes(i)) needed.add(indexOf(t));
    }
    for (const slot of Object.values(slots)) needed.add(indexOf(slot));
  }
  const gone = constants
    .filter((c, i) => !needed.has(i) && bytesOf(c) > 0)
    .sort((a, b) => a.offset - b.offset);
  const closed = [0];
  // Whole lines only: whoever looks at the rest of a constant's last one finds it behind what lies before.
  for (const c of gone) closed.push(closed.at(-1)! + bytesOf(c) - (bytesOf(c) % ALIGNMENT));
  const place = (offset: number): number => offset - closed[countBelow(gone, offset)];
  const at = <T extends TensorRef>(t: T): T => ({ ...t, offset: place(t.offset) });
  const saved = closed.at(-1)!;
  const missing = new Set(gone);

  const moveStep = (step: Step): Step => {
    const apart = apartIn(step);
    const inputs = step.inputs.map((t, i) => {
      if (!apart.includes(i)) return at(t);
      const index = indexOf(t);
      return { ...t, offset: t.offset - constants[index].offset, apart: index };
    });
    return { ...step, inputs, outputs: step.outputs.map(at) };
  };
  return (plan) => ({
    ...plan,
    arenaBytes: Math.max(plan.arenaBytes - saved, ALIGNMENT),
    steps: plan.steps.map(moveStep),
    slots: Object.fromEntries(Object.entries(plan.slots).map(([name, slot]) => [name, at(slot)])),
    constants: plan.constants.map((c) => {
      const index = starts.get(c.offset)!;
      return missing.has(constants[index]) ? { ...c, offset: 0, apart: index } : at(c);
    }),
    memory: { ...plan.memory, persistentBytes: plan.memory.persistentBytes - saved },
  });
}

/** How many of some tensors, in the order of their places, lie below an offset. */
function countBelow(sorted: readonly TensorRef[], offset: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle].offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
