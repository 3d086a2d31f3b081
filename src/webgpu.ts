/**
 * The library on WebGPU alone, for pages and programs that have a GPU and carry no WebAssembly. What it gives is what
 * `biphase` gives, but exportWasm() and inspect(), which are about WebAssembly files.
 */
import { optionsOf } from './core/options.ts';
import { type WebgpuEngineOptions, webgpu, webgpuChecks } from './providers/webgpu.ts';
import { choose } from './scheduler/choose/choose.ts';
import { Engine } from './scheduler/engine.ts';

const checkEngine = optionsOf<WebgpuEngineOptions>('createEngine', webgpuChecks);

/**
 * Makes an engine on WebGPU, software adapters included.
 * Throws BiphaseError 'unavailable', with the reason, where there is no WebGPU or no adapter.
 */
export async function createEngine(options?: WebgpuEngineOptions): Promise<Engine> {
  const choice = await choose([webgpu(checkEngine(options))], 'webgpu');
  return new Engine(choice.backend, choice);
}

export type { WebgpuEngineOptions } from './providers/webgpu.ts';
export * from './public.ts';
