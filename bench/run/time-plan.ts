import type { Backend, Program } from '../../src/backend/backend.ts';
import { allocate } from '../../src/core/dtype.ts';
import { sizeOf } from '../../src/core/shape.ts';
import type { Plan } from '../../src/graph/plan.ts';
import { median } from './measure.ts';

/** For each plan and backend, in ms; at least this many runs, but for those that take a second. */
const [TURN_MS, FEWEST, ENOUGH_MS] = [60, 3, 1000];

/** One run of a program as a caller makes it: values in, a run, the loss or the output out. */
export async function once(program: Program): Promise<number> {
  const slots = Object.values(program.plan.slots);
  const inputs = slots
    .filter((s) => s.role === 'input')
    .map((slot) => [slot, allocate(slot.dtype, sizeOf(slot.shape))] as const);
  const out = program.plan.slots.loss ?? program.plan.slots.output;
  const start = performance.now();
  for (const [slot, values] of inputs) program.write(slot, values);
  program.run();
  await program.read(out);
  return performance.now() - start;
}

/** Medians of runs on each backend, in ms. Backends take turns, since a shared machine's speed drifts. */
export async function timesOf(backends: readonly Backend[], plan: Plan): Promise<number[]> {
  const samples: number[][] = backends.map(() => []);
  const programs: Program[] = [];
  for (const backend of backends) programs.push(await backend.compile(plan));
  for (const program of programs) for (let i = 0; i < 3; i++) if ((await once(program)) > ENOUGH_MS) break;
  for (let round = 0; round < 3; round++)
    for (const [i, program] of programs.entries()) {
      if (median(samples[i]) > ENOUGH_MS) continue;
      const end = performance.now() + TURN_MS;
      for (let runs = 0; runs < FEWEST || performance.now() < end; runs++) {
        samples[i].push(await once(program));
        if (samples[i].at(-1)! > ENOUGH_MS) break;
      }
    }
  for (const program of programs) program.dispose();
  return samples.map(median);
}

/** One run on each, where times are simulated and always the same. */
export async function timeOnce(backends: readonly Backend[], plan: Plan): Promise<number[]> {
  const times: number[] = [];
  for (const backend of backends) {
    const program = await backend.compile(plan);
    times.push(await once(program));
    program.dispose();
  }
  return times;
}
