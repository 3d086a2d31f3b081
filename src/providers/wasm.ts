import { createWasmBackend } from '../backend/wasm/backend.ts';
import type { WasmBuild, WasmModules } from '../backend/wasm/load.ts';
import type { TileWish } from '../backend/wasm/tiles.ts';
import type { Provider } from '../scheduler/choose.ts';
import { probing } from './probing.ts';

/** Options of the WebAssembly backend. */
export interface WasmEngineOptions {
  /** Threads of the wasm backend, the caller's included; if not given, one for each processor, up to 8. */
  readonly threads?: number;
  /** Instructions of the wasm backend; the best that the engine has if not given. */
  readonly build?: WasmBuild;
  /** Tiles of the wasm backend's products: timed at start-up if not given. */
  readonly tiles?: TileWish;
  /** The library's modules (`biphase/wasm/*`), compiled by the host, where compiling from bytes is forbidden. One thread. */
  readonly modules?: WasmModules;
}

export const wasm = ({ build, threads, tiles, modules }: WasmEngineOptions): Provider => {
  const create = () => createWasmBackend({ build, threads, tiles, modules });
  return {
    name: 'wasm',
    create,
    probe: () =>
      probing(async () => {
        const backend = await create();
        backend.dispose();
        return { available: true, description: backend.description };
      }),
  };
};
