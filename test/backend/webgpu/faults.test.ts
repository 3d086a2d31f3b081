import { afterEach, describe, expect, it, vi } from 'vitest';
import { planOfCase } from '../../../conformance/judge/run-case.ts';
import { f32 } from '../../../conformance/kit/tensor.ts';
import {
  createWebgpuBackend,
  type WebgpuBackend,
  type WebgpuOptions,
} from '../../../src/backend/webgpu/backend.ts';
import { DeviceHealth } from '../../../src/backend/webgpu/device.ts';
import { nodeGPU } from '../../../src/backend/webgpu/node.ts';
import type { Plan } from '../../../src/graph/plan.ts';
import { createEngine, nn, optim } from '../../../src/index.ts';
import { missing } from '../../support/parts.ts';

const made: WebgpuBackend[] = [];
afterEach(() => {
  for (const b of made.splice(0)) b.dispose();
});
async function backend(options: WebgpuOptions = {}): Promise<WebgpuBackend> {
  const b = await createWebgpuBackend({ gpu: (await nodeGPU()) as GPU, ...options });
  made.push(b);
  return b;
}
const product = (m: number, k: number, n: number): Plan =>
  planOfCase('matmul', {
    inputs: [f32([m, k]), f32([k, n])],
    attrs: { transposeA: false, transposeB: false },
  }).plan;
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (e: { code?: string }) => e.code,
  );

describe('the health of a device', () => {
  it('waits for its loss once, however many calls are made: a promise keeps all who ever waited', async () => {
    const lost = new Promise<GPUDeviceLostInfo>(() => undefined);
    const waiting = vi.spyOn(lost, 'then');
    const listen = () => undefined;
    const device = { lost, addEventListener: listen, removeEventListener: listen } as unknown as GPUDevice;
    const health = new DeviceHealth(device);
    for (let i = 0; i < 100; i++) expect(await health.during('a read', Promise.resolve(i))).toBe(i);
    expect(waiting).toHaveBeenCalledTimes(1);
  });
});

describe.skipIf(await missing('webgpu'))('what goes wrong on a device', () => {
  it('a pipeline that fails: names the op, its types and the shader; the next compile tries again', async () => {
    const b = await backend();
    const { createComputePipelineAsync } = b.device;
    b.device.createComputePipelineAsync = () => Promise.reject(new Error('no registers left'));
    await expect(b.compile(product(7, 5, 3))).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringMatching(
        /matmul: matmul\(f32 ?\[7, 5\], f32 ?\[5, 3\]\).*refused the shader matmul.*no registers left/,
      ),
    });
    b.device.createComputePipelineAsync = createComputePipelineAsync;
    (await b.compile(product(7, 5, 3))).dispose();
    expect(b.allocatedBytes).toBe(0);
  });

  it('a shader that does not compile: the compiler says why', async () => {
    const b = await backend();
    const { createShaderModule } = b.device;
    b.device.createShaderModule = ({ code, ...rest }) =>
      createShaderModule.call(b.device, { ...rest, code: `${code}\nfn broken() -> u32 { return 1.5; }` });
    // Dawn also reports the module as an uncaptured error, which the next call tells.
    await expect(b.compile(product(2, 2, 2))).rejects.toMatchObject({
      code: 'internal',
      message: /matmul\(f32/,
    });
  });

  it('memory that the device does not give: figures, and nothing kept', async () => {
    const b = await backend();
    const { popErrorScope } = b.device;
    let pops = 0;
    b.device.popErrorScope = async () => {
      const error = await popErrorScope.call(b.device);
      return pops++ === 0 ? ({ message: 'device memory is full' } as GPUOutOfMemoryError) : error;
    };
    await expect(b.compile(product(64, 64, 64))).rejects.toMatchObject({
      code: 'out_of_memory',
      message: expect.stringMatching(
        /matmul\(.*\): the GPU could not give \d+ bytes: device memory is full.*matmul\(f32 \[64, 64\], f32 \[64, 64\]\)/,
      ),
    });
    expect(b.allocatedBytes).toBe(0);
  });

  it('an error that no call is waiting for is thrown by the next one, once', async () => {
    const b = await backend();
    const program = await b.compile(product(2, 2, 2));
    b.device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
    await b.device.queue.onSubmittedWorkDone();
    expect(() => program.run()).toThrow(/WebGPU reported an error/);
    program.run();
  });

  it('a device lost in the middle of a training step: device_lost, and a new engine goes on in the same process', async () => {
    const gpu = (await nodeGPU()) as GPU;
    const options = { loss: nn.crossEntropy, optimizer: optim.sgd(), input: [64], seed: 1 };
    const [x, t] = [new Float32Array(64 * 32).fill(0.5), new Int32Array(32)];
    const engine = await createEngine({ backend: 'webgpu', gpu });
    const training = await engine.train(nn.linear(64, 64), { ...options, recovery: false });
    await training.stepOn(x, t, 32);
    const { device } = engine.backend as WebgpuBackend;
    const { submit } = device.queue;
    device.queue.submit = function (this: GPUQueue, commands) {
      submit.call(this, commands);
      device.destroy(); // the step is queued and not done
    } as typeof submit;
    expect(await codeOf(training.stepOn(x, t, 32))).toBe('device_lost');
    expect(await codeOf(training.stepOn(x, t, 32))).toBe('device_lost');
    engine.dispose();
    const again = await createEngine({ backend: 'webgpu', gpu });
    const loss = await (await again.train(nn.linear(64, 64), options)).stepOn(x, t, 32);
    expect(loss).toBeGreaterThan(0);
    again.dispose();
  });

  it('a device lost while candidates are timed: device_lost', async () => {
    const b = await backend({ tune: true, traits: { software: false } });
    const compiling = codeOf(b.compile(product(33, 47, 59)));
    setTimeout(() => b.device.destroy(), 5);
    expect(await compiling).toBe('device_lost');
  });

  it('no memory to time candidates in: the first of them is used', async () => {
    const b = await backend({ tune: true, traits: { software: false } });
    const { createBuffer } = b.device;
    let refused = 0;
    b.device.createBuffer = (descriptor) => {
      // A buffer no device gives: validation fails inside the tuner's own scope.
      const beyond = descriptor.label === 'timing' && ++refused > 0;
      return createBuffer.call(b.device, beyond ? { ...descriptor, size: 2 ** 50 } : descriptor);
    };
    const program = await b.compile(product(90, 17, 21));
    expect([refused, b.tuner.timed]).toEqual([1, 0]);
    program.run();
    await program.read(program.plan.slots.y0);
  });
});
