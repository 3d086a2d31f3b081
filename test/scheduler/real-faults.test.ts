import { afterEach, describe, expect, it, vi } from 'vitest';
import * as workers from '../../src/backend/wasm/workers.ts';
import type { WebgpuBackend } from '../../src/backend/webgpu/backend.ts';
import { nodeGPU } from '../../src/backend/webgpu/node.ts';
import { createEngine, data, type Engine, nn, optim, Random } from '../../src/index.ts';
import { missing } from '../support/parts.ts';
import { int8Model, samples } from '../support/serving.ts';

vi.mock('../../src/backend/wasm/workers.ts', { spy: true });
const real = await vi.importActual<typeof workers>('../../src/backend/wasm/workers.ts');
afterEach(() => void vi.mocked(workers.startWorker).mockReset());

const set = data.fromArrays({
  input: samples(160, 1, 200),
  inputShape: [200],
  target: Int32Array.from({ length: 160 }, (_, i) => i % 10),
});
const options = { loss: nn.crossEntropy, optimizer: optim.adamw({ lr: 1e-3 }), seed: 4, input: [200] };
const model = (width: number) =>
  nn.sequential(nn.linear(200, width), nn.gelu(), nn.dropout(0.2), nn.linear(width, 10));

/** The state after a fit of 4 steps an epoch, with something done before some of them. */
async function train(engine: Engine, width: number, epochs: number, before?: (step: number) => void) {
  const training = await engine.train(model(width), { ...options, recovery: { everySteps: 3 } });
  for await (const { step } of training.fit(set, { batchSize: 40, epochs })) before?.(step);
  return { state: Buffer.from(await training.checkpoint()), training };
}

describe('threads that are killed while training', () => {
  it('30 times, at random moments: the same weights, bit for bit', async () => {
    // Wide enough for the threads to be worth it, and to be hit in the middle of a step.
    const [width, epochs] = [512, 40];
    const alone = await createEngine({ backend: 'wasm', threads: 1, build: 'simd128', tiles: 'usual' });
    const want = await train(alone, width, epochs);
    alone.dispose();
    const alive = new Set<() => void>();
    vi.mocked(workers.startWorker).mockImplementation((task, lost) => {
      const handle = real.startWorker(task, lost);
      // As a crash would: gone at once, and its end is noticed by the event loop only.
      const kill = () => {
        alive.delete(kill);
        void handle.stop().then(() => lost('killed by a test'));
      };
      alive.add(kill);
      return handle;
    });
    const engine = await createEngine({ backend: 'wasm', threads: 2, build: 'simd128', tiles: 'usual' });
    const random = new Random(6);
    const got = await train(engine, width, epochs, (step) => {
      if (step % 5) return;
      const [kill] = alive;
      // Terminating a thread takes a moment, in which the next step has begun.
      if (kill) setTimeout(kill, random.int(3));
    });
    expect(got.state.equals(want.state)).toBe(true);
    const { recoveries } = got.training;
    expect(recoveries.length).toBeGreaterThan(5);
    for (const r of recoveries) expect(r).toMatchObject({ code: 'worker_lost', from: 'wasm', to: 'wasm' });
    expect(vi.mocked(workers.startWorker).mock.calls.length).toBeGreaterThan(recoveries.length);
    engine.dispose();
  });
});

describe.skipIf(await missing('webgpu'))('a GPU that is lost', () => {
  const gpu = async () => (await nodeGPU()) as GPU;
  const destroy = (engine: Engine) => (engine.backend as WebgpuBackend).device.destroy();

  it('while training: a new device goes on, with the same bits', async () => {
    const whole = await createEngine({ backend: 'webgpu', gpu: await gpu() });
    const want = await train(whole, 32, 3);
    whole.dispose();
    const engine = await createEngine({ backend: 'webgpu', gpu: await gpu() });
    const got = await train(engine, 32, 3, (step) => {
      if (step === 2 || step === 7) destroy(engine);
    });
    expect(got.state.equals(want.state)).toBe(true);
    expect(got.training.recoveries).toMatchObject([
      { code: 'device_lost', from: 'webgpu', to: 'webgpu', replayedSteps: 3, step: 3 },
      { code: 'device_lost', from: 'webgpu', to: 'webgpu' },
    ]);
    engine.dispose();
  });

  it('for good: WebAssembly goes on, and answers have the same bits', async () => {
    const found = await gpu();
    let adapters = 0;
    const once = {
      ...found,
      requestAdapter: (o?: GPURequestAdapterOptions) => (adapters++ < 2 ? found.requestAdapter(o) : null),
    };
    const engine = await createEngine({ backend: 'webgpu', gpu: once as never });
    const int8 = await int8Model();
    const predictor = await engine.predictor(int8, { cache: false, maxBatch: 4, batchSizes: [4] });
    const x = samples(3, 5);
    const want = await predictor.predict(x);
    const { training } = await train(engine, 32, 2, (step) => {
      if (step === 5) destroy(engine);
    });
    expect(training.recoveries).toMatchObject([{ code: 'device_lost', from: 'webgpu', to: 'wasm' }]);
    expect(training.step).toBe(8);
    expect(await predictor.predict(x)).toEqual(want);
    expect(predictor.stats()).toMatchObject({ retried: 1, failed: 0 });
    expect(engine.describe()).toMatch(/took over after webgpu was lost/);
    await predictor.close();
    engine.dispose();
  });
});
