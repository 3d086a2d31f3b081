import type { Backend, Program } from '../../src/backend/backend.ts';
import { widestPlans } from '../../src/backend/entries.ts';
import { allocate } from '../../src/core/dtype.ts';
import { sizeOf } from '../../src/core/shape.ts';
import type { Plan } from '../../src/graph/plan.ts';
import type { Provider } from '../../src/scheduler/choose/choose.ts';
import type { VirtualClock } from './clock.ts';

/** What a simulated backend takes: for a run with its wait, for each step, and for arithmetic and bytes. */
export interface Speeds {
  readonly runMs: number;
  readonly stepMs: number;
  readonly flopsPerMs: number;
  readonly bytesPerMs: number;
  /** An op it can't run. */
  readonly without?: string;
}

/**
 * A backend that computes nothing and takes the time that its speeds give, on a clock of the test's: for testing who is
 * chosen, never results.
 */
export function simulated(
  name: Provider['name'],
  speeds: Speeds,
  clock: Pick<VirtualClock, 'advance'>,
  software = false,
): Provider & { made: number; readonly compiled: string[] } {
  const provider = {
    ...{ name, made: 0, compiled: [] as string[] },
    probe: async () => ({ available: true as const, description: `simulated ${name}`, software }),
    create: async () => {
      provider.made++;
      return backendOf(name, speeds, clock, provider.compiled);
    },
  };
  return provider;
}

/** What one run takes, without what it starts with and its wait, in ms. */
export const simulatedMs = (plan: Plan, { stepMs, flopsPerMs, bytesPerMs }: Speeds): number =>
  plan.steps.reduce(
    (sum, { cost }) => sum + stepMs + Math.max(cost.flops / flopsPerMs, cost.bytes / bytesPerMs),
    0,
  );

function backendOf(
  name: string,
  speeds: Speeds,
  clock: Pick<VirtualClock, 'advance'>,
  compiled: string[],
): Backend {
  return {
    ...{ name, description: `simulated ${name}`, build: 'simulated', threads: 1, allocatedBytes: 0 },
    supports: ({ op }) => (op === speeds.without ? { reason: 'the test says so' } : true),
    compile: async (source): Promise<Program> => {
      const [plan] = widestPlans(source);
      compiled.push(plan.name);
      const ms = simulatedMs(plan, speeds);
      let queued = 0;
      return {
        ...{ plan, plans: { main: plan }, bytes: plan.arenaBytes },
        write: (_, data) => clock.advance(data.byteLength / speeds.bytesPerMs),
        run: () => {
          queued += ms;
        },
        read: async (slot, into) => {
          clock.advance(queued + speeds.runMs);
          queued = 0;
          return into ?? allocate(slot.dtype, sizeOf(slot.shape));
        },
        dispose: () => {},
      };
    },
    dispose: () => {},
  };
}
