import type { Backend } from '../../backend/backend.ts';
import type { Backends } from './backends.ts';

/** Faults in a row before it is taken to be hopeless. */
const MOST_FAULTS = 8;

/** Programs without a state of their own, made anew where the backend that holds them is lost. One user at a time. */
export class Renewable<T extends { dispose(): void }> {
  /** Times it was made anew. */
  renewed = 0;
  private readonly backends: Backends;
  private readonly make: (backend: Backend) => Promise<T>;
  private backend: Backend;
  private made: T | undefined;
  private closed = false;

  private constructor(backends: Backends, first: Backend, make: (backend: Backend) => Promise<T>) {
    this.backends = backends;
    this.make = make;
    this.backend = first;
  }

  /** Where it is now, or was last. */
  get on(): Backend {
    return this.backend;
  }

  static async create<T extends { dispose(): void }>(
    backends: Backends,
    first: Backend,
    make: (backend: Backend) => Promise<T>,
  ): Promise<Renewable<T>> {
    const renewable = new Renewable(backends, first, make);
    await renewable.use(async () => {});
    return renewable;
  }

  /** Does something with it, and all of it again with the next one where it is lost meanwhile. */
  async use<R>(work: (made: T) => Promise<R>): Promise<R> {
    for (let attempt = 1; ; attempt++) {
      try {
        this.made ??= await this.make(this.backend);
        return await work(this.made);
      } catch (error) {
        const fault = this.backends.faultOf(error, this.backend);
        if (this.closed || attempt > MOST_FAULTS || !fault) throw error;
        const next = await this.backends.after(this.backend, fault, attempt);
        if (!next) throw error;
        this.made?.dispose();
        this.made = undefined;
        this.backend = next;
        this.renewed++;
      }
    }
  }

  dispose(): void {
    this.closed = true;
    this.made?.dispose();
  }
}
