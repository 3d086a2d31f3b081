import { BiphaseError } from '../../core/errors.ts';
import { within } from '../../core/within.ts';
import { ENGINE_DISPOSED } from '../program.ts';
import type { WasmInstance } from './load.ts';
import type { WasmHeap } from './memory.ts';
import { maySleep, startWorker, type WorkerHandle } from './workers.ts';

/** Words of the control block that threads share; see assembly/threads.ts. */
const CONTROL_BYTES = 128;
const [JOB, BEGIN, END, THREADS, DONE, GENERATION, LEFT] = [0, 1, 2, 3, 4, 17, 18];

/** How long (ms) a run may block the caller at one barrier before it is looked whether all threads still live. */
const PATIENCE = 100;
/** How long (ms) threads may take to start: a busy machine is slow, and some hosts never start any. */
const START_PATIENCE = 30_000;

/**
 * The threads of one engine. They sleep until there is a job, walk its records with nothing but a barrier in memory
 * between them, and sleep again; no message is sent per run. Where the caller may sleep it is one of the threads, and a
 * run is over when the call returns. The main thread of a page may not: there all threads are workers, and a run is a
 * promise.
 */
export class ThreadPool {
  readonly threads: number;
  private readonly instance: WasmInstance;
  private readonly control: number;
  private readonly words: Int32Array;
  private readonly callerWorks = maySleep();
  /** Those that serve now; another array after each start, so that a run can tell whether its own still live. */
  private crew: readonly WorkerHandle[] = [];
  private starting: Promise<void> | undefined;
  private stopping: Promise<boolean> = Promise.resolve(true);
  /** The run that is under way, where its end is waited for without blocking. */
  private current: Promise<void> | undefined;
  private lost: BiphaseError | undefined;
  private closed = false;

  constructor(instance: WasmInstance, heap: WasmHeap, threads: number) {
    this.instance = instance;
    this.threads = threads;
    this.control = heap.allocate(CONTROL_BYTES, "the threads' control block");
    this.words = new Int32Array(instance.memory.buffer, this.control, CONTROL_BYTES / 4);
  }

  /** True when all threads are there. */
  private get ready(): boolean {
    return this.crew.length > 0 && this.starting === undefined;
  }

  /** Starts the threads, or those of a pool that lost one anew. Rejects with the reason where none can be had. */
  start(): Promise<void> {
    if (this.ready) return Promise.resolve();
    this.starting ??= this.startAll().finally(() => {
      this.starting = undefined;
    });
    return this.starting;
  }

  private async startAll(): Promise<void> {
    await this.stopping;
    if (this.closed) throw new BiphaseError('disposed', ENGINE_DISPOSED);
    this.words.fill(0);
    const { module, memory } = this.instance;
    const first = this.callerWorks ? 1 : 0;
    const crew: WorkerHandle[] = [];
    this.crew = crew;
    try {
      // A runtime may refuse at once, later, or never say a word.
      for (let thread = first; thread < this.threads; thread++) {
        const task = { module, memory, control: this.control, thread };
        crew.push(startWorker(task, (reason) => this.lose(reason)));
      }
      await within(START_PATIENCE, 'a thread', Promise.all(crew.map((w) => w.ready)));
    } catch (error) {
      await this.stopAll();
      throw error;
    }
  }

  /**
   * Runs records on all threads. Returns nothing when they are done, or a promise where that can't be waited for here;
   * it rejects with 'worker_lost' when a thread dies. Runs never overlap: a second one waits for the first.
   */
  run(begin: number, end: number): Promise<void> | undefined {
    const run = this.current || !this.ready ? this.later(begin, end) : this.begin(begin, end);
    if (!run) return undefined;
    const current = run.finally(() => {
      if (this.current === current) this.current = undefined;
    });
    this.current = current;
    return current;
  }

  private async later(begin: number, end: number): Promise<void> {
    // Whether the run before went well is for its own caller to know.
    await this.current?.catch(() => {});
    await this.start();
    await this.begin(begin, end);
  }

  private begin(begin: number, end: number): Promise<void> | undefined {
    const { words } = this;
    words[BEGIN] = begin;
    words[END] = end;
    words[THREADS] = this.threads;
    const job = (words[JOB] + 1) | 0;
    Atomics.store(words, JOB, job);
    Atomics.notify(words, JOB);
    if (!this.callerWorks) return this.changed(this.crew, DONE, (done) => done === job);
    const next = this.instance.exports.run(begin, end, 0, this.threads, this.control, PATIENCE);
    return next === 0 ? undefined : this.goOn(next, end);
  }

  /** A barrier took long: from here on the caller waits in turns, so that it hears of threads that died. */
  private async goOn(next: number, end: number): Promise<void> {
    const { crew } = this;
    for (let at = next; at !== 0; ) {
      const left = this.words[LEFT];
      await this.changed(crew, GENERATION, (generation) => generation !== left);
      at = this.instance.exports.run(at, end, 0, this.threads, this.control, 0);
    }
  }

  /** Waits, without blocking, until a shared word is as it should be, or the threads that should change it are gone. */
  private async changed(
    crew: readonly WorkerHandle[],
    index: number,
    good: (value: number) => boolean,
  ): Promise<void> {
    for (;;) {
      if (this.crew !== crew) throw this.lost ?? new BiphaseError('disposed', ENGINE_DISPOSED);
      const value = Atomics.load(this.words, index);
      if (good(value)) return;
      await this.pause(index, value);
    }
  }

  /** A page is told of the change where it can be. A timer, unlike that, keeps a process alive until it is there. */
  private async pause(index: number, value: number): Promise<void> {
    if (!this.callerWorks && typeof Atomics.waitAsync === 'function')
      await Atomics.waitAsync(this.words, index, value, PATIENCE).value;
    else await new Promise((resolve) => setTimeout(resolve, 1));
  }

  /** A thread is gone: the others, who would wait for it forever, go too; the next run starts all of them anew. */
  private lose(reason: string): void {
    if (!this.ready) return;
    this.lost = new BiphaseError(
      'worker_lost',
      `a thread of the engine died (${reason}); the values of a program that was running are lost, ` +
        'and the threads are started anew at the next run',
    );
    void this.stopAll();
  }

  /** True when all threads that ever ran are gone for certain. */
  private stopAll(): Promise<boolean> {
    const { crew, stopping } = this;
    this.crew = [];
    this.stopping = Promise.all([stopping, ...crew.map((w) => w.stop())]).then((all) =>
      all.every((gone) => gone),
    );
    return this.stopping;
  }

  /** Ends all threads; a run that is under way fails. True when nothing touches the memory any more, for certain. */
  async dispose(): Promise<boolean> {
    this.closed = true;
    await this.stopAll();
    await this.starting?.catch(() => {});
    await this.current?.catch(() => {});
    return this.stopping;
  }
}
