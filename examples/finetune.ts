/**
 * Goes on from trained weights with other data: a network that tells whether points lie in a circle is tuned to a circle that
 * has moved. What was frozen stays as it is. `npx tsx finetune.ts`
 */
import { createEngine, data, type FrozenModel, nn, optim, Random } from 'biphase';

const random = new Random(1);
/** Points of the square from -1 to 1, and whether each is within 0.6 of (x, 0). */
function pointsAround(x: number, count: number) {
  const input = Float32Array.from({ length: 2 * count }, () => random.uniform() * 2 - 1);
  const target = Int32Array.from(
    { length: count },
    (_, i) => +(Math.hypot(input[2 * i] - x, input[2 * i + 1]) < 0.6),
  );
  return { input, target, set: data.fromArrays({ input, inputShape: [2], target }) };
}

const engine = await createEngine();
const network = nn.sequential(nn.linear(2, 32), nn.relu(), nn.linear(32, 2));

/** Trains a new network, or, given a frozen model, a copy of its weights. */
async function train(model: typeof network | FrozenModel, set: data.DataSet, lr: number, epochs: number) {
  const training = await engine.train(model, {
    loss: nn.crossEntropy,
    optimizer: optim.adamw({ lr }),
    seed: 1,
  });
  for await (const _ of training.fit(set, { batchSize: 50, epochs, seed: 1 }));
  const frozen = await training.freeze();
  training.dispose();
  return frozen;
}

async function accuracy(model: FrozenModel, { input, target }: ReturnType<typeof pointsAround>) {
  const infer = await engine.infer(model, { batchSize: 100 });
  const logits = await infer(input);
  infer.dispose();
  const right = target.filter((label, i) => +(logits[2 * i + 1] > logits[2 * i]) === label).length;
  return `${((100 * right) / target.length).toFixed(1)} %`;
}

const [here, moved] = [pointsAround(-0.3, 2000), pointsAround(0.3, 1000)];
const first = await train(network, here.set, 1e-2, 20);
console.log(
  `trained on the circle at -0.3: ${await accuracy(first, here)} there, ${await accuracy(first, moved)} at 0.3`,
);

const tuned = await train(first, moved.set, 5e-3, 10);
console.log(`tuned to the one at 0.3: ${await accuracy(tuned, moved)} there`);
console.log(`the model it came from still knows -0.3: ${await accuracy(first, here)}`);
engine.dispose();
