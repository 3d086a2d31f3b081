import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createWasmBackend, type WasmBackend } from '../../../src/backend/wasm/backend.ts';
import * as workers from '../../../src/backend/wasm/workers.ts';
import { Random } from '../../../src/core/random.ts';
import { buildPlan } from '../../../src/graph/build-plan.ts';
import { Tracer } from '../../../src/graph/trace.ts';
import { createEngine, nn, optim } from '../../../src/index.ts';

vi.mock('../../../src/backend/wasm/workers.ts', { spy: true });

const run = promisify(execFile);

/** Bytes of live objects. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}
/** A product that is worth sharing, and its result. */
async function product(backend: WasmBackend, side = 320) {
  const tracer = new Tracer({ training: false });
  const type = { dtype: 'f32', shape: [side, side] } as const;
  const [a, b] = [tracer.input('a', type), tracer.input('b', type)];
  tracer.output('c', tracer.apply('matmul', [a, b], { transposeA: false, transposeB: false }));
  const plan = buildPlan(tracer.graph, { name: 'product' });
  const program = await backend.compile(plan);
  const random = new Random(3);
  const values = Float32Array.from({ length: side * side }, () => random.uniform() - 0.5);
  program.write(plan.slots.a, values);
  program.write(plan.slots.b, values);
  return { program, read: async () => (await program.read(plan.slots.c)) as Float32Array };
}

const create = (threads: number) => createWasmBackend({ threads, build: 'simd128', tiles: 'usual' });

const real = await vi.importActual<typeof workers>('../../../src/backend/wasm/workers.ts');

afterEach(() => void vi.mocked(workers.startWorker).mockReset());

