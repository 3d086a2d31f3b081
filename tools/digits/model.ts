import { trainingProgress } from '../../src/cli/progress.ts';
import {
  type data,
  type Engine,
  type FrozenModel,
  nn,
  optim,
  type Plan,
  type QuantizedModel,
} from '../../src/index.ts';
import { answersOf } from './measure.ts';

export const BATCH = 128;

const network = () =>
  nn.sequential(nn.linear(784, 256), nn.relu(), nn.linear(256, 128), nn.relu(), nn.linear(128, 10));

export interface Recipe {
  readonly lr: number;
  readonly epochs: number;
  readonly seed: number;
  readonly label: string;
  /** Cross-entropy if not given. */
  readonly loss?: nn.Loss;
}

/** Trains a new network, or goes on from a frozen one's weights, and shows how it goes. */
export async function train(
  engine: Engine,
  set: data.DataSet,
  recipe: Recipe,
  from?: FrozenModel | nn.Module,
) {
  const { lr, epochs, seed, label, loss = nn.crossEntropy } = recipe;
  const total = Math.ceil(set.length / BATCH) * epochs;
  // The learning rate rises for 100 steps and then falls along a cosine; short runs rise for a tenth.
  const schedule = optim.cosine({ lr, warmup: Math.min(100, Math.floor(total / 10)), total });
  const optimizer = optim.adamw({ lr: schedule });
  const training = await engine.train(from ?? network(), { loss, optimizer, seed });
  const progress = trainingProgress({ batchSize: BATCH, label });
  const losses: number[] = [];
  // Of whole batches: the last of an epoch is smaller, and has a plan of its own.
  let plan: Plan | undefined;
  const begin = performance.now();
  try {
    for await (const step of training.fit(set, { batchSize: BATCH, epochs, seed })) {
      losses.push(step.loss);
      plan ??= training.plan;
      progress.step(step);
    }
    const seconds = (performance.now() - begin) / 1000;
    const cost = training.cost();
    return { losses, seconds, cost, plan: plan!, frozen: await training.freeze() };
  } finally {
    progress.done();
    training.dispose();
  }
}

/** What a model says to all images: its logits, and the digits they mean. */
export async function ask(engine: Engine, model: FrozenModel | QuantizedModel, images: Float32Array) {
  const infer = await engine.infer(model, { batchSize: 500 });
  const logits = await infer(images);
  infer.dispose();
  return { logits, answers: answersOf(logits) };
}
