import { describe, expect, it, vi } from 'vitest';
import { createWasmBackend } from '../../../src/backend/wasm/backend.ts';
import { offerSpare, takeSpare, writtenBytes } from '../../../src/backend/wasm/spare.ts';
import * as workers from '../../../src/backend/wasm/workers.ts';
import { buildPlan } from '../../../src/graph/build-plan.ts';
import { Tracer } from '../../../src/graph/trace.ts';

vi.mock('../../../src/backend/wasm/workers.ts', { spy: true });
const real = await vi.importActual<typeof workers>('../../../src/backend/wasm/workers.ts');

/** A backend of two threads that has started them and computed something; the result. */
async function used(side: number) {
  const backend = await createWasmBackend({ threads: 2, build: 'simd128', tiles: 'usual' });
  const tracer = new Tracer({ training: false });
  const [a, b] = ['a', 'b'].map((name) => tracer.input(name, { dtype: 'f32', shape: [side, side] }));
  tracer.output('c', tracer.apply('matmul', [a, b], { transposeA: false, transposeB: false }));
  const plan = buildPlan(tracer.graph, { name: 'product' });
  const program = await backend.compile(plan);
  const values = Float32Array.from({ length: side * side }, (_, i) => Math.sin(i));
  program.write(plan.slots.a, values);
  program.write(plan.slots.b, values);
  program.run();
  return { backend, program, plan, result: await program.read(plan.slots.c) };
}

/** Whether a memory lies ready to be used again. */
function lieReady(): boolean {
  const memory = takeSpare(0);
  if (memory) offerSpare(memory, writtenBytes(memory));
  return memory !== undefined;
}

describe('memories of engines that are gone', () => {
  it('are not used again while a thread may still run', async () => {
    let stopped: Promise<unknown> = Promise.resolve();
    vi.mocked(workers.startWorker).mockImplementation((task, lost) => {
      const { ready, stop } = real.startWorker(task, lost);
      // A browser does not say when a thread that was told to end is gone.
      return {
        ready,
        stop: () => {
          stopped = stop();
          return stopped.then(() => false);
        },
      };
    });
    const { backend } = await used(320);
    backend.dispose();
    await stopped;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(takeSpare(0)).toBeUndefined();
  });

  it('serve the engines made after them, which see nothing of each other', async () => {
    const memories = new Set<WebAssembly.Memory>();
    vi.mocked(workers.startWorker).mockImplementation((task, lost) => {
      memories.add(task.memory);
      return real.startWorker(task, lost);
    });
    const results = [];
    for (let i = 0; i < 5; i++) {
      const { backend, program, plan, result } = await used(320 + 32 * (i % 2));
      results.push(result);
      backend.dispose();
      backend.dispose();
      await expect(program.read(plan.slots.c)).rejects.toMatchObject({ code: 'disposed' });
      await vi.waitFor(() => expect(lieReady()).toBe(true), { timeout: 10_000 });
    }
    expect(memories.size).toBe(1);
    for (const [i, result] of results.entries()) expect(result).toEqual(results[i % 2]);
    expect(results[0].some((v) => v !== 0)).toBe(true);
  });

  it('are those of engines that started no threads, too', async () => {
    const before = takeSpare(0)!;
    offerSpare(before, writtenBytes(before));
    for (let i = 0; i < 20; i++) {
      (await createWasmBackend({ threads: 2, build: 'simd128', tiles: 'usual' })).dispose();
      await vi.waitFor(() => expect(lieReady()).toBe(true));
    }
    expect(takeSpare(0)).toBe(before);
    expect(takeSpare(0)).toBeUndefined();
  });
});
