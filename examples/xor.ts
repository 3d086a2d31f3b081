/** The smallest network that learns something: XOR of two bits. `npx tsx xor.ts` */
import { createEngine, data, nn, optim } from 'biphase';

const input = Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1);
const target = Float32Array.of(0, 1, 1, 0);
const bits = data.fromArrays({ input, inputShape: [2], target, targetShape: [1] });

const engine = await createEngine();
const model = nn.sequential(nn.linear(2, 8), nn.tanh(), nn.linear(8, 1));
const training = await engine.train(model, {
  loss: nn.bceWithLogits,
  optimizer: optim.adamw({ lr: 0.05 }),
  seed: 1,
});
for await (const { step, loss } of training.fit(bits, { batchSize: 4, epochs: 300 }))
  if (step % 100 === 0) console.log(`step ${step}, loss ${loss.toFixed(4)}`);

const infer = await engine.infer(await training.freeze(), { batchSize: 4 });
const logits = await infer(input);
for (let i = 0; i < 4; i++) console.log(`${input[2 * i]} xor ${input[2 * i + 1]} = ${logits[i] > 0 ? 1 : 0}`);
engine.dispose();
