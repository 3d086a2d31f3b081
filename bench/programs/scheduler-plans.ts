import type { Plan } from '../../src/graph/plan.ts';
import { createEngine } from '../../src/index.ts';
import * as nn from '../../src/nn/index.ts';
import * as optim from '../../src/optim/index.ts';
import { trainPlan } from '../../src/plans/train.ts';
import { quantizedPlan } from '../../src/quantize/quantize.ts';

const [NARROWEST, CLASSES] = [16, 10];

const mlp = (width: number) =>
  nn.sequential(
    nn.linear(width, width),
    nn.relu(),
    nn.linear(width, width),
    nn.relu(),
    nn.linear(width, CLASSES),
  );

/** Training steps and int8 passes of MLPs, by name; made when they are asked for, since the largest hold 200 MB. */
export async function plansOf(quick: boolean): Promise<[string, () => Plan][]> {
  const widths = quick ? [NARROWEST, 64, 256] : [NARROWEST, 64, 256, 1024, 4096];
  const batches = quick ? [1, 64] : [1, 16, 128, 1024];
  const options = { loss: nn.crossEntropy, optimizer: optim.adam(), seed: 1 };
  const engine = await createEngine({ backend: 'wasm', threads: 1 });
  const plans: [string, () => Plan][] = [];
  for (const width of widths) {
    const training = await engine.train(mlp(width), { ...options, input: [width] });
    const frozen = await training.freeze();
    training.dispose();
    const calibration = Float32Array.from({ length: 4 * width }, (_, i) => Math.sin(i));
    const int8 = await engine.quantize(frozen, { calibration });
    for (const batch of batches) {
      const shape = { dtype: 'f32', shape: [width] } as const;
      plans.push([
        `train, ${width} wide, batch ${batch}`,
        () => trainPlan(mlp(width), shape, batch, options).plan,
      ]);
      plans.push([`int8, ${width} wide, batch ${batch}`, () => quantizedPlan(int8, batch)]);
    }
  }
  engine.dispose();
  return plans;
}
