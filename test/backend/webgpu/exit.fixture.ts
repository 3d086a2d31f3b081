/** Multiplies 21 by 2 on the GPU, prints it, and ends without cleaning up. */
import { setTimeout } from 'node:timers/promises';
import { nodeGPU } from '../../../src/backend/webgpu/node.ts';
import { prepareGPU } from '../../../tools/hosts/software-gpu.ts';

const code = `
  @group(0) @binding(0) var<storage, read_write> x: array<f32>;
  @compute @workgroup_size(1) fn main() { x[0] *= 2; }
`;

await prepareGPU();
const adapter = await ((await nodeGPU()) as GPU).requestAdapter();
const device = await adapter?.requestDevice();
if (!device) throw new Error('no device');

const module = device.createShaderModule({ code });
const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
const { COPY_DST, COPY_SRC, MAP_READ, STORAGE } = GPUBufferUsage;
const buffer = device.createBuffer({ size: 4, usage: STORAGE | COPY_SRC | COPY_DST });
const copy = device.createBuffer({ size: 4, usage: MAP_READ | COPY_DST });
device.queue.writeBuffer(buffer, 0, Float32Array.of(21));

const encoder = device.createCommandEncoder();
const pass = encoder.beginComputePass();
const layout = pipeline.getBindGroupLayout(0);
pass.setPipeline(pipeline);
pass.setBindGroup(0, device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] }));
pass.dispatchWorkgroups(1);
pass.end();
encoder.copyBufferToBuffer(buffer, 0, copy, 0, 4);
device.queue.submit([encoder.finish()]);
await copy.mapAsync(GPUMapMode.READ);
console.log(new Float32Array(copy.getMappedRange())[0]);

switch (process.argv[2]) {
  case 'collected': // nothing here names the Dawn instance; nodeGPU() must
    for (let i = 0; i < 5; i++) {
      globalThis.gc?.();
      await setTimeout(5);
    }
    device.queue.submit([device.createCommandEncoder().finish()]);
    await device.queue.onSubmittedWorkDone();
    break;
  case 'busy':
    copy.unmap();
    void copy.mapAsync(GPUMapMode.READ);
    process.exit(0);
}
