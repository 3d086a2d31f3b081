import { atOnce } from '../../core/callbacks.ts';
import { allocate, type TypedArray } from '../../core/dtype.ts';
import { Random } from '../../core/random.ts';
import { sizeOf } from '../../core/shape.ts';
import type { Variable } from '../../graph/variable.ts';
import { type TrainPlan, trainSlots } from '../../plans/train.ts';
import { AVERAGE } from '../../plans/update.ts';
import { type Snapshot, stateSlots } from './snapshots.ts';

/**
 * Before the first step: of each variable what `known` gives, or where that is nothing what it begins with; moments as the optimizer
 * has them, mostly zero; and the weights as their own mean.
 */
export function initialState(
  { plan, variables, update }: TrainPlan,
  seed: number,
  known: (variable: Variable) => TypedArray | undefined,
): Snapshot {
  const states = Object.fromEntries(
    stateSlots(plan.slots).map(({ name, dtype, shape }) => [name, allocate(dtype, sizeOf(shape))]),
  );
  variables.forEach(({ name, variable, slot, offset }, i) => {
    const values = known(variable) ?? initialValues(variable, name, new Random(seed, i));
    states[slot].set(values, offset);
    if (slot === trainSlots.parameters) states[AVERAGE]?.set(values, offset);
  });
  for (const { parameters, optimizer } of update.groups)
    for (const [moment, value] of Object.entries(optimizer.initial ?? {}))
      for (const { offset, size } of parameters) states[moment].fill(value, offset, offset + size);
  return { step: 0, states };
}

/** What a variable begins with. */
export function initialValues(variable: Variable, name: string, random: Random): TypedArray {
  const values = allocate(variable.dtype, variable.size);
  atOnce(`the initializer of '${name}'`, variable.initialize(random, values as never, variable.shape));
  return values;
}
