import { type CompileProgress, createWebgpuBackend, describeAdapter } from '../backend/webgpu/backend.ts';
import { nodeGPU } from '../backend/webgpu/node.ts';
import type { GpuCache } from '../backend/webgpu/tune.ts';
import { callback, check, flag, object } from '../core/checks.ts';
import { fail } from '../core/errors.ts';
import type { Checks } from '../core/options.ts';
import type { Provider } from '../scheduler/choose/choose.ts';

/** Options of the WebGPU backend. */
export interface WebgpuEngineOptions {
  /** A WebGPU implementation, where there is no `navigator.gpu`. */
  readonly gpu?: GPU;
  /** A WebGPU device of the caller's; it is used and never destroyed. */
  readonly device?: GPUDevice;
  /** Where the WebGPU backend keeps which kernels were fastest on which adapter, so that they are timed only once. */
  readonly gpuCache?: GpuCache;
  /** Whether the WebGPU backend times its kernels at first use; if not given, wherever the GPU is a real one. */
  readonly tune?: boolean;
  /** Told how far the WebGPU backend is in compiling a plan's shaders. */
  readonly onProgress?: (progress: CompileProgress) => void;
}

const having = (...names: string[]) =>
  check(
    `an object with ${names.join(' and ')}`,
    (x) => object(x) && names.every((n) => callback((x as Record<string, unknown>)[n])),
  );

export const webgpuChecks: Checks<WebgpuEngineOptions> = {
  ...{
    gpu: having('requestAdapter'),
    device: having('createBuffer'),
    gpuCache: having('get', 'set'),
    tune: flag,
    onProgress: callback,
  },
};

export const webgpu = ({ gpu, device, gpuCache, tune, onProgress }: WebgpuEngineOptions): Provider => {
  const find = async (): Promise<GPU> => {
    const found = gpu ?? (await nodeGPU());
    return typeof found === 'string' ? fail('unavailable', found) : found;
  };
  return {
    name: 'webgpu',
    create: async () =>
      createWebgpuBackend({
        ...(device ? { device, gpu } : { gpu: await find() }),
        ...{ cache: gpuCache, tune, onProgress },
      }),
    probe: async () =>
      device
        ? { available: true, description: "the caller's device" }
        : { available: true, ...(await describeAdapter(await find())) },
  };
};
