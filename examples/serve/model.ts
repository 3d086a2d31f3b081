import { type Engine, nn, optim, type QuantizedModel } from '../../src/index.ts';
import { dataSet, inputs, loadMnist, PIXELS } from '../../tools/digits/mnist.ts';

const network = () =>
  nn.sequential(nn.linear(PIXELS, 256), nn.relu(), nn.linear(256, 128), nn.relu(), nn.linear(128, 10));

/** Samples that the ranges of int8 are measured on. */
const CALIBRATION = 512;

/**
 * The digits network in int8. Trained for one epoch the first time, with a checkpoint at `path`; later starts, and a first
 * one that was cut off, go on from there.
 */
export async function digitsModel(engine: Engine, path: string, folder?: string): Promise<QuantizedModel> {
  const set = dataSet(loadMnist(folder).train);
  const options = { loss: nn.crossEntropy, optimizer: optim.adamw({ lr: 1e-3 }), seed: 1 };
  const training = await engine.train(network(), options);
  const checkpoint = { path, everySteps: 100, resume: true };
  for await (const { step, steps, loss } of training.fit(set, { batchSize: 64, checkpoint }))
    if (step % 100 === 0) console.log(`step ${step} of ${steps}, loss ${loss.toFixed(3)}`);
  const frozen = await training.freeze();
  training.dispose();
  return engine.quantize(frozen, { calibration: inputs(set).subarray(0, CALIBRATION * PIXELS) });
}
