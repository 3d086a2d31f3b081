import { atOnce } from '../../core/callbacks.ts';
import { Random } from '../../core/random.ts';
import type { Parameter } from '../../graph/parameter.ts';
import { type TrainPlan, trainSlots } from '../../plans/train.ts';
import { type Snapshot, stateSlots } from './snapshots.ts';

/** Before the first step: `values` of each parameter, or where there are none what it begins with; and moments of zero. */
export function initialState(
  train: TrainPlan,
  seed: number,
  values: ((parameter: Parameter) => Float32Array) | undefined,
): Snapshot {
  const states = Object.fromEntries(
    stateSlots(train.plan.slots).map(({ name }) => [name, new Float32Array(train.flatLength)]),
  );
  train.parameters.forEach(({ name, parameter, offset }, i) => {
    const view = states[trainSlots.parameters].subarray(offset, offset + parameter.size);
    if (values) view.set(values(parameter));
    else
      atOnce(
        `the initializer of '${name}'`,
        parameter.initialize(new Random(seed, i), view, parameter.shape),
      );
  });
  return { step: 0, states };
}
