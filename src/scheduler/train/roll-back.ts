import type { Arrays } from '../../model/signature.ts';
import { Turns } from '../turns/turns.ts';
import { type Snapshot, Snapshots } from './snapshots.ts';
import type { Batch, StepProgram } from './step-program.ts';

/** The first step that was not finite, and the last state that was. */
export interface FirstBroken {
  /** The state that the training goes back to. */
  readonly good: Snapshot;
  /** The step after it, which was not finite; undefined where the steps, made again, were. */
  readonly step: BrokenStep | undefined;
}

export interface BrokenStep {
  readonly batch: Batch;
  /** What it was told, by slot: its batch, and what its number gave. */
  readonly told: Arrays;
  /** Its loss, and the state after it. */
  readonly loss: number;
  readonly bad: Snapshot['states'];
}

/**
 * Makes the steps since a snapshot again, one by one, to the first that is not finite. Where the steps don't repeat (a data set
 * that gives other samples each time) the good state is the snapshot.
 */
export async function firstBroken(
  running: StepProgram,
  from: Snapshot,
  batches: readonly Batch[],
): Promise<FirstBroken> {
  running.put(from);
  const states = Object.entries(from.states).map(([name, values]) => [name, values.slice()]);
  const walk = new Snapshots({ step: from.step, states: Object.fromEntries(states) }, undefined);
  const turns = new Turns();
  for (const [i, batch] of batches.entries()) {
    const step = from.step + i + 1;
    await running.fill(batch);
    running.run(step);
    const loss = await running.loss();
    const good = walk.newest;
    const sound = await walk.take(running.program, step, true);
    if (!sound || !Number.isFinite(loss)) {
      // What was read last is spare where it was refused.
      const bad = sound ? walk.newest.states : walk.refused;
      return { good, step: { batch, told: running.told(), loss, bad } };
    }
    await turns.breathe();
  }
  return { good: from, step: undefined };
}
