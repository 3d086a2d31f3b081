import { expect, it, vi } from 'vitest';
import { createEngine, data, nn, optim } from '../../src/index.ts';

it('quantization hands the thread back after every part: batches of samples, tensors, layers', async () => {
  const engine = await createEngine({ backend: 'reference' });
  const layers = Array.from({ length: 5 }, () => [nn.linear(4, 4), nn.tanh()]).flat();
  const options = { loss: nn.mse, optimizer: optim.sgd(), input: [4], seed: 1 };
  const frozen = await (await engine.train(nn.sequential(...layers), options)).freeze();
  const count = 200;
  const input = Float32Array.from({ length: 4 * count }, (_, i) => Math.sin(i));
  const calibration = data.fromArrays({ input, inputShape: [4], target: new Float32Array(count) });
  const before = await engine.quantize(frozen, { calibration: input });

  // On a clock by which each part takes longer than a part may, every chance to let others run is taken.
  const real = performance.now;
  let now = 0;
  performance.now = () => (now += 100);
  const turns = vi.spyOn(globalThis, 'setImmediate');
  const int8 = await engine.quantize(frozen, { calibration });
  const taken = turns.mock.calls.length;
  turns.mockRestore();
  performance.now = real;
  engine.dispose();

  const [batches, tensors] = [Math.ceil(count / 64), 16];
  expect(taken).toBeGreaterThanOrEqual(batches + batches * tensors + int8.report.length);
  expect([...int8.ranges]).toEqual([...before.ranges]);
});
