import { atOnce } from '../core/callbacks.ts';
import { callback, either, real } from '../core/checks.ts';
import { fail } from '../core/errors.ts';

/** Something measured between two steps, such as the validation loss. */
export interface Observation {
  /** Steps made when it was measured. */
  readonly step: number;
  /** What was measured. */
  readonly value: number;
}

/**
 * A learning rate for each step, counted from 1. `observed` is all that the training was told of by `observe()`, in order; of it only
 * what was measured before the step may matter, so that a step that is made again has the same rate.
 */
export type Schedule = (step: number, observed?: readonly Observation[]) => number;

/** A learning rate, or one for each step. */
export type Rate = number | Schedule;

/** Writes what an update is told at a step, counted from 1. */
export type Tell = (step: number, into: Float32Array, observed: readonly Observation[]) => void;

/** A number of any size, or a function: the range of rates is checked for every step. */
export const rateCheck = either(real(-Infinity, Infinity), callback);

/** The rate of a step. Throws 'out_of_range' unless it is finite and at least 0. */
export function rateAt(rate: Rate, step: number, observed: readonly Observation[] = []): number {
  const lr =
    typeof rate === 'number' ? rate : atOnce('the function for the learning rate', rate(step, observed));
  if (!(lr >= 0 && lr < Infinity))
    fail('out_of_range', `the learning rate of step ${step} is ${lr}, expected a finite number from 0`);
  return lr;
}

/** From one rate to another along half a cosine, where `done` is how much of the way has been gone. */
export const annealed = (from: number, to: number, done: number): number =>
  to + 0.5 * (from - to) * (1 + Math.cos(Math.PI * done));
