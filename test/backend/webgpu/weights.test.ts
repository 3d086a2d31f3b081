import { afterEach, describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../../src/backend/reference/backend.ts';
import { createWebgpuBackend, type WebgpuBackend } from '../../../src/backend/webgpu/backend.ts';
import { nodeGPU } from '../../../src/backend/webgpu/node.ts';
import * as f from '../../../src/functions/index.ts';
import { buildPlan } from '../../../src/graph/build-plan.ts';
import type { Plan } from '../../../src/graph/plan.ts';
import { Tracer } from '../../../src/graph/trace.ts';
import { createEngine, nn, optim } from '../../../src/index.ts';
import { missing } from '../../support/parts.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

async function deviceOf(requiredLimits: Record<string, number> = {}): Promise<GPUDevice> {
  const adapter = await ((await nodeGPU()) as GPU).requestAdapter();
  const device = await adapter!.requestDevice({ requiredLimits });
  ends.push(() => device.destroy());
  return device;
}

async function backend(device?: GPUDevice): Promise<WebgpuBackend> {
  const b = await createWebgpuBackend({ gpu: (await nodeGPU()) as GPU, device });
  ends.push(() => b.dispose());
  return b;
}

const wave = (n: number, by: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * by));

/** Rows of x through square matrices, one after the other. */
function chain(weights: readonly Float32Array[], size: number, rows = 3): Plan {
  const tracer = new Tracer({ training: false });
  let x = tracer.input('x', { dtype: 'f32', shape: [rows, size] });
  for (const w of weights) x = f.matmul(x, tracer.constant(w, { dtype: 'f32', shape: [size, size] }));
  tracer.output('y', x);
  return buildPlan(tracer.graph, { name: 'chain' });
}

async function answer(b: WebgpuBackend | ReferenceBackend, p: Plan, x: Float32Array) {
  const program = await b.compile(p);
  program.write(p.slots.x, x);
  program.run();
  return { program, y: (await program.read(p.slots.y)) as Float32Array };
}

const expectClose = (got: Float32Array, wanted: Float32Array) => {
  expect(got.length).toBe(wanted.length);
  for (const [i, v] of got.entries())
    expect(Math.abs(v - wanted[i])).toBeLessThan(1e-3 * (1 + Math.abs(wanted[i])));
};

describe.skipIf(await missing('webgpu'))('weights on the device', () => {
  it('are bound apart: a model larger than one binding runs where each of its weights fits', async () => {
    const most = 300_000;
    const b = await backend(await deviceOf({ maxStorageBufferBindingSize: most }));
    // Devices may give more than was asked for: the backend is told the least.
    Object.defineProperty(b.device, 'limits', {
      value: { maxBufferSize: most, maxStorageBufferBindingSize: most },
    });
    const size = 256;
    const weights = [1, 2, 3].map((by) => wave(size * size, by / 7).map((v) => v / 16));
    const p = chain(weights, size);
    expect(p.arenaBytes).toBeGreaterThan(most);
    const x = wave(3 * size, 0.1);
    const { y } = await answer(b, p, x);
    expectClose(y, (await answer(new ReferenceBackend(), p, x)).y);
    const tooLarge = chain([wave(280 * 280, 1)], 280);
    await expect(b.compile(tooLarge)).rejects.toMatchObject({
      code: 'out_of_memory',
      message: expect.stringMatching(
        /needs 313600 bytes in one buffer for the weights of matmul\(.*allows 300000 \(maxBufferSize 300000/,
      ),
    });
  });

  it('of one frozen model lie there once for all programs, and go with the last', async () => {
    const b = await backend();
    const size = 128;
    const w = wave(size * size, 0.3);
    const one = await answer(b, chain([w], size, 3), wave(3 * size, 0.2));
    const alone = b.allocatedBytes;
    const two = await answer(b, chain([w], size, 5), wave(5 * size, 0.2));
    expect(one.program.bytes).toBeGreaterThan(w.byteLength);
    expect(b.allocatedBytes - alone).toBeLessThan(w.byteLength / 2);
    one.program.dispose();
    expect(b.allocatedBytes).toBeGreaterThan(w.byteLength);
    two.program.run();
    expect(await two.program.read(two.program.plan.slots.y)).toEqual(two.y);
    two.program.dispose();
    expect(b.allocatedBytes).toBe(0);
  });

  it('are told apart by their values: an array that was changed since makes weights of its own', async () => {
    const b = await backend();
    const [size, w, x] = [16, wave(256, 0.3), wave(48, 0.2)];
    const before = await answer(b, chain([w], size), x);
    // Two signs only: hashes of weak mixing do not see these.
    for (const i of [3, 200]) w[i] = -w[i];
    const after = await answer(b, chain([w], size), x);
    expect(after.y).not.toEqual(before.y);
    expectClose(after.y, (await answer(new ReferenceBackend(), chain([w], size), x)).y);
  });

  it('that another kernel reads too lie in the arena besides', async () => {
    const tracer = new Tracer({ training: false });
    const x = tracer.input('x', { dtype: 'f32', shape: [8, 8] });
    const w = tracer.constant(wave(64, 0.7), { dtype: 'f32', shape: [8, 8] });
    tracer.output('y', f.add(f.matmul(x, w), w));
    const p = buildPlan(tracer.graph, { name: 'both' });
    const { y } = await answer(await backend(), p, wave(64, 0.2));
    expectClose(y, (await answer(new ReferenceBackend(), p, wave(64, 0.2))).y);
  });

  it('two inferences of a frozen model hold one copy, f32 and int8, and are made anew after the device was lost', async () => {
    const engine = await createEngine({ backend: 'webgpu', gpu: (await nodeGPU()) as GPU });
    ends.push(() => engine.dispose());
    const model = nn.sequential(nn.linear(256, 256), nn.relu(), nn.linear(256, 4));
    const x = wave(4 * 256, 0.05);
    const training = await engine.train(model, {
      input: [256],
      loss: nn.crossEntropy,
      optimizer: optim.sgd(),
      seed: 1,
    });
    const frozen = await training.freeze();
    training.dispose();
    const int8 = await engine.quantize(frozen, { calibration: x });
    const held = () => (engine.backend as WebgpuBackend).allocatedBytes;
    for (const [served, weights] of [
      [frozen, 4 * 256 * 256],
      [int8, 256 * 256],
    ] as const) {
      const empty = held();
      const first = await engine.infer(served, { batchSize: 4 });
      const expected = await first(x);
      const single = held() - empty;
      expect(single).toBeGreaterThan(weights);
      const second = await engine.infer(served, { batchSize: 2 });
      expect(await second(x)).toEqual(expected);
      expect(held() - empty - single).toBeLessThan(weights / 2);
      (engine.backend as WebgpuBackend).device.destroy();
      const [again, same] = [await first(x), await second(x)];
      expect(again).toEqual(expected);
      expect(same).toEqual(expected);
      first.dispose();
      second.dispose();
    }
  });
});
