import { afterEach, describe, expect, it } from 'vitest';
import { planOfCase } from '../../../conformance/judge/run-case.ts';
import { f32 } from '../../../conformance/kit/tensor.ts';
import {
  createWebgpuBackend,
  type WebgpuBackend,
  type WebgpuOptions,
} from '../../../src/backend/webgpu/backend.ts';
import { nodeGPU } from '../../../src/backend/webgpu/node.ts';
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
const planOf = (m: number, k: number, n: number) =>
  planOfCase('matmul', {
    inputs: [f32([m, k]), f32([k, n])],
    attrs: { transposeA: false, transposeB: false },
  }).plan;

describe.skipIf(await missing('webgpu'))('timing candidates on the device', () => {
  it('is left out where the GPU is simulated', async () => {
    const b = await backend();
    expect(b.software).toBe(true);
    await b.compile(planOf(20, 20, 20));
    expect(b.tuner.timed).toBe(0);
  });

  it('happens once for each class of shapes, and the choice is remembered for the adapter', async () => {
    const b = await backend({ tune: true, traits: { software: false } });
    await b.compile(planOf(60, 24, 40));
    expect(b.tuner.timed).toBe(4);
    await b.compile(planOf(64, 20, 36)); // the same class
    expect(b.tuner.timed).toBe(4);
    const again = await backend({ tune: true, traits: { software: false } });
    await again.compile(planOf(60, 24, 40));
    expect(again.tuner.timed).toBe(0);
    expect(b.allocatedBytes).toBeGreaterThan(0);
  });

  it("is kept in the caller's store, and taken from it without timing", async () => {
    const stored = new Map<string, string>();
    const first = await backend({ tune: true, traits: { software: false }, cache: stored });
    await first.compile(planOf(8, 200, 16));
    const [[key, choice]] = [...stored];
    expect(key).toContain(first.build);
    expect(JSON.parse(choice)).toMatchObject({ kernel: expect.stringMatching(/direct|blocks/) });

    // Another class, whose choice another process has stored: it is believed if it is one of the candidates.
    const wanted = JSON.stringify({ ...JSON.parse(choice) });
    const asked: string[] = [];
    const cache = {
      get: async (k: string) => {
        asked.push(k);
        return wanted;
      },
      set: () => undefined,
    };
    const second = await backend({ tune: true, traits: { software: false }, cache });
    await second.compile(planOf(8, 400, 16));
    expect([asked.length, second.tuner.timed]).toEqual([1, 0]);

    const broken = { get: () => 'no configuration', set: () => undefined };
    const third = await backend({ tune: true, traits: { software: false }, cache: broken });
    await third.compile(planOf(8, 800, 16));
    expect(third.tuner.timed).toBeGreaterThan(0);
  });

  it('compiles pipelines side by side and tells how far it is', async () => {
    const seen: string[] = [];
    const b = await backend({ onProgress: ({ plan, done, total }) => seen.push(`${plan} ${done}/${total}`) });
    await b.compile(planOf(8, 8, 8));
    expect(seen).toEqual(['matmul 0/1', 'matmul 1/1']);
  });

  it('compiles no pipeline twice: a second program of the same kernels only takes memory', async () => {
    const b = await backend();
    let compiled = 0;
    const { createComputePipelineAsync } = b.device;
    b.device.createComputePipelineAsync = (descriptor) => {
      compiled++;
      return createComputePipelineAsync.call(b.device, descriptor);
    };
    await Promise.all([b.compile(planOf(8, 8, 8)), b.compile(planOf(12, 16, 20))]);
    await b.compile(planOf(8, 8, 8));
    expect(compiled).toBe(1);
  });
});
