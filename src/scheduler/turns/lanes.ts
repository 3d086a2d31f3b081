import { Profile } from './profile.ts';
import { nextTurn, Turns } from './turns.ts';

type Kind = 'inference' | 'training';

/** Collects work that waits for more of its kind; told to hand it over before a training step takes the engine. */
export interface Gatherer {
  flush(): void;
}

/** A training step that waits goes next once inference has taken this many times the last step's duration. */
const INFERENCE_SHARE = 4;

/**
 * Who runs next on one engine. One thing runs at a time, a batch or a training step, each to its end.
 *
 * - Inference goes first: a request waits for at most the one step that is under way when it comes. What predictors are
 *   still gathering is run before the next step, because nothing can be gathered while a step holds the thread.
 * - Training is not starved: a step that waits goes next once batches have taken INFERENCE_SHARE times as long as the
 *   last step did. So under any load training keeps about a fifth of the engine.
 */
export class Lanes {
  private readonly waiting: Record<Kind, (() => void)[]> = { inference: [], training: [] };
  private readonly gatherers = new Set<Gatherer>();
  private readonly profiles = new Set<Profile>();
  private readonly turns = new Turns();
  private busy = false;
  private stepMs = 0;
  private inferenceMs = 0;
  private open = 0;

  /**
   * Runs batches as soon as their turn comes. `work` may run one batch after the other for as long as `mayGoOn()` says
   * so, and asks for another turn for the rest.
   */
  inference(work: (mayGoOn: () => boolean) => Promise<void>): Promise<void> {
    return this.run('inference', () => {
      const start = performance.now();
      return work(() => {
        if (this.waiting.inference.length > 0) return false;
        const spent = this.inferenceMs + performance.now() - start;
        return this.waiting.training.length === 0 || !this.stepIsDue(spent);
      });
    });
  }

  /** Runs a training step: after what waits for inference, and not for ever after it. */
  training<T>(work: () => Promise<T>): Promise<T> {
    for (const gatherer of this.gatherers) gatherer.flush();
    return this.run('training', work);
  }

  /** Runs what a training does between steps (a snapshot, a checkpoint) in a turn of its own. */
  upkeep<T>(work: () => Promise<T>): Promise<T> {
    for (const gatherer of this.gatherers) gatherer.flush();
    return this.run('training', work, false);
  }

  /**
   * Between two training steps: lets the thread's other work run (requests that come in, timers, input). At every step
   * while something serves on this engine, else when a while has passed.
   */
  async betweenSteps(): Promise<void> {
    await (this.open > 0 ? nextTurn() : this.turns.breathe());
  }

  /** Records every turn from now on, until it is stopped. */
  profile(): Profile {
    const profile: Profile = new Profile(() => this.profiles.delete(profile));
    this.profiles.add(profile);
    return profile;
  }

  /** Something serves on this engine from now on; returns what ends that. */
  serving(gatherer?: Gatherer): () => void {
    this.open++;
    if (gatherer) this.gatherers.add(gatherer);
    let closed = false;
    return () => {
      if (closed) return;
      closed = true;
      this.open--;
      if (gatherer) this.gatherers.delete(gatherer);
    };
  }

  private async run<T>(kind: Kind, work: () => Promise<T>, isStep = kind === 'training'): Promise<T> {
    const asked = performance.now();
    if (this.busy) await new Promise<void>((resolve) => this.waiting[kind].push(resolve));
    this.busy = true;
    const start = performance.now();
    try {
      return await work();
    } finally {
      const ms = performance.now() - start;
      const name = kind === 'inference' ? 'batch' : isStep ? 'training step' : 'upkeep';
      for (const profile of this.profiles) profile.turn(name, asked, start, start + ms);
      if (kind === 'inference') this.inferenceMs += ms;
      else if (isStep) {
        this.stepMs = ms;
        this.inferenceMs = 0;
      }
      this.handOn();
    }
  }

  /** Gives the engine to who comes next. It stays busy in between, so that nobody slips in. */
  private handOn(): void {
    const { inference, training } = this.waiting;
    const step = training.length > 0 && (inference.length === 0 || this.stepIsDue(this.inferenceMs));
    const next = step ? training : inference;
    const resolve = next.shift();
    if (resolve) resolve();
    else this.busy = false;
  }

  private stepIsDue(inferenceMs: number): boolean {
    return inferenceMs >= INFERENCE_SHARE * this.stepMs;
  }
}
