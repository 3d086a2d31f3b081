import type { Engine, FrozenModel } from '../../src/index.ts';
import { agreement, sameBits, sameWeights } from './measure.ts';
import { type Digits, dataSet, inputs } from './mnist.ts';
import { ask, train } from './model.ts';
import { rotate } from './rotate.ts';

export const ANGLE = 25;
const EPOCHS = 2;

/**
 * A smaller training run from the frozen weights, on digits turned further than the model has seen: accuracy on
 * turned test digits before and after, and whether the frozen original still has the same weights and answers.
 */
export async function fineTune(
  engine: Engine,
  frozen: FrozenModel,
  digits: { train: Digits; test: Digits },
  images: number,
  seed: number,
) {
  const turned = rotate(digits.test, ANGLE, digits.test.count);
  const samples = inputs(dataSet(turned));
  const weights = frozen.stateDict();
  const before = await ask(engine, frozen, samples);

  const set = dataSet(rotate(digits.train, ANGLE, images));
  const recipe = { lr: 1e-3, epochs: EPOCHS, seed, label: 'fine-tuning' };
  const tuned = await train(engine, set, recipe, frozen);

  const after = await ask(engine, tuned.frozen, samples);
  const again = await ask(engine, frozen, samples);
  return {
    before: agreement(before.answers, turned.labels),
    after: agreement(after.answers, turned.labels),
    original_unchanged: sameWeights(weights, frozen.stateDict()) && sameBits(before.logits, again.logits),
  };
}
