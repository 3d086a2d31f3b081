import { SPARE, SPARE_BYTES } from './constants';
import { copyFloats } from './vector';

/** A turn of a loop over elements takes two adjacent vectors: that is what V8 makes one wide vector of. */
export const TURN: i32 = 8;
const TURN_BYTES: usize = TURN * 4;

/** Each thread has an instance of the module, and so a `place`, of its own. */
let place: usize = SPARE;

/** To be called before any kernel. Whoever runs alone may do so beside the threads of a pool, and has the first place. */
export function takePlace(thread: i32, threads: i32): void {
  place = SPARE + SPARE_BYTES * (threads > 1 ? <usize>thread + 1 : 0);
}

/** Address of one of four turns' worth of spare memory: where elements that don't fill a turn go through its loop. */
@inline
export function spare(number: i32): usize {
  return place + TURN_BYTES * <usize>number;
}

/** Moves the `count` (1 to 7) floats at `from` there; returns the address. What follows them is left as it was. */
export function toSpare(number: i32, from: usize, count: i32): usize {
  const to = spare(number);
  copyFloats(to, from, count);
  return to;
}
