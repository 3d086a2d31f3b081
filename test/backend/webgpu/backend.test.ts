import { afterEach, describe, expect, it } from 'vitest';
import { createWebgpuBackend, type WebgpuBackend } from '../../../src/backend/webgpu/backend.ts';
import { nodeGPU } from '../../../src/backend/webgpu/node.ts';
import { gridOf, MOST_INDEXED } from '../../../src/backend/webgpu/record.ts';
import * as f from '../../../src/functions/index.ts';
import { buildPlan } from '../../../src/graph/build-plan.ts';
import type { Plan } from '../../../src/graph/plan.ts';
import { type Tensor, Tracer } from '../../../src/graph/trace.ts';
import { createEngine, data, nn, optim } from '../../../src/index.ts';
import { Engine } from '../../../src/scheduler/engine.ts';
import { missing } from '../../support/parts.ts';

const made: WebgpuBackend[] = [];
afterEach(() => {
  for (const b of made.splice(0)) b.dispose();
});
async function backend(device?: GPUDevice): Promise<WebgpuBackend> {
  const b = await createWebgpuBackend(device ? { device } : { gpu: (await nodeGPU()) as GPU });
  made.push(b);
  return b;
}
function plan(build: (x: Tensor) => Tensor, shape: number[]): Plan {
  const tracer = new Tracer({ training: false });
  tracer.output('y', build(tracer.input('x', { dtype: 'f32', shape })));
  return buildPlan(tracer.graph, { name: 'test' });
}
const code = (error: unknown) => (error as { code?: string }).code;

