/** createEngine() on runtimes that refuse, throw or never answer: always a finding, or a typed error with the reason. */

import { afterEach, describe, expect, it, vi } from 'vitest';
import { takeSpare } from '../../src/backend/wasm/spare.ts';
import { nodeGPU } from '../../src/backend/webgpu/node.ts';
import { buildPlan, createEngine, nn, ops, optim, Tracer } from '../../src/index.ts';
import { createEngine as createGpuEngine } from '../../src/webgpu.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const adapter = { info: { vendor: 'acme' }, limits: {}, features: new Set() };
const gpu = (requestAdapter: () => unknown) => ({ requestAdapter }) as never;
const never = () => new Promise<never>(() => {});

/** The error's code, or what describe() says. */
async function start(options: Parameters<typeof createEngine>[0]): Promise<string> {
  const engine = await createEngine({ threads: 1, tiles: 'usual', ...options });
  const text = engine.describe();
  engine.dispose();
  return text;
}

describe('a GPU that misbehaves', () => {
  it.each<[string, unknown, RegExp]>([
    ['rejects', () => Promise.reject(new TypeError('blocked')), /TypeError: blocked/],
    [
      'throws at once',
      () => {
        throw new DOMException('denied', 'SecurityError');
      },
      /SecurityError: denied/,
    ],
    ['throws what is no error', () => Promise.reject('nope'), /nope/],
    ['throws nothing', () => Promise.reject(undefined), /undefined/],
    ['has no adapter', async () => null, /no adapter here/],
  ])('one that %s is a finding, and WebAssembly serves', async (_, requestAdapter, reason) => {
    const text = await start({ gpu: gpu(requestAdapter as never) });
    expect(text).toMatch(/\* wasm/);
    expect(text).toMatch(new RegExp(`webgpu +not available: .*${reason.source}`));
    await expect(createGpuEngine({ gpu: gpu(requestAdapter as never) })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(reason),
    });
  });

  it('one that never answers is not waited for', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const started = start({ gpu: gpu(never) });
    await vi.advanceTimersByTimeAsync(2000);
    expect(await started).toMatch(/webgpu +not available: webgpu did not answer/);
    const asked = createGpuEngine({ gpu: gpu(never) }).catch((e) => e);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await asked).toMatchObject({ code: 'unavailable', message: /did not answer within 20 s/ });
  });

  it.each<[string, unknown, RegExp]>([
    ['rejects', () => Promise.reject(new TypeError('lost')), /gave no device: lost/],
    ['never answers', never, /did not answer within 20 s/],
    ['gives nothing', async () => undefined, /TypeError/],
  ])('a device that %s is told of', async (_, requestDevice, message) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const asked = createEngine({
      backend: 'webgpu',
      gpu: gpu(async () => ({ ...adapter, requestDevice })),
    }).catch((e) => e);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await asked).toMatchObject({ code: 'unavailable', message: expect.stringMatching(message) });
  });

  it('a device that comes too late is given back', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    vi.stubGlobal('GPUShaderStage', { COMPUTE: 4 });
    const destroy = vi.fn();
    const device = Object.assign(new EventTarget(), {
      ...{ lost: never(), limits: {}, features: new Set(), destroy },
      ...{ createBindGroupLayout: () => ({}), createPipelineLayout: () => ({}) },
    });
    let give: (device: unknown) => void = () => {};
    const requestDevice = () => new Promise((resolve) => (give = resolve));
    const asked = createEngine({
      backend: 'webgpu',
      gpu: gpu(async () => ({ ...adapter, requestDevice })),
    }).catch((e) => e);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(await asked).toMatchObject({ code: 'unavailable' });
    give(device);
    await vi.advanceTimersByTimeAsync(1);
    expect(destroy).toHaveBeenCalled();
  });

  it('an environment that may not be read (Deno without the right) is none', async () => {
    const env = new Proxy({}, { get: () => raise('NotCapable: Requires env access') });
    vi.spyOn(process, 'env', 'get').mockReturnValue(env as never);
    expect(typeof (await nodeGPU())).toMatch(/string|object/);
    expect(await start({})).toMatch(/\* wasm/);
  });
});

