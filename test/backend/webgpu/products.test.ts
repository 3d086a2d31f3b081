import { describe, expect, it } from 'vitest';
import { problemsOfCase } from '../../../conformance/judge/conform.ts';
import { allCases, fewCases, type ProductOp } from '../../../conformance/judge/product-cases.ts';
import type { Case } from '../../../conformance/kit/case.ts';
import type { Backend } from '../../../src/backend/backend.ts';
import { createWebgpuBackend } from '../../../src/backend/webgpu/backend.ts';
import { nodeGPU } from '../../../src/backend/webgpu/node.ts';
import {
  type ConfigName,
  candidatesFor,
  classOf,
  configs,
  fitting,
} from '../../../src/backend/webgpu/products.ts';
import type { Product } from '../../../src/ops/op.ts';
import { missing } from '../../support/parts.ts';

const product = (m: number, n: number, k: number, kind: Product['kind'] = 'f32'): Product => ({
  ...{ kind, batch: 1, m, n, k },
  form: 'nn',
});
const device = { software: false, packedDot: true };

describe('candidates for a product', () => {
  it('are 3 to 5 for every size class of a real device, all different, and one on a simulated one', () => {
    for (const kind of ['f32', 'i8'] as const)
      for (const m of [1, 8, 128, 1024])
        for (const n of [10, 128, 1024])
          for (const k of [16, 784, 65536]) {
            const found = candidatesFor(product(m, n, k, kind), device).map((c) => JSON.stringify(c));
            expect(found.length, `${kind} ${m}x${n}x${k}`).toBeGreaterThanOrEqual(3);
            expect(found.length, `${kind} ${m}x${n}x${k}`).toBeLessThanOrEqual(5);
            expect(new Set(found).size).toBe(found.length);
            expect(candidatesFor(product(m, n, k, kind), { ...device, software: true })).toHaveLength(1);
          }
  });

  it('divide a long K where there are few tiles, and time the packed dot against the plain one', () => {
    expect(candidatesFor(product(10, 64, 65536), device)[0].parts).toBe(16);
    expect(candidatesFor(product(1024, 1024, 65536), device).every((c) => c.parts === 1)).toBe(true);
    const dots = candidatesFor(product(128, 128, 128, 'i8'), device).map((c) => c.packedDot);
    expect(new Set(dots)).toEqual(new Set([true, false]));
    const without = candidatesFor(product(128, 128, 128, 'i8'), { ...device, packedDot: false });
    expect(without.some((c) => c.packedDot)).toBe(false);
  });

  it('keep within the least limits of WebGPU: 256 invocations, 16 KiB of workgroup memory', () => {
    for (const c of Object.values(configs)) {
      expect(c.wx * c.wy).toBeLessThanOrEqual(256);
      const bytes = 16 * (c.kernel === 'blocks' ? c.depth * (c.wy * c.qm + c.wx * c.qn) : c.wx * c.wy);
      expect(bytes).toBeLessThanOrEqual(16384);
    }
  });

  it('fall back where they do not fit: a vector kernel to a tiled one, parts to as many as K has', () => {
    expect(fitting(configs.vector16x4, product(2, 8, 8)).kernel).toBe('direct');
    expect(fitting(configs.vector16x4, product(1, 8, 8)).kernel).toBe('vector');
    expect(fitting(configs.blocksInParts, product(2, 8, 17)).parts).toBe(2);
    expect(fitting(configs.blocksInParts, product(2, 8, 17, 'i8')).parts).toBe(1);
  });

  it('serve sizes within a factor of two, and tell cut edges apart', () => {
    expect(classOf(product(100, 784, 256))).toBe(classOf(product(128, 1000, 256)));
    expect(classOf(product(100, 784, 256))).not.toBe(classOf(product(101, 784, 256)));
    expect(classOf(product(100, 784, 256))).not.toBe(classOf(product(100, 784, 256, 'i8')));
  });
});

/** int8 has no parts; all else takes every configuration. */
const ofInt8 = [
  ['direct', false],
  ['direct', true],
  ['direct8x8', true],
  ['small', false],
  ['large', true],
  ['wide', false],
  ['vector4x16', false],
  ['vector4x16', true],
] as const;

/** One of each kind of kernel goes through all there is: the others differ from it in their sizes alone. */
const casesFor = (op: ProductOp, name: ConfigName): Case[] =>
  (name === 'direct' || name === 'small' ? allCases : fewCases)(op, configs[name]);

async function problemsAmong(backend: Backend, op: ProductOp, given: Case[]): Promise<string> {
  const problems: string[] = [];
  for (const c of given) problems.push(...(await problemsOfCase(backend, op, c)));
  return problems.slice(0, 3).join('\n');
}

describe.skipIf(await missing('webgpu'))('every configuration, forced, agrees with the reference', () => {
  it.each(Object.keys(configs) as ConfigName[])('matmul, %s', async (name) => {
    const backend = await createWebgpuBackend({ gpu: (await nodeGPU()) as GPU, force: configs[name] });
    for (const op of ['matmul', 'linear_backward'] as const)
      expect(await problemsAmong(backend, op, casesFor(op, name))).toBe('');
    backend.dispose();
  });

  it.each(ofInt8)('matmul_i8, %s, packed dot %s', async (name, packedDot) => {
    const gpu = (await nodeGPU()) as GPU;
    if (packedDot) expect([...gpu.wgslLanguageFeatures]).toContain('packed_4x8_integer_dot_product');
    const backend = await createWebgpuBackend({ gpu, force: { ...configs[name], packedDot } });
    expect(await problemsAmong(backend, 'matmul_i8', casesFor('matmul_i8', name))).toBe('');
    backend.dispose();
  });
});
