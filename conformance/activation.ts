import type { activationRows } from '../src/ops/activation.ts';
import { type ActivationName, activations } from '../src/ops/activation.ts';
import type { Activation, Closeness } from '../src/ops/activation-table.ts';
import { type Bound, close, EPS, exact, timesDy } from './kit/bound.ts';
import type { Case, Family } from './kit/case.ts';
import { elementwise } from './kit/uses.ts';

/** What the table of a function says of its exactness. */
export const within = ({ ulps, abs = 0 }: Closeness): Bound => (ulps + abs ? close(ulps, abs) : exact);

/** The same of a derivative, whose absolute error is times dy. */
const slopeWithin = ({ ulps, abs }: Closeness): Bound =>
  abs ? { abs: timesDy(abs), rel: ulps * 2 * EPS } : within({ ulps });

/** Attributes of those that have any. */
const attributes: Partial<Record<ActivationName, readonly object[]>> = {
  leaky_relu: [{ slope: 0.1 }, { slope: 0 }],
  elu: [{ alpha: 1 }, { alpha: 0.3 }],
  gelu: [{ approximate: 'none' }, { approximate: 'tanh' }],
};

/** A function of x under each of its attributes, and its derivative times dy. */
export const activation = Object.fromEntries(
  (Object.entries(activations) as [ActivationName, Activation<object>][]).flatMap(([name, a]) => {
    const cases = (arity: number): Case[] =>
      (attributes[name] ?? [{}]).flatMap((attrs) => elementwise(arity, attrs));
    return [
      [name, { bound: within(a.bound), cases: cases(1) }],
      [`${name}_backward`, { bound: slopeWithin(a.slopeBound), cases: cases(2) }],
    ];
  }),
) as unknown as Family<keyof typeof activationRows>;
