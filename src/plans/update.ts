import { alignUp } from '../graph/memory.ts';
import { FLAT_ALIGNMENT, type Tensor, type Tracer } from '../graph/trace.ts';
import type { Tell } from '../optim/rate.ts';
import { type AverageOptions, averaging } from './average.ts';
import type { GroupRange, TrainedVariables } from './variables.ts';

/** How parameters are updated, apart from what each step is told. */
export interface Update {
  /** Parameters by group, as they lie in the flat tensors. */
  readonly groups: readonly GroupRange[];
  /** Names of flat states beside the parameters, with a value for each of them. */
  readonly moments: readonly string[];
  /** What is written into the slot `hyper` before a step, and where in it. */
  readonly tells: readonly { readonly at: number; readonly tell: Tell }[];
}

/** Numbers that an update op is told; those of the next begin where a tensor of their own would. */
const TOLD = 4;
const APART = alignUp(TOLD, FLAT_ALIGNMENT);

/** The state that holds the mean of the weights. */
export const AVERAGE = 'average';

/** What happens to gradients and weights beside what the optimizer does. */
interface UpdateOptions {
  readonly clipNorm?: number;
  readonly clipValue?: number;
  readonly average?: AverageOptions;
}

/** A part of the parameters as a step leaves it. */
interface Updated {
  readonly tensor: Tensor;
  readonly from: number;
}

/**
 * Updates all trained parameters: one op for each group, which lies in one piece. `given` is the flat tensor of gradients;
 * those of all groups are clipped together, by value before by norm.
 */
export function traceUpdate(
  tracer: Tracer,
  { flat, groups, trainedLength }: TrainedVariables,
  given: Tensor,
  hyper: string,
  { clipNorm = Infinity, clipValue = Infinity, average }: UpdateOptions,
): Update {
  const gradients = clipValue < Infinity ? tracer.apply('clip_values', [given], { most: clipValue }) : given;
  const names = [...new Set(groups.flatMap(({ optimizer }) => optimizer.moments))];
  const beside = (name: string) => tracer.state(name, { dtype: 'f32', shape: flat.shape });
  const moments = new Map(names.map((name) => [name, beside(name)]));
  const tells: Tell[] = groups.map(
    ({ optimizer }) =>
      (step, into, observed) =>
        optimizer.hyper(step, into, observed),
  );
  if (average) tells.push(averaging(average));
  const told = tracer.input(hyper, { dtype: 'f32', shape: [(tells.length - 1) * APART + TOLD] });
  const toldTo = (i: number) => tracer.part(told, i * APART, [TOLD]);
  const norm =
    clipNorm < Infinity ? [tracer.apply('global_norm', [tracer.part(gradients, 0, [trainedLength])])] : [];

  const updated = groups.flatMap((group, i): Updated[] => {
    const { optimizer, from, to } = group;
    const own = (t: Tensor) => tracer.part(t, from, [to - from]);
    const operands = [flat, gradients, ...optimizer.moments.map((name) => moments.get(name)!)].map(own);
    const attrs = norm.length > 0 ? { ...optimizer.attrs, maxNorm: clipNorm } : optimizer.attrs;
    const [made] = tracer.applyAll(optimizer.op, [...operands, toldTo(i), ...norm], attrs);
    return optimizer.each ? eachGoes(tracer, flat, group, made, toldTo(i)) : [{ tensor: made, from }];
  });

  if (average) {
    const mean = beside(AVERAGE);
    const share = toldTo(groups.length);
    for (const { tensor, from } of updated)
      tracer.applyAll('average', [tracer.part(mean, from, tensor.shape), tensor, share]);
  }
  return {
    groups,
    moments: [...names, ...(average ? [AVERAGE] : [])],
    tells: tells.map((tell, i) => ({ at: i * APART, tell })),
  };
}

/** Each parameter of a group goes its way as far as its own length says. */
function eachGoes(
  tracer: Tracer,
  flat: Tensor,
  { optimizer, from, parameters }: GroupRange,
  ways: Tensor,
  told: Tensor,
): Updated[] {
  return parameters.map(({ offset, size }) => {
    const parameter = tracer.part(flat, offset, [size]);
    const way = tracer.part(ways, offset - from, [size]);
    const lengths = [parameter, way].map((t) => tracer.apply('global_norm', [t]));
    const [tensor] = tracer.applyAll(optimizer.each!, [parameter, way, told, ...lengths]);
    return { tensor, from: offset };
  });
}
