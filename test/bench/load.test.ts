import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { load } from '../../bench/programs/load.ts';
import { plansOf } from '../../bench/programs/scheduler-plans.ts';
import { once } from '../../bench/run/time-plan.ts';
import { simulated, simulatedMs } from '../../tools/simulated/backend.ts';
import { type VirtualClock, virtualClock } from '../../tools/simulated/clock.ts';

let clock: VirtualClock;
beforeEach(() => {
  clock = virtualClock();
});
afterEach(() => clock.restore());

describe('callers in a closed loop', () => {
  it('each asks again when it has its answer, and none is counted twice', async () => {
    const asked: number[] = [];
    const answer = async (i: number) => {
      asked.push(i);
      clock.advance(i === 7 ? 50 : 10);
    };
    const met = await load(answer, { callers: 1, seconds: 1 });
    expect(asked).toEqual(Array.from({ length: 96 }, (_, i) => i));
    expect(met).toEqual({ perSecond: 96, p50: 10, p99: 50, longest: 50, answers: 96 });
  });

  it('waits run from when a request is due', async () => {
    const gather = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(1);
    };
    const met = await load(gather, { callers: 10, seconds: 0.1 });
    // Ten at a time, each behind the nine others.
    expect(met.p50).toBeGreaterThanOrEqual(10);
    expect(met.answers).toBeGreaterThanOrEqual(100);
  });
});

describe('plans of the scheduler suite', () => {
  it('are trained and int8, and timed as a caller runs them', async () => {
    // Engines look at the machine's own clock when they start.
    clock.restore();
    const plans = await plansOf(true);
    clock = virtualClock();
    expect(plans.length).toBe(12);
    const speeds = { runMs: 3, stepMs: 0.5, flopsPerMs: 1e6, bytesPerMs: 1e6 };
    const backend = await simulated('wasm', speeds, clock).create();
    for (const [name, make] of plans) {
      const plan = make();
      expect(plan.name).toMatch(name.startsWith('train') ? /^train/ : /int8/);
      const values = Object.values(plan.slots).filter((s) => s.role === 'input');
      const bytes = values.reduce((sum, s) => sum + 4 * s.shape.reduce((a, b) => a * b, 1), 0);
      const want = simulatedMs(plan, speeds) + speeds.runMs + bytes / speeds.bytesPerMs;
      expect(await once(await backend.compile(plan))).toBeCloseTo(want, 6);
    }
  });
});
