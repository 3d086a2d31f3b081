import type { Backend, Program } from '../../src/backend/backend.ts';
import { allocate } from '../../src/core/dtype.ts';
import { sizeOf } from '../../src/core/shape.ts';
import type { Provider } from '../../src/scheduler/choose.ts';

/** What a simulated backend takes: for a run with its wait, for each step, and for arithmetic and bytes. */
export interface Speeds {
  readonly runMs: number;
  readonly stepMs: number;
  readonly flopsPerMs: number;
  readonly bytesPerMs: number;
  /** An op it can't run. */
  readonly without?: string;
}

/** A backend that computes nothing and takes the time that its speeds give: for testing who is chosen, never results. */
export function simulated(
  name: Provider['name'],
  speeds: Speeds,
  software = false,
): Provider & { made: number } {
  const provider = {
    ...{ name, made: 0 },
    probe: async () => ({ available: true as const, description: `simulated ${name}`, software }),
    create: async () => {
      provider.made++;
      return backendOf(name, speeds);
    },
  };
  return provider;
}

function backendOf(name: string, speeds: Speeds): Backend {
  const wait = (ms: number) => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  };
  return {
    ...{ name, description: `simulated ${name}`, build: 'simulated', threads: 1, allocatedBytes: 0 },
    supports: ({ op }) => (op === speeds.without ? { reason: 'the test says so' } : true),
    compile: async (plan): Promise<Program> => {
      const ms = plan.steps.reduce(
        (sum, { cost }) =>
          sum + speeds.stepMs + Math.max(cost.flops / speeds.flopsPerMs, cost.bytes / speeds.bytesPerMs),
        0,
      );
      let queued = 0;
      return {
        plan,
        write: (_, data) => wait(data.byteLength / speeds.bytesPerMs),
        run: () => {
          queued += ms;
        },
        read: async (slot, into) => {
          wait(queued + speeds.runMs);
          queued = 0;
          return into ?? allocate(slot.dtype, sizeOf(slot.shape));
        },
        dispose: () => {},
      };
    },
    dispose: () => {},
  };
}
