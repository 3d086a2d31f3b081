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
  const { dtype, shape } = two.slots.input;
  const random = new Random(1);
  const samples = allocate(dtype, sizeOf(shape)).map(() =>
    dtype === 'f32' ? random.normal() : random.int(256),
  );
  const half = samples.length / 2;
  const together = await answerOf(two, samples);
  const alone = [await answerOf(one, samples.slice(0, half)), await answerOf(one, samples.slice(half))];
  const same = alone.every((answer, i) =>
    answer.every((y, j) => Object.is(y, together[i * answer.length + j])),
  );
  if (!same)
    fail(
      'unsupported',
      `${two.name}: a sample's answer depends on the samples beside it, so a file for several of them would mix up callers; ` +
        'make its ops independent of the batch, or set maxBatch to 1',
    );
}

async function answerOf(plan: Plan, samples: TypedArray): Promise<TypedArray> {
  const program = await new ReferenceBackend().compile(plan);
  try {
    program.write(plan.slots.input, samples);
    program.run();
    return await program.read(plan.slots.output);
  } finally {
    program.dispose();
  }
}
