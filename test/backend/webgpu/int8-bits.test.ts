import { describe, expect, it } from 'vitest';
import { bytes } from '../../../conformance/kit/fill.ts';
import { i8, i32, make, u8 } from '../../../conformance/kit/tensor.ts';
import type { Backend } from '../../../src/backend/backend.ts';
import { createWasmBackend } from '../../../src/backend/wasm/backend.ts';
import { createWebgpuBackend } from '../../../src/backend/webgpu/backend.ts';
import { nodeGPU } from '../../../src/backend/webgpu/node.ts';
import { configs } from '../../../src/backend/webgpu/products.ts';
import type { TypedArray } from '../../../src/core/dtype.ts';
import { Random } from '../../../src/core/random.ts';
import { buildPlan } from '../../../src/graph/build-plan.ts';
import type { Plan } from '../../../src/graph/plan.ts';
import { Tracer } from '../../../src/graph/trace.ts';
import { missing } from '../../support/parts.ts';

/** A plan of many int8 products of random sizes, weights constant or not, with a table or not. */
function manyProducts(count: number, seed: number): { plan: Plan; shapes: string[] } {
  const random = new Random(seed);
  const tracer = new Tracer({ training: false });
  const shapes: string[] = [];
  for (let i = 0; i < count; i++) {
    // Small sizes often, and now and then one that takes several tiles.
    const size = (most: number) => 1 + random.int(random.int(8) === 0 ? most : 12);
    const [m, k, n] = [size(70), size(300), size(140)];
    const specs = [
      u8([m, k]),
      i8([n, k]),
      i32([n], (_, r) => r.int(2 ** 24) - 2 ** 23),
      i32([n], (_, r) => r.int(2 ** 31)),
      ...(random.int(3) === 0 ? [u8([256], bytes)] : []),
    ];
    const constant = random.int(2) === 0;
    const inputs = specs.map((spec, s) => tracer.constant(make(spec, seed * 1000 + i * 5 + s), spec));
    // A copy is not constant, so its weights are packed again in every run.
    if (!constant) inputs[1] = tracer.apply('copy', [inputs[1]]);
    const min = random.int(100);
    const attrs = {
      shift: 30 + random.int(12),
      zeroPoint: random.int(256),
      min,
      max: min + random.int(256 - min),
    };
    tracer.output(`y${i}`, tracer.apply('matmul_i8', inputs, attrs));
    shapes.push(`${m}x${k}x${n} ${JSON.stringify({ ...attrs, constant, table: specs.length > 4 })}`);
  }
  return { plan: buildPlan(tracer.graph, { name: 'many products', optimize: false }), shapes };
}

async function resultsOf(backend: Backend, plan: Plan, count: number): Promise<TypedArray[]> {
  const program = await backend.compile(plan);
  program.run();
  const results = await Promise.all(
    Array.from({ length: count }, (_, i) => program.read(plan.slots[`y${i}`])),
  );
  program.dispose();
  return results;
}

const PLANS = 12;
const PRODUCTS = 100;

describe.skipIf(await missing('webgpu'))('int8 products have the same bits as on the CPU', () => {
  it.each([
    ['by plain arithmetic', configs.direct],
    ['by dot4I8Packed', { ...configs.direct, packedDot: true }],
    ['by dot4I8Packed, in blocks', { ...configs.small, packedDot: true }],
  ] as const)(`${PLANS * PRODUCTS} random shapes, %s`, { timeout: 180_000 }, async (_, force) => {
    const cpu = await createWasmBackend({ build: 'simd128', threads: 1 });
    const gpu = await createWebgpuBackend({ gpu: (await nodeGPU()) as GPU, force });
    let differing = 0;
    for (let p = 0; p < PLANS; p++) {
      const { plan, shapes } = manyProducts(PRODUCTS, 1 + p);
      const [want, got] = [await resultsOf(cpu, plan, PRODUCTS), await resultsOf(gpu, plan, PRODUCTS)];
      for (let i = 0; i < PRODUCTS; i++) {
        expect([...got[i]], shapes[i]).toEqual([...want[i]]);
        differing += new Set(got[i]).size > 1 ? 1 : 0;
      }
    }
    // Not all saturated to one value, which would show nothing.
    expect(differing).toBeGreaterThan((PLANS * PRODUCTS) / 3);
    gpu.dispose();
    cpu.dispose();
  });
});