describe('the pool of threads', () => {
  it('gives the same bits with 1, 2 and 3 threads, however often it runs', async () => {
    const results: Float32Array[] = [];
    for (const threads of [1, 2, 3]) {
      const backend = await create(threads);
      const { program, read } = await product(backend);
      for (let i = 0; i < 5; i++) program.run();
      results.push(await read());
      expect(backend.threads).toBe(threads);
      backend.dispose();
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  it('starts no thread for a small program', async () => {
    const start = vi.mocked(workers.startWorker);
    start.mockClear();
    const backend = await create(2);
    const tracer = new Tracer({ training: false });
    tracer.output('y', tracer.apply('relu', [tracer.input('x', { dtype: 'f32', shape: [64] })], {}));
    const plan = buildPlan(tracer.graph, { name: 'small' });
    const program = await backend.compile(plan);
    program.write(plan.slots.x, new Float32Array(64).fill(-1));
    program.run();
    expect(await program.read(plan.slots.y)).toEqual(new Float32Array(64));
    expect(start).not.toHaveBeenCalled();
    backend.dispose();
  });

  it('trains to the same weights, bit for bit, on any number of threads', async () => {
    const weights: Float32Array[] = [];
    const random = new Random(9);
    const input = Float32Array.from({ length: 96 * 100 }, () => random.uniform());
    const target = Int32Array.from({ length: 96 }, () => random.int(10));
    for (const threads of [1, 2, 3]) {
      const engine = await createEngine({ backend: 'wasm', build: 'simd128', threads });
      const layers = [nn.linear(100, 128), nn.gelu(), nn.dropout(0.2), nn.linear(128, 10)];
      const options = { loss: nn.crossEntropy, optimizer: optim.adamw({ lr: 1e-3 }), input: [100], seed: 4 };
      const training = await engine.train(nn.sequential(...layers), options);
      for (let i = 0; i < 30; i++) await training.stepOn(input, target, 96);
      const frozen = await training.freeze();
      const values = frozen.parameters.flatMap(({ parameter }) => [...frozen.values(parameter)]);
      weights.push(Float32Array.from(values));
      engine.dispose();
    }
    expect(weights[0].length).toBeGreaterThan(10_000);
    expect(weights[1]).toEqual(weights[0]);
    expect(weights[2]).toEqual(weights[0]);
  });

  it('says why there is one thread where there are no workers', async () => {
    const backend = await create(3);
    vi.mocked(workers.startWorker).mockImplementation(() => ({
      ready: Promise.reject(new Error('this page forbids blob: workers')),
      stop: async () => true,
    }));
    const { program, read } = await product(backend);
    program.run();
    expect((await read()).some((v) => v !== 0)).toBe(true);
    expect(backend.threads).toBe(1);
    expect(backend.description).toMatch(
      /1 thread: threads could not be started: this page forbids blob: workers$/,
    );
    backend.dispose();
  });

  it('says why there is one thread on a page that is not isolated', async () => {
    vi.stubGlobal('SharedArrayBuffer', undefined);
    vi.stubGlobal('document', {});
    try {
      const backend = await create(4);
      expect(backend.threads).toBe(1);
      expect(backend.description).toMatch(/1 thread: this page is not cross-origin isolated/);
      backend.dispose();
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('turns the death of a thread into an error, and starts anew', async () => {
    const handles: workers.WorkerHandle[] = [];
    const kills: (() => void)[] = [];
    vi.mocked(workers.startWorker).mockImplementation((task, lost) => {
      const handle = real.startWorker(task, lost);
      handles.push(handle);
      // As a crash would: gone at once, and its end is noticed by the event loop only.
      kills.push(() => void handle.stop().then(() => lost('killed by a test')));
      return handle;
    });
    const backend = await create(2);
    const first = await product(backend);
    first.program.run();
    const want = await first.read();
    kills[0]();
    first.program.run(); // the thread dies before, during or after this run, and nobody knows yet
    const outcome = await first.read().then(
      () => 'finished',
      (error) => error.code,
    );
    expect(['finished', 'worker_lost']).toContain(outcome);
    const second = await product(backend);
    second.program.run();
    expect(await second.read()).toEqual(want);
    expect(handles.length).toBeGreaterThan(1);
    backend.dispose();
  });

  it('a run whose thread is gone fails, stays failed, and hangs nothing', async () => {
    const lost: ((reason: string) => void)[] = [];
    vi.mocked(workers.startWorker).mockImplementation((_, tell) => {
      lost.push(tell);
      return { ready: Promise.resolve(), stop: async () => true }; // never does its share
    });
    const backend = await create(2);
    const { program, read } = await product(backend);
    program.run();
    const reading = read();
    setTimeout(() => lost[0]('out of memory'), 20);
    await expect(reading).rejects.toMatchObject({ code: 'worker_lost' });
    await expect(read()).rejects.toThrow(/a thread of the engine died \(out of memory\)/);
    expect(() => program.run()).toThrow(/started anew at the next run/);
    vi.mocked(workers.startWorker).mockReset();
    const again = await product(backend);
    again.program.run();
    expect((await again.read()).some((v) => v !== 0)).toBe(true);
    backend.dispose();
  });

  it('runs 10,000 times without drift in memory or threads', async () => {
    const backend = await create(2);
    const start = vi.mocked(workers.startWorker);
    start.mockClear();
    const { program, read } = await product(backend, 160);
    program.run();
    const want = await read();
    const [bytes, workerCount] = [backend.allocatedBytes, start.mock.calls.length];
    const heapBefore = heapUsed();
    for (let i = 0; i < 10_000; i++) program.run();
    expect(await read()).toEqual(want);
    expect(backend.allocatedBytes).toBe(bytes);
    expect(start.mock.calls.length).toBe(workerCount);
    expect(heapUsed() - heapBefore).toBeLessThan(2e6);
    backend.dispose();
  });

  it('never keeps a process alive, and uses no processor when idle', async () => {
    const script = `
      import { createEngine, nn, optim } from ${JSON.stringify(fileURLToPath(new URL('../../../src/index.ts', import.meta.url)))};
      const engine = await createEngine({ backend: 'wasm', threads: 2, tiles: 'usual' });
      const training = await engine.train(nn.linear(512, 512), { loss: nn.mse, optimizer: optim.sgd({ lr: 0.1 }), input: [512] });
      await training.stepOn(new Float32Array(64 * 512), new Float32Array(64 * 512), 64);
      // V8's own compilers may still be at work, and on a busy machine for long: the least of some waits counts.
      let busyMs = Infinity;
      for (let wait = 0; wait < 8 && busyMs > 2; wait++) {
        const before = process.cpuUsage();
        await new Promise((resolve) => setTimeout(resolve, 250));
        const { user, system } = process.cpuUsage(before);
        busyMs = Math.min(busyMs, (user + system) / 1000);
      }
      console.log(engine.backend.threads, busyMs);
    `;
    const args = ['--import', 'tsx', '--input-type=module', '-e', script];
    const { stdout } = await run(process.execPath, args, { timeout: 30_000 });
    const [threads, busyMs] = stdout.trim().split(' ').map(Number);
    expect(threads).toBe(2);
    // A thread that spins would use all of them.
    expect(busyMs).toBeLessThan(25);
  });
});
