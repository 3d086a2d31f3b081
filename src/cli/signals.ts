import process from 'node:process';

/** Signals that end a program, Ctrl-C and what a supervisor sends, and its exit codes then, as shells count them. */
export const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;
type Signal = keyof typeof SIGNALS;
const names = Object.keys(SIGNALS) as Signal[];

/** Ends the program at a signal, unless something listens that knows better: stoppable(), a server. */
export function endAtSignals(): void {
  for (const name of names)
    process.on(name, () => {
      if (process.listenerCount(name) === 1) process.exit(SIGNALS[name]);
    });
}

/** Runs what a signal does not end but stops in its own way; a second one ends the program at once. Which came, if one did. */
export async function stoppable<T>(
  run: (stop: AbortSignal) => Promise<T>,
): Promise<{ result: T; signal: Signal | undefined }> {
  const stop = new AbortController();
  const listener = (name: Signal) => stop.abort(name);
  for (const name of names) process.once(name, listener);
  try {
    const result = await run(stop.signal);
    return { result, signal: stop.signal.reason };
  } finally {
    for (const name of names) process.removeListener(name, listener);
  }
}
