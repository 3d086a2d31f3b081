import type { Plan } from '../../src/index.ts';

/** What one run of a plan costs. */
export interface RunCost {
  readonly flops: number;
  /** Every operand read and every result written once. */
  readonly bytes: number;
}

export function costOfRun(plan: Plan): RunCost {
  return plan.steps.reduce(
    (sum, { cost }) => ({ flops: sum.flops + cost.flops, bytes: sum.bytes + cost.bytes }),
    { flops: 0, bytes: 0 },
  );
}

/** After how many inferences serving has cost more than training did, in whichever unit both are given. */
export function breakEven(training: number, inference: number): number {
  if (!(training >= 0) || !(inference > 0)) return Number.POSITIVE_INFINITY;
  return Math.ceil(training / inference);
}
