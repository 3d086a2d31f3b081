/** The same for users of CommonJS; tools/check/package.ts compiles it, and runs what comes out where require() takes ES modules. */
import biphase = require('biphase');

import { BiphaseError, createEngine, type Engine, nn, optim } from 'biphase';
import { type KernelOptions, loadKernels } from 'biphase/kernels';
import { fileGpuCache } from 'biphase/node';

const options: KernelOptions = { tiles: 'usual' };
class Mine extends BiphaseError {}
const model: nn.Module = nn.sequential(nn.linear(2, 2), nn.relu());

export async function use(): Promise<string> {
  const engine: Engine = await createEngine({ threads: 1 });
  const same: biphase.Engine = engine;
  const training = await engine.train(model, { loss: nn.mse, optimizer: optim.sgd(), input: [2] });
  await training.stepOn(Float32Array.of(1, 2), Float32Array.of(3, 4), 1);
  await loadKernels(options);
  void fileGpuCache('kernels.json');
  return same.describe();
}

use().then((text) => {
  if (!text.includes('wasm') || !(new Mine('internal', '') instanceof Error)) throw new Error(text);
});
