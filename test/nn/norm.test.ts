import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine, type Engine, exportWasm, nn, optim } from '../../src/index.ts';
import { runFrozen } from '../support/frozen.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ backend: 'wasm', threads: 1 });
});
afterAll(() => engine.dispose());

const names = (m: nn.Module) => [...nn.namedParameters(m)].map(([p, name]) => `${name} ${p.shape.join('x')}`);
const wave = (n: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * i));

describe('layers that normalize', () => {
  it('have the names and shapes of PyTorch, and come back from a spec', () => {
    const model = nn.sequential(
      nn.layerNorm([3, 4]),
      nn.layerNorm(4, { bias: false }),
      nn.layerNorm(4, { elementwiseAffine: false }),
      nn.rmsNorm(4),
      nn.groupNorm(2, 6),
      nn.instanceNorm2d(3),
      nn.instanceNorm1d(3, { affine: true }),
      nn.batchNorm2d(5),
      nn.instanceNorm1d(2, { trackRunningStats: true }),
    );
    const want = ['0.weight 3x4', '0.bias 3x4', '1.weight 4', '3.weight 4', '4.weight 6', '4.bias 6'];
    expect(names(model)).toEqual([...want, '6.weight 3', '6.bias 3', '7.weight 5', '7.bias 5']);
    expect(names(nn.fromSpec(nn.specOf(model)!))).toEqual(names(model));
  });

  it.each<[make: () => nn.Module, shape: number[], message: RegExp]>([
    [() => nn.layerNorm(5), [4], /input of shape \[\d+, 4\], expected its last axes to be \[5\]/],
    [() => nn.groupNorm(4, 8), [6, 2], /expected \(batch, channels, ...\) with channels in 4 equal groups/],
    [() => nn.instanceNorm2d(3), [3, 1, 1], /with more than one element/],
    [() => nn.batchNorm2d(3), [4, 2, 2], /expected \(batch, 3, height, width\)/],
  ])('refuse what does not fit: %#', async (make, input, message) => {
    const model = nn.sequential(
      make(),
      nn.flatten(),
      nn.linear(
        input.reduce((a, b) => a * b, 1),
        1,
      ),
    );
    const training = await engine.train(model, { loss: nn.mse, optimizer: optim.sgd(), input });
    const x = wave(2 * input.reduce((a, b) => a * b, 1));
    await expect(training.stepOn(x, wave(2), 2)).rejects.toThrow(message);
  });

  it('train, are quantized around, and give the same in a file', async () => {
    const model = nn.sequential(
      nn.conv2d(2, 6, 3, { padding: 1, bias: false }),
      nn.batchNorm2d(6),
      nn.relu(),
      nn.groupNorm(3, 6),
      nn.flatten(),
      nn.layerNorm(96),
      nn.linear(96, 8),
      nn.rmsNorm(8),
      nn.linear(8, 2),
    );
    const options = { loss: nn.mse, optimizer: optim.adam({ lr: 0.02 }), input: [2, 4, 4], seed: 2 };
    const training = await engine.train(model, options);
    const [x, t] = [wave(16 * 32), wave(32)];
    const first = await training.stepOn(x, t, 16);
    let last = first;
    for (let i = 0; i < 30; i++) last = await training.stepOn(x, t, 16);
    expect(last).toBeLessThan(0.2 * first);
    const frozen = await training.freeze();
    const want = await (await engine.infer(frozen))(x);
    const got = await runFrozen(await exportWasm(frozen, { f32: true, maxBatch: 8 }), x, 8);
    for (const [i, y] of got.entries()) expect(y).toBeCloseTo(want[i], 3);
    const int8 = await engine.quantize(frozen, { calibration: x });
    const kept = int8.report.filter(({ op }) => op === 'layer_norm' || op === 'rms_norm');
    expect(kept.map(({ runs }) => runs)).toEqual(['f32', 'f32', 'f32']);
    const rounded = await (await engine.infer(int8))(x);
    const file = await runFrozen(await exportWasm(int8, { maxBatch: 8 }), x, 8);
    expect(file.length).toBe(rounded.length);
    for (const [i, y] of rounded.entries()) expect(Math.abs(y - want[i])).toBeLessThan(0.25);
  });
});
