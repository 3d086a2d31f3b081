import { BiphaseError, fail } from '../core/errors.ts';
import { sizeOf } from '../core/shape.ts';
import type { Constant, Plan, Slot, Step, TensorRef } from './plan.ts';

/** The plans of one model for any number of rows (samples): the same steps, on more of the same. */
export interface GrowingPlan {
  /** The plan for so many rows; asked for whole numbers from `least` to `most`. */
  planOf(rows: number): Plan;
  /** Fewest rows of one run; 1 if not given. */
  readonly least?: number;
  /** Most rows of one run. */
  readonly most: number;
}

/** The model does different things for different numbers of rows, so that one program can't serve all of them. */
export class UnevenError extends BiphaseError {
  constructor(plan: string, what: string, options?: ErrorOptions) {
    super(
      'unsupported',
      `${plan}: ${what}, so one program can't serve every number of them; make the model's ops independent of the batch size`,
      options,
    );
  }
}

/**
 * A plan with its tensors at the places that they have in another one for more rows: the same steps in the same order live
 * equally long, so what fits for more rows fits for fewer. Throws UnevenError where the two do different things.
 */
export function placedAs(plan: Plan, widest: Plan, rows: number): Plan {
  if (plan === widest) return plan;
  const differ = (what: string): never => {
    throw new UnevenError(widest.name, `with ${rows} rows ${what}`);
  };
  const move = <T extends TensorRef>(t: T, to: TensorRef | undefined): T =>
    t.dtype === to?.dtype && t.constant === to.constant
      ? { ...t, offset: to.offset }
      : differ('it computes with other tensors');
  const moveAll = (some: readonly TensorRef[], like: readonly TensorRef[]): TensorRef[] =>
    some.length === like.length ? some.map((t, i) => move(t, like[i])) : differ('it takes other operands');
  const moveStep = (step: Step, i: number): Step => {
    const like = widest.steps[i];
    if (step.op !== like.op) differ(`step ${i} is ${step.op} instead of ${like.op}`);
    return {
      ...step,
      inputs: moveAll(step.inputs, like.inputs),
      outputs: moveAll(step.outputs, like.outputs),
    };
  };
  if (plan.steps.length !== widest.steps.length) differ('it takes other steps');
  if (plan.constants.length !== widest.constants.length) differ('it has other constants');
  if (!plan.constants.every((c, i) => sameValues(c, widest.constants[i]))) differ('its constants differ');
  const slots: [string, Slot][] = Object.entries(plan.slots).map(([n, s]) => [n, move(s, widest.slots[n])]);
  if (slots.length !== Object.keys(widest.slots).length) differ('it has other inputs or outputs');
  const { arenaBytes, constants, memory } = widest;
  return {
    ...plan,
    arenaBytes,
    constants,
    memory,
    steps: plan.steps.map(moveStep),
    slots: Object.fromEntries(slots),
  };
}

function sameValues({ data: a }: Constant, { data: b }: Constant): boolean {
  return a === b || (a.length === b.length && a.every((x, i) => Object.is(x, b[i])));
}

/** Elements that a slot has for each row; 0 where it is the same for any number of rows. */
export function rowSizes(one: Plan, oneRows: number, other: Plan, otherRows: number): Map<string, number> {
  return new Map(
    Object.entries(one.slots).map(([name, slot]) => {
      const [size, otherSize] = [sizeOf(slot.shape), sizeOf(other.slots[name].shape)];
      if (size === otherSize) return [name, 0];
      if (size % oneRows === 0 && size / oneRows === otherSize / otherRows) return [name, size / oneRows];
      throw new UnevenError(one.name, `'${name}' does not have as much for each of its rows`);
    }),
  );
}

/** A growing plan that makes the one for the most rows, which everybody asks for, only once. */
export function growing(
  planOf: (rows: number) => Plan,
  { least = 1, most }: Omit<GrowingPlan, 'planOf'>,
): GrowingPlan {
  let widest: Plan | undefined;
  return {
    least,
    most,
    planOf(rows) {
      if (rows !== most) return planOf(rows);
      widest ??= planOf(most);
      return widest;
    },
  };
}

/** Whether a source of programs is a growing plan. */
export const isGrowing = (source: object): source is GrowingPlan => 'planOf' in source;

/** Throws unless `least` and `most` are whole numbers that leave something between them. */
export function rowsOf({ least = 1, most }: GrowingPlan): { least: number; most: number } {
  if (!Number.isInteger(least) || !Number.isInteger(most) || least < 1 || most < least)
    fail(
      'invalid_argument',
      `rows go from ${least} to ${most}; expected whole numbers from 1, in this order`,
    );
  return { least, most };
}
