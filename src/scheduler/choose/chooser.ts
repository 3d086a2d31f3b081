import type { Backend } from '../../backend/backend.ts';
import { BiphaseError } from '../../core/errors.ts';
import { costOfSteps, type Plan } from '../../graph/plan.ts';
import type { Backends } from './backends.ts';
import { type Explanation, explanation, type Found } from './explain.ts';
import { type Timing, timeOn } from './measure.ts';

/** A run and its wait take a real GPU at least about this long, in ms: below it, it is not even looked at. */
const LEAST_GPU_MS = 0.3;
/** Another backend must be better by this much: times are rough, and moving costs. */
const MARGIN = 0.8;

/** What trying a plan on a backend gave: its times, or why it can't run there. */
type Trial = Timing | { readonly reason: string };

/** Decides where a plan runs by running it there, and says why. */
export class Chooser {
  private readonly backends: Backends;
  /** Whether there is a choice: the person asked for 'auto'. */
  private readonly free: boolean;
  /** By backend and plan. */
  private readonly trials = new Map<string, Promise<Trial>>();

  constructor(backends: Backends, free: boolean) {
    this.backends = backends;
    this.free = free;
  }

  /**
   * The backend for a plan: the engine's own, unless 'auto' was asked for, another is there, and the plan is clearly faster on it,
   * or can run only there. Nothing is measured where there is no choice, and no plan is measured twice.
   */
  async backendFor(plan: Plan): Promise<Backend> {
    const { main } = this.backends;
    if (!this.free || !(await this.backends.mayHaveOther())) return main;
    const here = await this.trial(main, plan);
    if ('ms' in here && here.ms < LEAST_GPU_MS / MARGIN) return main;
    const other = await this.backends.other();
    if (!other) return main;
    const there = await this.trial(other, plan);
    if (!('ms' in there)) return main;
    return 'ms' in here && there.ms >= here.ms * MARGIN ? main : other;
  }

  /** What a plan takes on each backend, what was chosen, and why. Measures it where that has not been done. */
  async explain(plan: Plan): Promise<Explanation> {
    const chosen = await this.backendFor(plan);
    const chosenTrial = await this.trial(chosen, plan);
    const chosenMs = 'ms' in chosenTrial ? chosenTrial.ms : undefined;
    const found: Found[] = [];
    for (const { name, backend, reason } of await this.backends.all()) {
      const trial = backend ? await this.trial(backend, plan) : { reason };
      const timing = 'ms' in trial ? trial : undefined;
      found.push({
        ...{ backend: name, chosen: backend === chosen, timing },
        reason: 'reason' in trial ? trial.reason : this.why(backend === chosen, trial.ms, chosenMs),
      });
    }
    return explanation(plan, found);
  }

  private why(isChosen: boolean, ms: number, chosenMs: number | undefined): string {
    if (isChosen) return this.free ? 'chosen: nothing is clearly faster' : 'chosen: it was asked for';
    if (!this.free) return 'not chosen: another was asked for';
    const times = chosenMs ? ms / chosenMs : 1;
    if (times < MARGIN) return 'not chosen: for plans this short no other is looked for';
    return times > 1
      ? `not chosen: ${times.toPrecision(2)} times as long`
      : 'not chosen: not faster by a fifth';
  }

  /** Tries a plan on a backend, once; callers that ask meanwhile wait for the same. */
  private trial(backend: Backend, plan: Plan): Promise<Trial> {
    const key = `${backend.name} ${keyOf(plan)}`;
    let trial = this.trials.get(key);
    if (!trial) {
      trial = timeOn(backend, plan).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        this.backends.tell({ name: backend.name, text: reason });
        // What a backend has no kernel for stays so; memory and devices come back.
        const stays = error instanceof BiphaseError && error.code === 'unsupported';
        if (!stays) this.trials.delete(key);
        return { reason };
      });
      this.trials.set(key, trial);
    }
    return trial;
  }
}

/** Plans made anew from the same model are the same plan. */
function keyOf({ name, arenaBytes, steps }: Plan): string {
  return `${name} ${arenaBytes} ${steps.length} ${costOfSteps(steps).flops}`;
}
