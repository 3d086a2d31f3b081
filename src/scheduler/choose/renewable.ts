import type { Backend } from '../../backend/backend.ts';
import { type BiphaseError, fail } from '../../core/errors.ts';
import type { Backends } from './backends.ts';

/** Faults in a row, with nothing that worked between them, before it is taken to be hopeless. */
const MOST_FAULTS = 8;

/** How a thing is made on a backend, and made anew where that is lost. */
export interface Renewal<T> {
  make(backend: Backend): Promise<T>;
  /** Puts into a new one what it must hold. Where something breaks meanwhile, another is made. */
  restore?(made: T): Promise<void>;
  /** Told when all is there again after something broke; whoever uses it waits for that. */
  renewed?(how: Renewed): Promise<void>;
  /** Nothing is left to go on with: the error that callers get. `fault` is what broke, if that could be mended elsewhere. */
  gaveUp?(error: unknown, fault: BiphaseError | undefined): unknown;
  /** False: what breaks is not made anew. */
  readonly mends?: boolean;
}

/** How it was got over that something broke. */
export interface Renewed {
  /** What broke first. */
  readonly fault: BiphaseError;
  readonly from: Backend;
  readonly to: Backend;
  /** Times it was made until all went well. */
  readonly attempts: number;
  readonly ms: number;
}

/**
 * A thing on a backend (programs), made when it is first used and made anew where the backend that holds it is lost. This is
 * the one loop that gets over faults. Several may use it at once: the first who finds it broken renews it for all.
 */
export class Renewable<T extends { dispose(): void }> {
  /** Times it was made anew. */
  renewed = 0;
  private readonly backends: Backends;
  private readonly renewal: Renewal<T>;
  private backend: Backend;
  private made: T | undefined;
  private making: Promise<T> | undefined;
  private faults = 0;
  private closed = false;

  constructor(backends: Backends, first: Backend, renewal: Renewal<T>) {
    this.backends = backends;
    this.renewal = renewal;
    this.backend = first;
  }

  /** One that is made already. */
  static async create<T extends { dispose(): void }>(
    backends: Backends,
    first: Backend,
    make: (backend: Backend) => Promise<T>,
  ): Promise<Renewable<T>> {
    const renewable = new Renewable(backends, first, { make });
    await renewable.use(async () => {});
    return renewable;
  }

  /** Where it is now, or was last. */
  get on(): Backend {
    return this.backend;
  }

  /** Whether it is there, or being made. */
  get active(): boolean {
    return !this.closed && (this.made ?? this.making) !== undefined;
  }

  /**
   * Does something with it, and all of it again with the next one where it is lost meanwhile. An error that no new one can
   * mend is thrown as it is.
   */
  async use<R>(work: (made: T) => Promise<R>): Promise<R> {
    for (;;) {
      const made = (this.making ? await this.making : this.made) ?? (await this.renew(undefined));
      try {
        const result = await work(made);
        this.faults = 0;
        return result;
      } catch (error) {
        if (this.closed) throw error;
        const fault = this.faultOf(error);
        if (fault && this.made === made && !this.making) await this.renew(fault);
        // Of one that was replaced under the work, any error means that: the work is done again with the next one.
        else if (!this.making && (!this.made || this.made === made)) throw error;
      }
    }
  }

  dispose(): void {
    this.closed = true;
    this.made?.dispose();
  }

  private renew(fault: BiphaseError | undefined): Promise<T> {
    const making = this.makeAnew(fault).finally(() => {
      if (this.making === making) this.making = undefined;
    });
    this.making = making;
    return making;
  }

  /** `fault` is what broke the last one, if there was one. */
  private async makeAnew(fault: BiphaseError | undefined): Promise<T> {
    const start = performance.now();
    const from = this.backend;
    let first = fault;
    for (let attempts = 1; ; attempts++) {
      this.letGo();
      if (fault) await this.moveOn(fault, attempts);
      let made: T;
      try {
        made = await this.restored();
      } catch (error) {
        fault = this.faultOf(error);
        first ??= fault;
        if (fault) continue;
        throw this.giveUp(error);
      }
      const ms = performance.now() - start;
      if (first) await this.renewal.renewed?.({ fault: first, from, to: this.backend, attempts, ms });
      return made;
    }
  }

  private async restored(): Promise<T> {
    this.alive();
    const made = await this.renewal.make(this.backend);
    this.made = made;
    this.alive();
    await this.renewal.restore?.(made);
    return made;
  }

  /** To the backend for the next try; one that could not even be made, or did not last, is made elsewhere. */
  private async moveOn(fault: BiphaseError, attempt: number): Promise<void> {
    this.faults++;
    this.renewed++;
    const tries = Math.max(attempt, this.faults);
    const hopeless = this.faults > MOST_FAULTS;
    const next = hopeless ? undefined : await this.backends.after(this.backend, fault, tries);
    if (!next) throw this.giveUp(fault);
    this.backend = next;
  }

  private giveUp(error: unknown): unknown {
    this.letGo();
    this.faults = 0;
    const fault = this.backends.faultOf(error, this.backend);
    return this.renewal.gaveUp ? this.renewal.gaveUp(error, fault) : error;
  }

  private alive(): void {
    if (this.closed) fail('disposed', 'this was disposed before it was made');
  }

  private letGo(): void {
    this.made?.dispose();
    this.made = undefined;
  }

  private faultOf(error: unknown): BiphaseError | undefined {
    if (this.closed || this.renewal.mends === false) return undefined;
    return this.backends.faultOf(error, this.backend);
  }
}
