/** `biphase/kernels` for hosts that take WebAssembly only as an imported module. */
import * as library from '../kernels/index.ts';
import { modules } from './modules.ts';

/** loadKernels() with the modules that the host compiled; otherwise as elsewhere. */
export async function loadKernels(options: library.KernelOptions = {}): Promise<library.Kernels> {
  return library.loadKernels({ modules, ...options });
}

export * from '../kernels/index.ts';
