/** `biphase` for hosts that take WebAssembly only as an imported module (Cloudflare Workers and other uses of workerd). */

import type { EngineOptions } from '../index.ts';
import * as library from '../index.ts';
import { modules } from './modules.ts';

/** createEngine() with the modules that the host compiled; otherwise as elsewhere. */
export async function createEngine(
  options: EngineOptions = {},
): Promise<Awaited<ReturnType<typeof library.createEngine>>> {
  return library.createEngine({ modules, ...options });
}

export * from '../index.ts';
