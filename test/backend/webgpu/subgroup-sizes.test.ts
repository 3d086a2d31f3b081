import { describe, expect, it } from 'vitest';
import { problemsOfCase } from '../../../conformance/judge/conform.ts';
import type { Case } from '../../../conformance/kit/case.ts';
import { f32, i32 } from '../../../conformance/kit/tensor.ts';
import { createWebgpuBackend } from '../../../src/backend/webgpu/backend.ts';
import { nodeGPU } from '../../../src/backend/webgpu/node.ts';
import type { OpName } from '../../../src/ops/index.ts';
import { missing } from '../../support/parts.ts';

/**
 * Which subgroup invocation l is in, as WGSL: a simulated GPU has subgroups of four neighbours, others have them of 8 to 128,
 * and WGSL promises neither one size nor neighbours.
 */
const groupings: [name: string, group: string][] = [
  ['of 1', 'l'],
  ['of 2', 'l / 2u'],
  ['of 16', 'l / 16u'],
  ['of 32', 'l / 32u'],
  ['of 64', 'l / 64u'],
  ['of 5, the last one smaller', 'l / 5u'],
  ['of 16 that are not neighbours', 'l % 4u'],
  ['of different sizes, mixed', '(l * l / 7u) % 6u'],
];

/** The operations that workgroup_subgroups.wgsl uses, by way of workgroup memory. */
const emulation = (group: string) => `
var<workgroup> emulated_f: array<f32, LANES>;
var<workgroup> emulated_i: array<i32, LANES>;
fn group_of(l: u32) -> u32 { return ${group}; }
fn emulated_size(l: u32) -> u32 {
  var n = 0u;
  for (var i = 0u; i < LANES; i++) { n += select(0u, 1u, group_of(i) == group_of(l)); }
  return n;
}
fn emulated_rank(l: u32) -> u32 {
  var n = 0u;
  for (var i = 0u; i < l; i++) { n += select(0u, 1u, group_of(i) == group_of(l)); }
  return n;
}
fn emulated_add(l: u32, v: f32) -> f32 {
  emulated_f[l] = v;
  workgroupBarrier();
  var s = 0.0;
  for (var i = 0u; i < LANES; i++) { if (group_of(i) == group_of(l)) { s += emulated_f[i]; } }
  workgroupBarrier();
  return s;
}
fn emulated_max(l: u32, v: i32) -> i32 {
  emulated_i[l] = v;
  workgroupBarrier();
  var s = v;
  for (var i = 0u; i < LANES; i++) { if (group_of(i) == group_of(l)) { s = max(s, emulated_i[i]); } }
  workgroupBarrier();
  return s;
}
`;

const emulated = (code: string, group: string): string =>
  code
    .replace('enable subgroups;', '')
    .replaceAll('subgroupExclusiveAdd(1u)', 'emulated_rank(l)')
    .replaceAll('subgroupAdd(1u)', 'emulated_size(l)')
    .replaceAll('subgroupAdd(', 'emulated_add(l, ')
    .replaceAll('subgroupMax(', 'emulated_max(l, ') + emulation(group);

const reduce = (shape: number[], fill?: (i: number) => number): Case => ({
  inputs: [f32(shape, fill)],
  attrs: { axes: [1], keepDims: false },
});
/** Rows shared by 64 invocations, and one that is alone. */
const cases: [OpName, Case][] = [
  ['sum', reduce([3, 301])],
  ['sum', reduce([2, 9])],
  ['sum', reduce([3, 300], (i) => (i === 417 ? Number.NaN : i === 650 ? Infinity : 1))],
  ['max', reduce([3, 301])],
  ['max', reduce([3, 300], (i) => (i === 417 ? Number.NaN : i === 650 ? Infinity : -1 - i))],
  ['max', reduce([2, 300], (i) => (i < 300 ? -Infinity : i % 2 ? -0 : -2))],
  ['softmax', { inputs: [f32([3, 1000])], attrs: {} }],
  ['cross_entropy', { inputs: [f32([3, 300]), i32([3], (i) => 97 * i)], attrs: { labelSmoothing: 0.1 } }],
  ['global_norm', { inputs: [f32([4099])], attrs: {} }],
];

describe.skipIf(await missing('webgpu'))('reductions through subgroups', () => {
  it.each(groupings)('%s', async (_, group) => {
    const backend = await createWebgpuBackend({ gpu: (await nodeGPU()) as GPU });
    const { device } = backend;
    const { createShaderModule } = device;
    let changed = 0;
    device.createShaderModule = (descriptor) => {
      const code = emulated(descriptor.code, group);
      expect(code).not.toMatch(/subgroup[A-Z]/);
      changed++;
      return createShaderModule.call(device, { ...descriptor, code });
    };
    for (const [op, c] of cases) expect(await problemsOfCase(backend, op, c), op).toEqual([]);
    expect(changed).toBe(4);
    backend.dispose();
  });
});
