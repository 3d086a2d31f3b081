/** Starting a thread in any runtime: node:worker_threads where there is one (Node, Deno, Bun), else a web Worker. */

/** What a thread is given: the compiled module, the shared memory, and who it is. */
export interface WorkerTask {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: number;
  readonly thread: number;
}

/** A running thread. */
export interface WorkerHandle {
  /** Settles when the thread is there and waits for work; rejects with the reason when it can't start. */
  readonly ready: Promise<void>;
  /** Stops it, wherever it is; settles when it has been told, with true where it is gone for certain. */
  stop(): Promise<boolean>;
}

/**
 * Says hello, and serves until told to stop. `report` is how this kind of worker speaks to who started it. A block of its
 * own, since Deno and Bun know the name `module` already.
 */
const serve = (report: string) => `{
  const { module, memory, control, thread } = task;
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  ${report}({ ready: true });
  exports.serve(control, thread);
}`;

const nodeSource = `
  const { parentPort, workerData: task } = require('node:worker_threads');
  ${serve('parentPort.postMessage')}
`;

/** An error of a web worker reaches the page without its text, so it is told in a message. */
const webSource = `
  onmessage = ({ data: task }) => {
    try { ${serve('postMessage')} } catch (error) { postMessage({ failed: String(error) }); }
  };
`;

/** What is used of node:worker_threads. Written out, since the published types lean on no other package's. */
interface NodeThreads {
  readonly Worker: new (
    source: string,
    options: { eval: true; workerData: WorkerTask; execArgv: string[]; name: string },
  ) => {
    once(event: 'message', listener: () => void): void;
    once(event: 'error', listener: (error: Error) => void): void;
    once(event: 'exit', listener: (code: number) => void): void;
    unref(): void;
    terminate(): Promise<number>;
  };
}

function nodeThreads(): NodeThreads | undefined {
  if (typeof process === 'undefined' || typeof process.getBuiltinModule !== 'function') return undefined;
  return process.getBuiltinModule('node:worker_threads') ?? undefined;
}

/** Why this runtime can't share memory between threads; undefined where it can. */
export function noThreads(): string | undefined {
  if (typeof SharedArrayBuffer === 'undefined')
    // Workers of a page have no document, but say whether it is isolated.
    return typeof document === 'undefined' && globalThis.crossOriginIsolated === undefined
      ? 'this runtime has no SharedArrayBuffer'
      : 'this page is not cross-origin isolated (it needs the headers COOP: same-origin and COEP: require-corp)';
  if (!nodeThreads() && typeof Worker === 'undefined')
    return typeof process === 'undefined'
      ? 'this runtime has no workers'
      : 'this runtime has no workers that can be reached from a module; Node has them from 20.16';
  return undefined;
}

/** Processors this process may use; 1 where the runtime does not say. */
export function processors(): number {
  try {
    const os = typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:os');
    return os?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
  } catch {
    // Deno keeps it to programs with a right to the system.
    return globalThis.navigator?.hardwareConcurrency ?? 1;
  }
}

/** Whether this thread may sleep: all but the main thread of a page. */
export function maySleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}

/** Starts a thread. `lost` is called when it ends without having been stopped. It never keeps the process alive. */
export function startWorker(task: WorkerTask, lost: (reason: string) => void): WorkerHandle {
  const threads = nodeThreads();
  return threads ? startNode(threads, task, lost) : startWeb(task, lost);
}

function startNode({ Worker }: NodeThreads, task: WorkerTask, lost: (reason: string) => void): WorkerHandle {
  // No flags of the parent's: loaders given there (TypeScript, coverage) would be started in every thread.
  const worker = new Worker(nodeSource, { eval: true, workerData: task, execArgv: [], name: 'biphase' });
  let stopped = false;
  const ready = new Promise<void>((resolve, reject) => {
    const end = (reason: string) => {
      reject(new Error(reason));
      if (!stopped) lost(reason);
      stopped = true;
    };
    worker.once('message', () => resolve());
    worker.once('error', (error) => end(error.message));
    worker.once('exit', (code) => end(`it ended with code ${code}`));
  });
  return {
    ready: heard(ready.then(() => worker.unref())),
    async stop() {
      stopped = true;
      await worker.terminate();
      return waitsForEnd();
    },
  };
}

/** In Node a thread that was terminated is over then; elsewhere nobody says when. */
const waitsForEnd = (): boolean => !('deno' in process.versions || 'bun' in process.versions);

function startWeb(task: WorkerTask, lost: (reason: string) => void): WorkerHandle {
  const url = URL.createObjectURL(new Blob([webSource], { type: 'text/javascript' }));
  const worker = new Worker(url, { name: 'biphase' });
  let stopped = false;
  const ready = new Promise<void>((resolve, reject) => {
    const end = (reason: string) => {
      reject(new Error(reason));
      if (!stopped) lost(reason);
      stopped = true;
    };
    worker.onmessage = ({ data }) => (data.ready ? resolve() : end(data.failed));
    worker.onerror = (event) =>
      end(event.message || "its script could not be loaded (a page's policy may forbid blob: workers)");
    worker.postMessage(task);
  });
  return {
    ready: heard(ready.finally(() => URL.revokeObjectURL(url))),
    async stop() {
      stopped = true;
      worker.terminate();
      return false;
    },
  };
}

/** That a thread ends before it was ready is no news where nobody waits for it any more. */
function heard(ready: Promise<void>): Promise<void> {
  ready.catch(() => {});
  return ready;
}
