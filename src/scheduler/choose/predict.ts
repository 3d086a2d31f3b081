import { bytesPerElement } from '../../core/dtype.ts';
import { sizeOf } from '../../core/shape.ts';
import type { Plan, Step } from '../../graph/plan.ts';
import { opOf, productOf } from '../../ops/index.ts';
import { productSize, type Rate, type Rates } from './rates.ts';

/** What a run's time goes to. */
export type Part = 'products' | 'memory' | 'functions' | 'steps' | 'launch' | 'transfer';

/** What a run of a plan is expected to take. */
export interface Prediction {
  /** One run, from values in to values out, in ms. */
  readonly ms: number;
  /** The time by what it goes to, in ms. */
  readonly parts: Readonly<Record<Part, number>>;
  /** The part that takes most. */
  readonly bound: Part;
}

/** Slots that go over with every run: what the caller writes, and the loss or the result. */
const perRun = new Set(['input', 'target', 'hyper', 'seed', 'loss', 'output']);

/** The time of one run, from the arithmetic and bytes of each step and a backend's measured rates. */
export function predict(plan: Plan, rates: Rates): Prediction {
  const parts: Record<Part, number> = {
    ...{ products: 0, memory: 0, functions: 0, steps: 0 },
    launch: rates.runMs,
    transfer: 0,
  };
  for (const step of plan.steps) {
    if (step.cost.flops === 0 && step.cost.bytes === 0) continue;
    parts.steps += rates.stepMs;
    const [part, ms] = timeOf(step, rates);
    parts[part] += ms;
  }
  for (const slot of Object.values(plan.slots))
    if (perRun.has(slot.name))
      parts.transfer += (sizeOf(slot.shape) * bytesPerElement[slot.dtype]) / rates.transfer;
  const ms = Object.values(parts).reduce((a, b) => a + b, 0);
  const bound = (Object.keys(parts) as Part[]).reduce((a, b) => (parts[b] > parts[a] ? b : a));
  return { ms, parts, bound };
}

function timeOf(step: Step, rates: Rates): [Part, number] {
  const { flops, bytes } = step.cost;
  const product = productOf(step);
  if (product) {
    const { kind, batch, m, n, k } = product;
    const rate = Math.min(m, n, k) === 1 ? rates[`${kind}Vector`] : rates[kind];
    return ['products', flops / at(rate, productSize(batch * m, n, k))];
  }
  const moving = bytes / at(rates.bytes, bytes);
  // What works in place is an optimizer: arithmetic without functions, over four arrays at once.
  const computing = flops / (opOf(step.op).inPlace ? rates.updates : rates.functions);
  return computing > moving ? ['functions', computing] : ['memory', moving];
}

/** The rate of a call of this size: between two probes by the logarithm, outside all of them as the nearest. */
function at({ at: sizes, perMs }: Rate, size: number): number {
  const above = sizes.findIndex((probe) => probe >= size);
  if (above === 0) return perMs[0];
  if (above < 0) return perMs[perMs.length - 1];
  const share = Math.log(size / sizes[above - 1]) / Math.log(sizes[above] / sizes[above - 1]);
  return perMs[above - 1] * (perMs[above] / perMs[above - 1]) ** share;
}