const raise = (message: string): never => {
  throw new Error(message);
};

/** Stands in for WebAssembly.Memory: refuses what `refuses` says. */
function memories(refuses: (wish: WebAssembly.MemoryDescriptor) => boolean) {
  while (takeSpare(0));
  const { Memory } = WebAssembly;
  const asked: WebAssembly.MemoryDescriptor[] = [];
  vi.spyOn(WebAssembly, 'Memory').mockImplementation(function make(wish: WebAssembly.MemoryDescriptor) {
    asked.push(wish);
    if (refuses(wish)) throw new RangeError('could not allocate memory');
    return new Memory(wish);
  } as never);
  return asked;
}

describe('a system that refuses memory', () => {
  it('is asked for a smaller maximum, which then is the limit', async () => {
    memories(({ maximum }) => maximum! > 20_000);
    const engine = await createEngine({ backend: 'wasm', threads: 2, tiles: 'usual' });
    expect(engine.backend.threads).toBe(2);
    const tracer = new Tracer({ training: false });
    tracer.output('y', ops.relu(tracer.input('x', { dtype: 'f32', shape: [2 ** 28] })));
    const plan = buildPlan(tracer.graph, { name: 'large' });
    await expect(engine.compile(plan)).rejects.toMatchObject({
      code: 'out_of_memory',
      message: expect.stringMatching(/can't pass 1024.0 MiB/),
    });
    engine.dispose();
  });

  it('then for one thread', async () => {
    memories(({ shared }) => shared === true);
    expect(await start({ threads: 2 })).toMatch(/1 thread: the system gave no memory that threads can share/);
  });

  it("and is told of with figures: 'out_of_memory'", async () => {
    const asked = memories(() => true);
    await expect(createEngine({ gpu: gpu(async () => null), threads: 2 })).rejects.toMatchObject({
      code: 'out_of_memory',
      message: expect.stringMatching(/wasm: not available: .*MiB.*webgpu: not available/s),
    });
    expect(asked.map((a) => a.maximum)).toEqual([65536, 16384, 4096, 65536, 16384, 4096]);
  });
});

describe('a runtime that refuses threads', () => {
  /** Long enough that threads would pay. */
  async function busy(): Promise<string> {
    const engine = await createEngine({ backend: 'wasm', threads: 2, tiles: 'usual' });
    const options = { loss: nn.mse, optimizer: optim.sgd(), input: [512] };
    const training = await engine.train(nn.linear(512, 512), options);
    await training.stepOn(new Float32Array(512 * 64), new Float32Array(512 * 64), 64);
    const text = engine.describe();
    engine.dispose();
    return text;
  }

  it.each([
    [
      'at once',
      function worker() {
        raise('denied by policy');
      },
    ],
    [
      'later',
      function worker(this: object) {
        Object.assign(this, {
          once: (name: string, tell: (error: Error) => void) =>
            name === 'error' && queueMicrotask(() => tell(new Error('denied by policy'))),
          terminate: async () => 0,
        });
      },
    ],
  ])('%s: it works on one, and says why', async (_, Worker) => {
    const { getBuiltinModule } = process;
    vi.spyOn(process, 'getBuiltinModule').mockImplementation(((name: string) =>
      name === 'node:worker_threads' ? { Worker } : getBuiltinModule(name)) as never);
    expect(await busy()).toMatch(/1 thread: threads could not be started: denied by policy/);
  });

  it('or shared memory', async () => {
    vi.stubGlobal('SharedArrayBuffer', undefined);
    expect(await start({ threads: 2 })).toMatch(/1 thread: this .*(SharedArrayBuffer|isolated)/);
  });
});

it('a runtime without WebAssembly is told of', async () => {
  vi.stubGlobal('WebAssembly', undefined);
  await expect(createEngine({ gpu: gpu(async () => null) })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/wasm: not available: this runtime has no WebAssembly/),
  });
});