describe.skipIf(await missing('webgpu'))('the webgpu backend', () => {
  it('lays out more than 65,535 workgroups in two dimensions', async () => {
    expect([gridOf(1), gridOf(65535), gridOf(65536), gridOf(200000)]).toEqual([
      [1, 1],
      [65535, 1],
      [65535, 2],
      [65535, 4],
    ]);
    const n = 65535 * 64 + 77;
    const p = plan((x) => f.scale(x, 2), [n]);
    const program = await (await backend()).compile(p);
    const x = Float32Array.from({ length: n }, (_, i) => i % 1000);
    program.write(p.slots.x, x);
    program.run();
    const y = await program.read(p.slots.y);
    expect(y.every((v, i) => v === 2 * x[i])).toBe(true);
    program.dispose();
  });

  it('counts in u32 without wrapping, in the largest arena and past its end', () => {
    // Bytes, four to an invocation, as activation_i8.wgsl and its like count them.
    for (const bytes of [MOST_INDEXED, MOST_INDEXED - 64, 2 ** 31, 2 ** 31 + 1]) {
      const [x, y] = gridOf(Math.ceil(bytes / 4 / 64));
      expect(y).toBeLessThanOrEqual(65535);
      const last = x * y * 64 - 1;
      expect(last).toBeGreaterThanOrEqual(Math.ceil(bytes / 4) - 1);
      expect(last * 4 + 3).toBeLessThan(2 ** 32);
    }
    // Words, one to an invocation: a quarter as many elements, so at most a quarter of u32.
    const [x, y] = gridOf(Math.ceil(MOST_INDEXED / 4 / 64));
    expect(x * y * 64).toBeLessThan(2 ** 31);
  });

  it('submits a whole training step as one command buffer, of at most 20 dispatches', async () => {
    const b = await backend();
    const engine = new Engine(b, { provider: undefined as never, findings: [] });
    const mlp = nn.sequential(nn.linear(784, 64), nn.relu(), nn.linear(64, 64), nn.relu(), nn.linear(64, 10));
    const training = await engine.train(mlp, {
      loss: nn.crossEntropy,
      optimizer: optim.adam(),
      input: [784],
      // Snapshots for either are read, and so submitted, when the clock says so.
      ...{ recovery: false, terminateOnNaN: false },
    });
    await training.stepOn(new Float32Array(784 * 8), new Int32Array(8), 8);
    let [submits, dispatches] = [0, 0];
    const { submit } = b.device.queue;
    b.device.queue.submit = function (this: GPUQueue, buffers) {
      submits++;
      return submit.call(this, buffers);
    } as typeof submit;
    const encoder = Object.getPrototypeOf(b.device.createCommandEncoder().beginComputePass());
    const { dispatchWorkgroups } = encoder;
    encoder.dispatchWorkgroups = function (this: GPUComputePassEncoder, ...counts: [number]) {
      dispatches++;
      return dispatchWorkgroups.apply(this, counts);
    };
    try {
      await training.stepOn(new Float32Array(784 * 8), new Int32Array(8), 8);
    } finally {
      encoder.dispatchWorkgroups = dispatchWorkgroups;
    }
    // The step, and the copy that reads the loss.
    expect(submits).toBe(2);
    expect(dispatches).toBe(12);
  });

  it('a read sees the values as of its call, also when runs follow before it is awaited', async () => {
    const p = plan((x) => f.scale(x, 3), [4]);
    const program = await (await backend()).compile(p);
    const reads = [1, 2, 3].map((v) => {
      program.write(p.slots.x, new Float32Array(4).fill(v));
      program.run();
      return program.read(p.slots.y);
    });
    expect((await Promise.all(reads)).map((r) => r[0])).toEqual([3, 6, 9]);
  });

  it('runs one section at a time', async () => {
    const tracer = new Tracer({ training: true });
    const x = tracer.input('x', { dtype: 'f32', shape: [2] });
    tracer.output('forward', f.scale(x, 2));
    tracer.section = 'loss';
    tracer.output('loss', f.scale(x, 5));
    const p = buildPlan(tracer.graph, { name: 'test' });
    const program = await (await backend()).compile(p);
    program.write(p.slots.x, Float32Array.of(1, 2));
    program.run('loss');
    expect([...(await program.read(p.slots.forward))]).toEqual([0, 0]);
    expect([...(await program.read(p.slots.loss))]).toEqual([5, 10]);
  });

  it('refuses a plan that no buffer can hold, with the figures', async () => {
    const huge = plan((x) => f.scale(x, 2), [2 ** 29]);
    await expect((await backend()).compile(huge)).rejects.toMatchObject({
      code: 'out_of_memory',
      message: expect.stringMatching(
        /test\(x f32 \[536870912\]\) needs \d+ bytes in one buffer; this device allows \d+ \(maxBufferSize.*largest step is scale\(f32 \[536870912\]\)/,
      ),
    });
  });

  it("uses a caller's device and leaves it alive", async () => {
    const adapter = await ((await nodeGPU()) as GPU).requestAdapter();
    const device = await adapter!.requestDevice();
    const engine = await createEngine({ backend: 'webgpu', device });
    const set = data.fromArrays({ input: new Float32Array(32), inputShape: [4], target: new Int32Array(8) });
    const training = await engine.train(nn.linear(4, 3), { loss: nn.crossEntropy, optimizer: optim.sgd() });
    for await (const step of training.fit(set, { batchSize: 4 }))
      expect(step.loss).toBeCloseTo(Math.log(3), 0);
    engine.dispose();
    expect(engine.backend.allocatedBytes).toBe(0);
    const buffer = device.createBuffer({
      size: 16,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    await buffer.mapAsync(GPUMapMode.READ);
    expect(buffer.getMappedRange().byteLength).toBe(16);
    device.destroy();
  });

  it('gives back all memory over 500 rounds, without an error event', async () => {
    const b = await backend();
    const events: string[] = [];
    b.device.addEventListener('uncapturederror', (e) =>
      events.push((e as GPUUncapturedErrorEvent).error.message),
    );
    let [created, destroyed] = [0, 0];
    const { createBuffer } = b.device;
    b.device.createBuffer = (descriptor) => {
      const buffer = createBuffer.call(b.device, descriptor);
      const { destroy } = buffer;
      created++;
      buffer.destroy = () => {
        destroyed++;
        return destroy.call(buffer);
      };
      return buffer;
    };
    const p = plan((x) => f.relu(f.scale(x, 2)), [1000]);
    for (let i = 0; i < 500; i++) {
      const program = await b.compile(p);
      program.write(p.slots.x, new Float32Array(1000).fill(i));
      program.run();
      expect((await program.read(p.slots.y))[7]).toBe(2 * i);
      program.dispose();
    }
    expect(b.allocatedBytes).toBe(0);
    expect(created).toBe(1500); // arena, arguments, staging
    expect(destroyed).toBe(created);
    expect(events).toEqual([]);
  });

  it('gives back all memory of 500 trainings, without an error event', async () => {
    const engine = await createEngine({ backend: 'webgpu', gpu: (await nodeGPU()) as GPU });
    const b = engine.backend as WebgpuBackend;
    const events: string[] = [];
    b.device.addEventListener('uncapturederror', (e) =>
      events.push((e as GPUUncapturedErrorEvent).error.message),
    );
    const mlp = nn.sequential(nn.linear(12, 8), nn.relu(), nn.linear(8, 3));
    const options = { loss: nn.crossEntropy, optimizer: optim.adam(), input: [12], seed: 1 };
    const [x, t] = [new Float32Array(48).fill(0.5), Int32Array.of(0, 1, 2, 0)];
    let bytes: number | undefined;
    for (let i = 0; i < 500; i++) {
      const training = await engine.train(mlp, options);
      await training.stepOn(x, t, 4);
      bytes ??= b.allocatedBytes;
      expect(b.allocatedBytes).toBe(bytes);
      training.dispose();
      expect(b.allocatedBytes).toBe(0);
    }
    expect(events).toEqual([]);
    engine.dispose();
  });

  describe('when the device is lost', () => {
    it('during a read, the read fails with device_lost, and so does everything after', async () => {
      const b = await backend();
      const p = plan((x) => f.scale(x, 2), [1000]);
      const program = await b.compile(p);
      program.run();
      const read = program.read(p.slots.y);
      b.device.destroy();
      expect(code(await read.catch((e) => e))).toBe('device_lost');
      expect(() => program.run()).toThrow(/test\(x f32 \[1000\]\): the GPU device was lost/);
      await expect(b.compile(p)).rejects.toMatchObject({ code: 'device_lost' });
    });

    it('a read that was under way gives its memory back', async () => {
      const b = await backend();
      const p = plan((x) => f.scale(x, 2), [1000]);
      const program = await b.compile(p);
      const read = program.read(p.slots.y);
      b.device.destroy();
      await read.catch(() => undefined);
      program.dispose();
      expect(b.allocatedBytes).toBe(0);
    });

    it('by disposing of the engine, a read under way fails with disposed', async () => {
      const b = await backend();
      const p = plan((x) => f.scale(x, 2), [1000]);
      const read = (await b.compile(p)).read(p.slots.y);
      b.dispose();
      expect(code(await read.catch((e) => e))).toBe('disposed');
    });

    it('during compile, compile fails with device_lost', async () => {
      const b = await backend();
      const compiling = b.compile(plan((x) => f.tanh(x), [1000]));
      b.device.destroy();
      expect(code(await compiling.catch((e) => e))).toBe('device_lost');
    });

    it('a new engine in the same process works', async () => {
      const b = await backend();
      b.device.destroy();
      await b.device.lost;
      const p = plan((x) => f.scale(x, 2), [4]);
      const program = await (await backend()).compile(p);
      program.write(p.slots.x, Float32Array.of(1, 2, 3, 4));
      program.run();
      expect([...(await program.read(p.slots.y))]).toEqual([2, 4, 6, 8]);
    });
  });

  it('says disposed after dispose, and has a reason when there is no adapter', async () => {
    const b = await backend();
    const p = plan((x) => f.scale(x, 2), [4]);
    const program = await b.compile(p);
    program.dispose();
    expect(() => program.run()).toThrow(/was disposed/);
    b.dispose();
    await expect(b.compile(p)).rejects.toMatchObject({ code: 'disposed' });
    const none = { requestAdapter: async () => null } as unknown as GPU;
    await expect(createEngine({ backend: 'webgpu', gpu: none })).rejects.toMatchObject({
      code: 'unavailable',
      message: /no adapter/,
    });
  });
});
