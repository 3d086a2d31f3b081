import { costOfSteps } from '../../src/graph/plan.ts';
import { type data, distill, type Engine, type FrozenModel, nn, ops, type Tensor } from '../../src/index.ts';
import { agreement, timePerSample } from './measure.ts';
import { SIDE } from './mnist.ts';
import { ask, train } from './model.ts';

/** Means of four pixels, then 196-104-10: about a tenth of the arithmetic of the network that teaches it. */
function student(): nn.Module {
  const layers = [nn.linear((SIDE / 2) ** 2, 104), nn.relu(), nn.linear(104, 10)];
  const body = nn.sequential(nn.avgPool2d(2), nn.flatten(), ...layers);
  return nn.module({ body }, (x: Tensor, { body }) =>
    body.forward(ops.reshape(x, [x.shape[0], 1, SIDE, SIDE])),
  );
}

/** What students came to, alone and with a teacher. */
export interface Students {
  /** Arithmetic of one answer. */
  readonly flops: number;
  /** Microseconds for one image, f32. */
  readonly us: number;
  /** Medians over the seeds. */
  readonly accuracy: { readonly alone: number; readonly taught: number };
  readonly seeds: number;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/** Trains small networks twice each, from the same weights on the same batches: alone, and with what a frozen one says of them. */
export async function teach(
  engine: Engine,
  teacher: FrozenModel,
  set: data.DataSet,
  test: { readonly images: Float32Array; readonly labels: Uint8Array },
  { epochs, seed, seeds }: { epochs: number; seed: number; seeds: number },
): Promise<Students> {
  const losses = { alone: nn.crossEntropy, taught: distill({ teacher, temperature: 3, alpha: 0.7 }) };
  const shares = { alone: [] as number[], taught: [] as number[] };
  let last = teacher;
  for (let i = 0; i < seeds; i++)
    for (const way of ['alone', 'taught'] as const) {
      const recipe = { lr: 4e-3, epochs, seed: seed + i, label: `student, ${way}`, loss: losses[way] };
      last = (await train(engine, set, recipe, student())).frozen;
      const { answers } = await ask(engine, last, test.images);
      shares[way].push(agreement(answers, test.labels));
    }
  const one = await engine.infer(last, { batchSize: 1 });
  const us = await timePerSample(one, test.images, 300);
  const { flops } = costOfSteps(one.plan.steps);
  one.dispose();
  return { flops, us, seeds, accuracy: { alone: median(shares.alone), taught: median(shares.taught) } };
}
