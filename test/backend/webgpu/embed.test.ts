import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWebgpuBackend, type WebgpuBackend } from '../../../src/backend/webgpu/backend.ts';
import { nodeGPU } from '../../../src/backend/webgpu/node.ts';
import type { WebgpuProgram } from '../../../src/backend/webgpu/program.ts';
import * as f from '../../../src/functions/index.ts';
import { buildPlan } from '../../../src/graph/build-plan.ts';
import { Tracer } from '../../../src/graph/trace.ts';
import { missing } from '../../support/parts.ts';

/** Joining a caller's own WebGPU program: its device, its buffers, its command encoder. */
describe.skipIf(await missing('webgpu'))("in a caller's WebGPU program", () => {
  let device: GPUDevice;
  let backend: WebgpuBackend;
  let program: WebgpuProgram;
  const errors: string[] = [];

  beforeEach(async () => {
    const adapter = await ((await nodeGPU()) as GPU).requestAdapter();
    device = await adapter!.requestDevice();
    device.addEventListener('uncapturederror', (e) =>
      errors.push((e as GPUUncapturedErrorEvent).error.message),
    );
    backend = await createWebgpuBackend({ device });
    const tracer = new Tracer({ training: false });
    tracer.output('y', f.scale(tracer.input('x', { dtype: 'f32', shape: [2, 3] }), 2));
    program = await backend.compile(buildPlan(tracer.graph, { name: 'double' }));
  });
  afterEach(() => {
    backend.dispose();
    device.destroy();
    expect(errors.splice(0)).toEqual([]);
  });

  const buffer = (size: number, usage: number) => device.createBuffer({ label: "the caller's", size, usage });
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = { STORAGE: 0x80, COPY_SRC: 4, COPY_DST: 8, MAP_READ: 1 };
  async function valuesOf(source: GPUBuffer, from: number, count: number): Promise<number[]> {
    const copy = buffer(4 * count, MAP_READ | COPY_DST);
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(source, from, copy, 0, 4 * count);
    device.queue.submit([encoder.finish()]);
    await copy.mapAsync(MAP_READ);
    return [...new Float32Array(copy.getMappedRange())];
  }

  it('reads from and writes to buffers of the caller, in one encoder of the caller, and submits nothing itself', async () => {
    const { x, y } = program.plan.slots;
    const source = buffer(32, STORAGE | COPY_SRC | COPY_DST);
    const target = buffer(64, STORAGE | COPY_SRC | COPY_DST);
    device.queue.writeBuffer(source, 8, Float32Array.of(1, 2, 3, 4, 5, 6));
    let submits = 0;
    const { submit } = device.queue;
    device.queue.submit = function (this: GPUQueue, commands) {
      submits++;
      return submit.call(this, commands);
    } as typeof submit;
    const encoder = device.createCommandEncoder();
    program.copyFrom(encoder, x, source, 8);
    program.encode(encoder);
    program.copyTo(encoder, y, target, 16);
    expect(submits).toBe(0);
    device.queue.submit([encoder.finish()]);
    expect(await valuesOf(target, 16, 6)).toEqual([2, 4, 6, 8, 10, 12]);
  });

  it('gives its buffer out: tensors are at their offsets', async () => {
    const { x, y } = program.plan.slots;
    device.queue.writeBuffer(program.buffer, x.offset, Float32Array.of(5, 6, 7, 8, 9, 10));
    program.run();
    expect(await valuesOf(program.buffer, y.offset, 6)).toEqual([10, 12, 14, 16, 18, 20]);
    expect(backend.device).toBe(device);
  });

  it('refuses buffers that do not fit, and names tensor and buffer', () => {
    const { x, y } = program.plan.slots;
    const encoder = device.createCommandEncoder();
    const small = buffer(16, COPY_SRC | COPY_DST);
    expect(() => program.copyFrom(encoder, x, small)).toThrow(
      /double: can't copyFrom 'the caller's' for 'x' f32\[2, 3\]: needs bytes 0 to 24, the buffer has 16/,
    );
    expect(() => program.copyTo(encoder, y, buffer(64, COPY_SRC))).toThrow(/its usage lacks COPY_DST/);
    expect(() => program.copyTo(encoder, y, buffer(64, COPY_DST), 2)).toThrow(
      /offset is 2, expected a multiple of 4/,
    );
    program.dispose();
    expect(() => program.encode(encoder)).toThrow(/was disposed/);
    expect(() => program.buffer).toThrow(/was disposed/);
  });
});
