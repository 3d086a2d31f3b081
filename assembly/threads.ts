/** How threads share one record's work, and how they wait for each other between records. */

/** First of `n` items for a thread; shares are multiples of `unit`, so a vector is never split. */
@inline
export function shareStart(n: i32, unit: i32, thread: i32, threads: i32): i32 {
  if (threads == 1) return 0;
  const units = (n + unit - 1) / unit;
  return min(n, ((units * thread) / threads) * unit);
}

/** One past the last of the items for a thread. */
@inline
export function shareEnd(n: i32, unit: i32, thread: i32, threads: i32): i32 {
  return threads == 1 ? n : shareStart(n, unit, thread + 1, threads);
}

/** Spins this often before it sleeps: a few microseconds, longer than most records take to finish unevenly. */
const SPINS = 4000;

/**
 * Waits until all threads have arrived. The control block is two i32 words, zero at first:
 * threads that have arrived, and a generation that the last one advances.
 */
export function barrier(control: usize, threads: i32): void {
  if (threads == 1) return;
  const generation = atomic.load<i32>(control, 4);
  if (atomic.add<i32>(control, 1) == threads - 1) {
    atomic.store<i32>(control, 0);
    atomic.add<i32>(control, 1, 4);
    atomic.notify(control + 4, -1);
    return;
  }
  for (let i = 0; i < SPINS; i++) if (atomic.load<i32>(control, 4) != generation) return;
  while (atomic.load<i32>(control, 4) == generation) atomic.wait<i32>(control + 4, generation, -1);
}
