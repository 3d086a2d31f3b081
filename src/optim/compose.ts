import { callback, listOf, required, whole } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import { expectValue, optionsOf } from '../core/options.ts';
import type { Observation, Schedule } from './rate.ts';

/** Options of sequence(). */
export interface SequenceOptions {
  /** One after the other; each begins with its first step. */
  readonly schedules: readonly Schedule[];
  /** After how many steps in all each but the first takes over; rising. */
  readonly milestones: readonly number[];
}

const schedules = listOf(callback, 'an array of schedules, such as optim.linear() makes');
const check = optionsOf<SequenceOptions>('sequence', {
  schedules: required(schedules),
  milestones: required(listOf(whole(1))),
});

/** Observations as a schedule sees them that began after some steps; the same array where those are none. */
const since = (observed: readonly Observation[] | undefined, steps: number) =>
  steps === 0
    ? observed
    : observed?.flatMap(({ step, value }) => (step > steps ? [{ step: step - steps, value }] : []));

/** Schedules one after the other, as torch's SequentialLR: warm-up, then whatever follows. After its end the last one goes on. */
export function sequence(options: SequenceOptions): Schedule {
  const { schedules, milestones } = check(options);
  if (
    schedules.length !== milestones.length + 1 ||
    milestones.some((m, i) => i > 0 && m <= milestones[i - 1])
  )
    fail(
      'invalid_argument',
      `sequence: ${schedules.length} schedules and the milestones ${milestones.join(', ') || 'none'}; expected one less, each larger than the one before`,
    );
  return (step, observed) => {
    const which = milestones.filter((m) => m < step).length;
    const begun = which === 0 ? 0 : milestones[which - 1];
    return schedules[which](step - begun, since(observed, begun));
  };
}

/**
 * Schedules of one base rate together, as torch's ChainedScheduler: the rate `lr` times what each makes of it. All must have been made with
 * `lr`.
 */
export function chain(lr: number, together: readonly Schedule[]): Schedule {
  expectValue('chain', 'schedules', together, schedules);
  if (!(lr > 0 && lr < Infinity))
    fail('invalid_argument', `chain: lr is ${lr}, expected a finite number above 0`);
  return (step, observed) => together.reduce((rate, of) => rate * (of(step, observed) / lr), lr);
}

/** A schedule by epochs instead of steps: each of its steps is `steps` of the training's, as where torch's scheduler steps once an epoch. */
export function perEpoch(steps: number, schedule: Schedule): Schedule {
  expectValue('perEpoch', 'steps', steps, whole(1));
  expectValue('perEpoch', 'schedule', schedule, callback);
  return (step, observed) =>
    schedule(
      Math.floor((step - 1) / steps) + 1,
      observed
        ?.filter((o) => o.step < step)
        .map(({ value, step }) => ({ value, step: Math.floor(step / steps) })),
    );
}
