/** What callers met, times in ms. */
export interface Load {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
  readonly answers: number;
}

export interface Callers {
  readonly callers: number;
  readonly seconds: number;
  /** Between an answer and the next request, in ms; one turn of the thread if not given. */
  readonly pauseMs?: number;
}

/** Callers who each ask again when they have their answer; the i-th request of all is for `ask(i)`. */
export async function load(
  ask: (i: number) => Promise<unknown>,
  { callers, seconds, pauseMs }: Callers,
): Promise<Load> {
  const times: number[] = [];
  const begin = performance.now();
  const end = begin + seconds * 1000;
  let next = 0;
  const caller = async () => {
    while (performance.now() < end) {
      // Others have their turn, as between requests that come over a network. The clock runs from when the request is due,
      // so that a thread that was busy then counts.
      const due = performance.now() + (pauseMs ?? 0);
      await new Promise((resolve) => (pauseMs ? setTimeout(resolve, pauseMs) : setImmediate(resolve)));
      await ask(next++);
      times.push(performance.now() - due);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const elapsed = performance.now() - begin;
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))];
  return {
    perSecond: (times.length / elapsed) * 1000,
    ...{ p50: at(0.5), p99: at(0.99), longest: at(1), answers: times.length },
  };
}
