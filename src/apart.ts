import { ReferenceBackend } from './backend/reference/backend.ts';
import { allocate, type TypedArray } from './core/dtype.ts';
import { fail } from './core/errors.ts';
import { Random } from './core/random.ts';
import { sizeOf } from './core/shape.ts';
import type { Plan } from './graph/plan.ts';

/**
 * Throws 'unsupported' where a sample's answer depends on the samples beside it, as after a mean over the batch: two random
 * samples are asked for together and each alone, on the reference backend, whose bits for a sample are always the same.
 */
export async function checkApart(planOf: (batch: number) => Plan): Promise<void> {
  const [one, two] = [planOf(1), planOf(2)];
  const random = new Random(1);
  const samples = inputsOf(two).map(({ dtype, shape, below = 256 }) =>
    allocate(dtype, sizeOf(shape)).map(() => (dtype === 'f32' ? random.normal() : random.int(below))),
  );
  const half = (i: number) =>
    samples.map((values) => values.slice((i * values.length) / 2, ((i + 1) * values.length) / 2));
  const together = await answersOf(two, samples);
  const alone = [await answersOf(one, half(0)), await answersOf(one, half(1))];
  const same = together.every((values, o) => {
    const parts = alone.map((answers) => answers[o]);
    return values.every((y, j) => {
      const part = parts[Math.floor(j / parts[0].length)];
      return Object.is(y, part[j % parts[0].length]);
    });
  });
  if (!same)
    fail(
      'unsupported',
      `${two.name}: a sample's answer depends on the samples beside it, so a file for several of them would mix up callers; ` +
        'make its ops independent of the batch, or set maxBatch to 1',
    );
}

const inputsOf = ({ slots }: Plan) => Object.values(slots).filter(({ role }) => role === 'input');

async function answersOf(plan: Plan, samples: readonly TypedArray[]): Promise<TypedArray[]> {
  const program = await new ReferenceBackend().compile(plan);
  try {
    for (const [i, slot] of inputsOf(plan).entries()) program.write(slot, samples[i]);
    program.run();
    const outputs = Object.values(plan.slots).filter(({ role }) => role === 'output');
    return await Promise.all(outputs.map((slot) => program.read(slot)));
  } finally {
    program.dispose();
  }
}
