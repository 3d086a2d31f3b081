/** The same types in a program that has neither the DOM's types nor Node's; tools/check/package.ts compiles it. */
import { BiphaseError, createEngine, data, type Engine, type Inference, nn, optim } from 'biphase';
import { loadKernels } from 'biphase/kernels';
import { fileGpuCache } from 'biphase/node';
import { createEngine as createGpuEngine } from 'biphase/webgpu';

export async function use(): Promise<Float32Array> {
  const engine: Engine = await createEngine({ backend: 'auto', threads: 2 });
  const points = data.fromArrays({
    input: new Float32Array(4),
    inputShape: [2],
    target: Int32Array.of(0, 1),
  });
  const model: nn.Module = nn.sequential(nn.linear(2, 2), nn.relu());
  const training = await engine.train(model, { loss: nn.crossEntropy, optimizer: optim.adam() });
  for await (const step of training.fit(points, { batchSize: 2, epochs: 1 })) void step.loss;
  const infer: Inference = await engine.infer(await training.freeze());
  const bytes: Uint8Array = await training.checkpoint();
  await createGpuEngine({ gpuCache: fileGpuCache('kernels.json') });
  const kernels = await loadKernels();
  kernels.activation('relu', new Float32Array(1), new Float32Array(1));
  if (bytes.length === 0) throw new BiphaseError('internal', 'no bytes');
  return infer(Float32Array.of(1, 2));
}
