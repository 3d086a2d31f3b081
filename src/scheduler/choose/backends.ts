import type { Backend } from '../../backend/backend.ts';
import { BiphaseError, type ErrorCode } from '../../core/errors.ts';
import { AUTO_ORDER, type Finding, type Provider } from './choose.ts';

/** What a new start can mend: the program's values are gone, and nothing else is wrong. */
const MENDABLE: readonly ErrorCode[] = ['device_lost', 'worker_lost', 'out_of_memory'];

/** Losses that describe() tells of: the newest. */
const MOST_EVENTS = 10;

const mendable = (error: unknown): error is BiphaseError =>
  error instanceof BiphaseError && MENDABLE.includes(error.code);

/** The backends of one engine: the one that serves it, and what stands in where that one is lost or full. */
export class Backends {
  private serving: Backend;
  private readonly providers: readonly Provider[];
  private readonly standIns = new Map<string, Promise<Backend | undefined>>();
  /** Those that are gone, and why; nothing else keeps them and their memory. */
  private readonly lost = new WeakMap<Backend, BiphaseError>();
  private replacing: Promise<Backend | undefined> | undefined;
  private looked: Promise<boolean> | undefined;
  private closed = false;
  /** What became of backends that were lost, and what can't run on one, for describe(). */
  readonly events: Finding[] = [];

  constructor(first: Backend, providers: readonly Provider[] = []) {
    this.serving = first;
    this.providers = providers;
  }

  /** Where new programs go. */
  get main(): Backend {
    return this.serving;
  }

  /** Whether another backend is there that 'auto' may choose; other() makes it. Looks once. */
  mayHaveOther(): Promise<boolean> {
    this.looked ??= Promise.all(
      this.providers
        .filter(({ name }) => AUTO_ORDER.includes(name) && name !== this.serving.name)
        .map(({ probe }) => probe().catch(() => ({ available: false as const }))),
    ).then((found) => found.some((probe) => probe.available && !probe.software));
    return this.looked;
  }

  /** A backend of another kind, if there is one that 'auto' may choose. */
  other(): Promise<Backend | undefined> {
    return this.standIn(this.serving.name);
  }

  /** Every backend that 'auto' looks at, or the reason why it is not there or not looked at. */
  async all(): Promise<readonly { name: string; backend: Backend | undefined; reason: string }[]> {
    const rows = [{ name: this.serving.name, backend: this.serving as Backend | undefined, reason: '' }];
    for (const { name, probe } of this.providers) {
      if (name === this.serving.name || !AUTO_ORDER.includes(name)) continue;
      const found = await probe();
      if (!found.available) rows.push({ name, backend: undefined, reason: `not available: ${found.reason}` });
      else if (found.software)
        rows.push({
          ...{ name, backend: undefined },
          reason: `${found.description}: never chosen by 'auto', a GPU simulated on the CPU is slower than WebAssembly`,
        });
      else
        rows.push({
          name,
          backend: await this.standIn(this.serving.name),
          reason: 'it could not be started',
        });
    }
    return rows;
  }

  /**
   * The fault behind an error of `backend`, if it is one that beginning anew can mend. What others find of a backend that
   * was lost and cleared away is an engine that was disposed: for them that is the loss itself.
   */
  faultOf(error: unknown, backend: Backend): BiphaseError | undefined {
    if (this.closed) return undefined;
    if (mendable(error)) return error;
    return error instanceof BiphaseError && error.code === 'disposed' ? this.lost.get(backend) : undefined;
  }

  /**
   * The backend to begin anew on after `error` on `failed`: the same where only its threads died or memory may have
   * become free since; for a lost device a new one of its kind; else another that 'auto' may choose. `attempt` counts from
   * 1: from the second on, another kind is tried first. Undefined where there is none.
   */
  async after(failed: Backend, error: BiphaseError, attempt: number): Promise<Backend | undefined> {
    if (this.closed) return undefined;
    if (error.code === 'worker_lost' && !this.lost.has(failed)) return failed;
    // Where there is no other backend, somebody may give some back here.
    if (error.code === 'out_of_memory' && !this.lost.has(failed))
      return attempt === 1 ? failed : ((await this.standIn(failed.name)) ?? failed);
    if (failed !== this.serving && !this.lost.has(this.serving)) {
      this.giveBack(failed, error);
      return this.serving;
    }
    this.replacing ??= this.replace(failed, error, attempt).finally(() => {
      this.replacing = undefined;
    });
    return this.replacing;
  }

  /** For describe(): that a backend took over (`chosen`), or what it can't run, which is told once. */
  tell({ name, text, chosen = false }: { name: string; text: string; chosen?: boolean }): void {
    if (!chosen && this.events.some((event) => event.text === text)) return;
    if (this.events.length >= MOST_EVENTS) this.events.shift();
    this.events.push({ name: name as Finding['name'], available: true, chosen, text });
  }

  dispose(): void {
    this.closed = true;
    this.serving.dispose();
    for (const standIn of this.standIns.values()) void standIn.then((b) => b?.dispose());
    this.standIns.clear();
  }

  /** Lets go of a stand-in that was lost, so that the next who asks gets a new one. */
  private giveBack(failed: Backend, error: BiphaseError): void {
    if (this.lost.has(failed)) return;
    this.lost.set(failed, error);
    this.standIns.delete(failed.name);
    failed.dispose();
  }

  private async replace(failed: Backend, error: BiphaseError, attempt: number): Promise<Backend | undefined> {
    this.lost.set(failed, error);
    const own = this.providers.find((p) => p.name === failed.name);
    const again = async () => (own ? this.create(own) : undefined);
    const found =
      attempt > 1
        ? ((await this.standIn(failed.name)) ?? (await again()))
        : ((await again()) ?? (await this.standIn(failed.name)));
    if (!found) return undefined;
    failed.dispose();
    if (this.closed) {
      found.dispose();
      return undefined;
    }
    // It serves now, and is disposed as what serves.
    this.standIns.delete(found.name);
    this.serving = found;
    const text = `${found.description}; took over after ${failed.name} was lost: ${error.message}`;
    this.tell({ name: found.name, text, chosen: true });
    return found;
  }

  /** A backend of another kind, made once; never the reference nor a GPU that is simulated. */
  private async standIn(than: string): Promise<Backend | undefined> {
    for (const name of AUTO_ORDER) {
      const provider = this.providers.find((p) => p.name === name && p.name !== than);
      if (!provider) continue;
      if (this.serving.name === name && !this.lost.has(this.serving)) return this.serving;
      let made = this.standIns.get(name);
      if (!made) {
        made = provider
          .probe()
          .then((probe) => (probe.available && !probe.software ? this.create(provider) : undefined))
          .catch(() => undefined);
        this.standIns.set(name, made);
      }
      const backend = await made;
      if (backend) return backend;
      this.standIns.delete(name);
    }
    return undefined;
  }

  /** Undefined where it can't be had; whoever asked has the error that made them ask. */
  private create(provider: Provider): Promise<Backend | undefined> {
    return provider.create().catch(() => undefined);
  }
}
