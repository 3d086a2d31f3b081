import type { Backend, Program } from '../../backend/backend.ts';
import { allocate } from '../../core/dtype.ts';
import { sizeOf } from '../../core/shape.ts';
import type { Plan } from '../../graph/plan.ts';
import { compileOn } from './compile.ts';

/** What a plan takes on one backend. */
export interface Timing {
  /** One run from values in to values out, in ms. */
  readonly ms: number;
  /** Of that, what a run takes that nobody waits for, in ms. */
  readonly runMs: number;
}

/** The least of this many runs, of fewer where they take longer than this in ms together. */
const [RUNS, LONG_MS] = [5, 150];

/** Compiles a plan for this alone, and runs it a few times on zeros. Throws what compiling or running it throws. */
export async function timeOn(backend: Backend, plan: Plan): Promise<Timing> {
  const program = await compileOn(backend, plan);
  try {
    const call = callOf(program);
    let ms = await call();
    // The first run is longer than others: kernels are still being compiled. Where it is that long, it is mostly work.
    for (let i = 0, end = performance.now() + LONG_MS; i < RUNS && (i === 0 || performance.now() < end); i++)
      ms = Math.min(ms, await call());
    const runs = Math.max(1, Math.min(RUNS, Math.floor(LONG_MS / Math.max(ms, 1e-3))));
    const start = performance.now();
    for (let i = 0; i < runs; i++) program.run();
    await program.read(outOf(plan));
    // The wait is in it once; a run and its wait take no longer than a call.
    const runMs = runs === 1 ? ms : Math.max(0, performance.now() - start - ms) / (runs - 1);
    return { ms, runMs: Math.min(runMs, ms) };
  } finally {
    program.dispose();
  }
}

/** One run as a caller makes it; the states begin at zero. */
function callOf(program: Program): () => Promise<number> {
  const { slots } = program.plan;
  const zeros = (role: 'input' | 'state') =>
    Object.values(slots)
      .filter((slot) => slot.role === role)
      .map((slot) => [slot, allocate(slot.dtype, sizeOf(slot.shape))] as const);
  const inputs = zeros('input');
  for (const [slot, values] of zeros('state')) program.write(slot, values);
  return async () => {
    const start = performance.now();
    for (const [slot, values] of inputs) program.write(slot, values);
    program.run();
    await program.read(outOf(program.plan));
    return performance.now() - start;
  };
}

/** What is waited for: the first output, or where there is none the first slot. */
const outOf = ({ slots }: Plan) => {
  const all = Object.values(slots);
  return all.find(({ role }) => role === 'output') ?? all[0];
};
