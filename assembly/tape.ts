import { fillConstants } from './constants';
import { step } from './generated/engine';
import { takePlace } from './spare';
import { BEGIN, barrier, END, jobDone, nextJob, THREADS } from './threads';

/**
 * Walks the records from `begin` to `end`: [opcode, length in words, arguments ...], one after the other. All threads
 * walk the same records, each does its own share of every one, and none goes on before all are done with it. `control`
 * is the block of threads.ts, unused by a single thread. Returns 0 when done, or the record to go on from where a
 * barrier took longer than `patience` (see there).
 */
export function run(begin: usize, end: usize, thread: i32, threads: i32, control: usize, patience: i32): usize {
  fillConstants();
  takePlace(thread, threads);
  for (let at = begin; at < end; ) {
    // Read before the barrier: once all have arrived, the caller may overwrite the tape.
    const next = at + (<usize>load<u32>(at, 4) << 2);
    step(load<u32>(at), at + 8, thread, threads);
    if (threads > 1 && !barrier(control, threads, patience)) return next;
    at = next;
  }
  return 0;
}

/** What a thread of a pool does all its life: waits for a job, does its share, and so on until told to stop. */
export function serve(control: usize, thread: i32): void {
  for (let job = 0; ; ) {
    job = nextJob(control, job);
    const threads = load<i32>(control, THREADS);
    if (threads == 0) return;
    run(load<u32>(control, BEGIN), load<u32>(control, END), thread, threads, control, -1);
    if (thread == 0) jobDone(control, job);
  }
}
