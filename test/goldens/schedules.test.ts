import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { optim } from '../../src/index.ts';

interface Case {
  readonly call: string;
  readonly options: never;
  readonly rates: readonly number[];
  /** What is observed after each step, if anything is. */
  readonly metrics?: readonly (number | 'NaN' | null)[];
}

/** What takes several schedules is written down here. */
const composed: Readonly<Record<string, optim.Schedule>> = {
  'warm-up, then exponential': optim.sequence({
    schedules: [
      optim.linear({ lr: 0.3, startFactor: 0.1, totalIters: 6 }),
      optim.exponential({ lr: 0.3, gamma: 0.9 }),
    ],
    milestones: [6],
  }),
  'warm-up, then cosine': optim.sequence({
    schedules: [
      optim.linear({ lr: 0.3, startFactor: 0.1, totalIters: 6 }),
      optim.cosine({ lr: 0.3, total: 24 }),
    ],
    milestones: [6],
  }),
  'constant and exponential': optim.chain(0.3, [
    optim.constant({ lr: 0.3, factor: 0.1, totalIters: 4 }),
    optim.exponential({ lr: 0.3, gamma: 0.9 }),
  ]),
  'linear and step': optim.chain(0.3, [
    optim.linear({ lr: 0.3, startFactor: 0.2, totalIters: 10 }),
    optim.step({ lr: 0.3, stepSize: 7, gamma: 0.5 }),
  ]),
};

const schedules = optim as unknown as Record<string, (options: never) => optim.Schedule>;
const { by, cases } = JSON.parse(readFileSync(new URL('schedules.json', import.meta.url), 'utf8')) as {
  by: string;
  cases: Case[];
};

describe(`schedules have the rates of ${by}`, () => {
  it.each(cases.map((c, i) => [`${i}: ${c.call} ${JSON.stringify(c.options)}`, c] as const))('%s', (_, c) => {
    const rate = composed[c.call] ?? schedules[c.call](c.options);
    const observed = (c.metrics ?? []).flatMap((value, i) =>
      value === null ? [] : [{ step: i + 1, value: Number(value) }],
    );
    c.rates.forEach((expected, i) => {
      // All observations are known, as when a step is made again: later ones must not matter.
      expect(rate(i + 1, observed), `step ${i + 1}`).toBeCloseTo(expected, 12);
      expect(rate(i + 1, observed.slice(0, i + 1))).toBe(rate(i + 1, observed));
    });
  });
});

describe('after the end', () => {
  it('cosine, polynomial and one-cycle stay, restarts go on', () => {
    expect(optim.cosine({ lr: 1, total: 5, least: 0.1 })(100)).toBeCloseTo(0.1, 12);
    expect(optim.polynomial({ lr: 1, totalIters: 5 })(100)).toBe(0);
    const cycle = optim.oneCycle({ maxLr: 1, totalSteps: 5 });
    expect(cycle(100)).toBe(cycle(5));
    expect(cycle(5)).toBeCloseTo(1 / 25 / 1e4, 12);
    const restarts = optim.cosineRestarts({ lr: 0.5, t0: 5 });
    [0.5, 0.4522542, 0.3272542, 0.1727458, 0.0477458, 0.5].forEach((rate, i) => {
      expect(restarts(i + 1)).toBeCloseTo(rate, 7);
      expect(optim.cosine({ lr: 0.5, total: 5 })(i + 1)).toBeCloseTo(i < 5 ? rate : 0, 7);
    });
    expect(optim.cosine({ lr: 1, total: 1 })(1)).toBe(1);
  });

  it('a schedule by epochs holds for as many steps', () => {
    const rate = optim.perEpoch(3, optim.exponential({ lr: 1, gamma: 0.5 }));
    expect([1, 2, 3, 4, 6, 7].map((step) => rate(step))).toEqual([1, 1, 1, 0.5, 0.5, 0.25]);
    const plateau = optim.perEpoch(2, optim.reduceOnPlateau({ lr: 1, patience: 0 }));
    const observed = [2, 4].map((step) => ({ step, value: 1 }));
    expect([1, 4, 5].map((step) => plateau(step, observed))).toEqual([1, 1, 0.1]);
  });
});

describe('bad options', () => {
  it.each([
    ['sequence', () => optim.sequence({ schedules: [() => 1], milestones: [3] }), /expected one less/],
    ['chain', () => optim.chain(0, [() => 1]), /chain: lr is 0/],
    ['step', () => optim.step({ lr: 1, stepSize: 0 }), /stepSize is 0/],
    ['cyclic', () => optim.cyclic({ baseLr: 1, maxLr: 0.5 }), /at least baseLr/],
    ['plateau', () => optim.reduceOnPlateau({ lr: 1, factor: 1 }), /factor is 1/],
    ['cosineRestarts', () => optim.cosineRestarts({ lr: 1, t0: 0 }), /t0 is 0/],
  ])('%s', (_, make, message) => expect(make).toThrow(message));
});
