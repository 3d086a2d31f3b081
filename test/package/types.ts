/** tools/check/package.ts compiles this against the packed library's types; it is never run. */
import { createEngine, type Engine, type EngineOptions, nn } from 'biphase';
import { type KernelOptions, loadKernels } from 'biphase/kernels';
import { fileGpuCache, nodeGPU } from 'biphase/node';
import { createEngine as createGpuEngine } from 'biphase/webgpu';

const module = new WebAssembly.Module(new Uint8Array());
const options: EngineOptions = { backend: 'auto', modules: { relaxed: module } };
const engine: Engine = await createEngine(options);
const onGpu: Engine = await createGpuEngine({ gpuCache: fileGpuCache('kernels.json') });
const gpu: string | object = await nodeGPU();
const text: string = engine.describe();
const model = nn.sequential(nn.linear(2, 2), nn.relu());
const kernelOptions: KernelOptions = { modules: { simd128: module } };
const kernels = await loadKernels(kernelOptions);

export { gpu, kernels, model, onGpu, text };
