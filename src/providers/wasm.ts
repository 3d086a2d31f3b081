import { createWasmBackend, MOST_THREADS } from '../backend/wasm/backend.ts';
import { chooseBuild, loadChecks, type WasmBuild, type WasmModules } from '../backend/wasm/load.ts';
import { type TileWish, tileChecks } from '../backend/wasm/tiles.ts';
import { flag, whole } from '../core/checks.ts';
import type { Checks } from '../core/options.ts';
import type { Provider } from '../scheduler/choose/choose.ts';

/** Options of the WebAssembly backend. */
export interface WasmEngineOptions {
  /** Threads of the wasm backend, the caller's included; if not given, one for each processor, up to 8. */
  readonly threads?: number;
  /** Instructions of the wasm backend; the best that the engine has if not given. */
  readonly build?: WasmBuild;
  /** Tiles of the wasm backend's products: timed at start-up if not given. */
  readonly tiles?: TileWish;
  /**
   * Vectors of 256 bits where V8 can join them (Node from 24, x64 with AVX2), checked before they are used; `describe()` says
   * whether they are, or why not. The results are the same bits. The flag that this sets holds for the whole process, and for
   * all WebAssembly in it that is optimized afterwards: not only this library's. Not set if not asked for.
   */
  readonly wide?: boolean;
  /** The library's modules (`biphase/wasm/*`), compiled by the host, where compiling from bytes is forbidden. One thread. */
  readonly modules?: WasmModules;
}

export const wasmChecks: Checks<WasmEngineOptions> = {
  ...loadChecks,
  tiles: tileChecks,
  threads: whole(1, MOST_THREADS),
  wide: flag,
};

export const wasm = ({ build, threads, tiles, modules, wide }: WasmEngineOptions): Provider => ({
  name: 'wasm',
  create: () => createWasmBackend({ build, threads, tiles, modules, wide }),
  probe: async () => ({
    available: true,
    description: `WebAssembly ${modules ? 'in modules that came compiled' : (await chooseBuild(build)).build}`,
  }),
});
