import { costOfSteps, type Plan } from '../../graph/plan.ts';

/** Weight of a new time in the running mean, and how many times the mean it may count for: a machine is held up at times. */
const [NEWEST, MOST] = [0.1, 3];
/** Of the first runs the shortest counts: kernels are being compiled. */
const FIRST = 5;

/** What real runs took: by backend and plan, from values in to values out. */
export class Ledger {
  private readonly times = new Map<string, { ms: number; runs: number }>();

  /** Notes a run. */
  note(backend: string, plan: Plan, ms: number): void {
    const key = keyOf(backend, plan);
    const known = this.times.get(key);
    if (!known) this.times.set(key, { ms, runs: 1 });
    else {
      known.runs++;
      if (known.runs <= FIRST) known.ms = Math.min(known.ms, ms);
      else known.ms += NEWEST * (Math.min(ms, MOST * known.ms) - known.ms);
    }
  }

  /** Mean time of a plan's runs on a backend, in ms; undefined before the second. */
  measured(backend: string, plan: Plan): number | undefined {
    const known = this.times.get(keyOf(backend, plan));
    return known && known.runs > 1 ? known.ms : undefined;
  }
}

/** Plans made anew from the same model are the same plan. */
const keys = new WeakMap<Plan, string>();
function keyOf(backend: string, plan: Plan): string {
  let key = keys.get(plan);
  if (!key) {
    const { name, arenaBytes, steps } = plan;
    key = `${name} ${arenaBytes} ${steps.length} ${costOfSteps(steps).flops}`;
    keys.set(plan, key);
  }
  return `${backend} ${key}`;
}
