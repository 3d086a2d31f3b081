import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { nodeGPU } from '../../../src/backend/webgpu/node.ts';
import { missing } from '../../support/parts.ts';

afterEach(() => vi.unstubAllEnvs());

test('BIPHASE_GPU=none is a reason, not an error', async () => {
  vi.stubEnv('BIPHASE_GPU', 'none');
  expect(await nodeGPU()).toMatch(/BIPHASE_GPU=none/);
});

describe.skipIf(await missing('webgpu'))('nodeGPU', () => {
  test('gives the same working GPU every time, with the globals that WebGPU code needs', async () => {
    const gpu = (await nodeGPU()) as GPU;
    expect(await nodeGPU()).toBe(gpu);
    const adapter = await gpu.requestAdapter();
    const device = await adapter?.requestDevice();
    expect(device?.createBuffer({ size: 4, usage: GPUBufferUsage.STORAGE }).size).toBe(4);
    device?.destroy();
  });

  // What Dawn does at the end of a process is its own affair, so hold it to what node.ts says about it.
  test.each(['finished', 'collected', 'busy'])('a process ends well when its GPU is %s', async (how) => {
    const script = fileURLToPath(new URL('exit.fixture.ts', import.meta.url));
    const run = promisify(execFile)(process.execPath, ['--expose-gc', '--import', 'tsx', script, how]);
    expect((await run).stdout).toBe('42\n');
  });
});
