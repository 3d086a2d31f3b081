/** How threads share one record's work, how they wait for each other between records, and for the next job. */

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

/**
 * The control block that threads share: i32 words, zero at first, two cache lines.
 *
 *     0 number of the newest job    4 first record    8 end    12 threads, 0 to stop    16 number of the newest job done
 *    64 threads that have arrived at the barrier     68 its generation    72 the generation that thread 0 left waiting
 */
const JOB = 0;
export const BEGIN = 4;
export const END = 8;
export const THREADS = 12;
const DONE = 16;
const ARRIVED = 64;
const GENERATION = 68;
const LEFT = 72;

/**
 * How often a thread looks before it sleeps, at a barrier and between jobs: 25 us and half a millisecond. To be woken takes
 * longer than most records do; and a training step or a batch of requests follows the one before within that time.
 */
const SPINS = 50000;
const IDLE_SPINS = 1000000;

/**
 * Waits until all threads have arrived; true when they have. A thread with patience (ms, from 0) that has slept for so
 * long writes down the generation it waited for, and leaves: its caller looks whether the others are still alive, and
 * goes on after the barrier as soon as the generation has changed.
 */
export function barrier(control: usize, threads: i32, patience: i32): bool {
  const generation = atomic.load<i32>(control, GENERATION);
  if (atomic.add<i32>(control, 1, ARRIVED) == threads - 1) {
    atomic.store<i32>(control, 0, ARRIVED);
    atomic.add<i32>(control, 1, GENERATION);
    atomic.notify(control + GENERATION, -1);
    return true;
  }
  for (let i = 0; i < SPINS; i++) if (atomic.load<i32>(control, GENERATION) != generation) return true;
  const timeout: i64 = patience < 0 ? -1 : <i64>patience * 1000000;
  const TIMED_OUT = 2;
  while (atomic.load<i32>(control, GENERATION) == generation)
    if (atomic.wait<i32>(control + GENERATION, generation, timeout) == TIMED_OUT) {
      store<i32>(control, generation, LEFT);
      return false;
    }
  return true;
}

/** Waits for a job after the one numbered `seen`, awake for a moment and then asleep; returns its number. */
export function nextJob(control: usize, seen: i32): i32 {
  for (let i = 0; i < IDLE_SPINS; i++) {
    const job = atomic.load<i32>(control, JOB);
    if (job != seen) return job;
  }
  while (atomic.load<i32>(control, JOB) == seen) atomic.wait<i32>(control + JOB, seen, -1);
  return atomic.load<i32>(control, JOB);
}

/** Says that a job is done, to whoever waits without blocking. */
export function jobDone(control: usize, job: i32): void {
  atomic.store<i32>(control, job, DONE);
  atomic.notify(control + DONE, -1);
}
