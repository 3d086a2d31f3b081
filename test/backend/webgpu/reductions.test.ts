import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problemsOf, problemsOfCase } from '../../../conformance/judge/conform.ts';
import { runCase } from '../../../conformance/judge/run-case.ts';
import type { Case } from '../../../conformance/kit/case.ts';
import { f32 } from '../../../conformance/kit/tensor.ts';
import { createWebgpuBackend, type WebgpuBackend } from '../../../src/backend/webgpu/backend.ts';
import { nodeGPU } from '../../../src/backend/webgpu/node.ts';
import type { OpName } from '../../../src/ops/index.ts';
import { missing } from '../../support/parts.ts';

const ops = [
  ...['sum', 'mean', 'max', 'global_norm', 'softmax', 'softmax_backward', 'log_softmax'],
  ...['log_softmax_backward', 'cross_entropy', 'cross_entropy_backward'],
] as OpName[];

/** Rows that a whole workgroup shares, with NaN and infinities in some of its subgroups alone. */
const one = (n: number, at: number, value: number): Case => ({
  inputs: [f32([3, n], (i, r) => (i === at ? value : r.int(200) / 100 - 3))],
  attrs: { axes: [1], keepDims: false },
});
const odd: Case[] = [Number.NaN, Infinity, -Infinity, 0, -0].flatMap((value) =>
  [0, 63, 300, 700].map((at) => one(301, at, value)),
);

describe.skipIf(await missing('webgpu')).each([
  ['subgroups', true],
  ['workgroup memory', false],
])('reductions through %s', (_, subgroups) => {
  let backend: WebgpuBackend;
  const sources: string[] = [];
  beforeAll(async () => {
    backend = await createWebgpuBackend({ gpu: (await nodeGPU()) as GPU, subgroups });
    const { device } = backend;
    const { createShaderModule } = device;
    device.createShaderModule = (descriptor) => {
      sources.push(descriptor.code);
      return createShaderModule.call(device, descriptor);
    };
  });
  afterAll(() => backend?.dispose());

  it.each(ops)('%s agrees with the reference', async (op) => {
    expect((await problemsOf(backend, op)).join('\n')).toBe('');
  });

  it('are what the device was given to compile', () => {
    expect(backend.device.features.has('subgroups')).toBe(true);
    // Whole numbers are compared by one invocation a row.
    const together = sources.filter((code) => code.includes('@workgroup_size(LANES)'));
    expect(together.length).toBeGreaterThan(5);
    expect(sources.filter((code) => code.includes('subgroupAdd'))).toHaveLength(
      subgroups ? together.length : 0,
    );
  });

  it('find the largest, NaN, infinities and both zeros, wherever they are', async () => {
    const problems: string[] = [];
    for (const c of odd) problems.push(...(await problemsOfCase(backend, 'max', c)));
    for (const c of odd) problems.push(...(await problemsOfCase(backend, 'sum', c)));
    expect(problems.join('\n')).toBe('');
  });

  it('give the same bits at every run', async () => {
    const long: Case = { inputs: [f32([7, 4099])], attrs: { axes: [1], keepDims: false } };
    const runs = [];
    for (let i = 0; i < 5; i++) runs.push((await runCase(backend, 'sum', long)).outputs[0]);
    for (const run of runs) expect(run).toEqual(runs[0]);
  });
});
