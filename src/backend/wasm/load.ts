import { fail } from '../../core/errors.ts';
import { wasmBase64 } from '../../generated/wasm.ts';

/** The instruction sets the module is built for, best first. */
export const builds = ['relaxed', 'simd128'] as const;
export type WasmBuild = (typeof builds)[number];

/** What a module exports; see docs/ABI.md. */
export interface WasmExports {
  run(range: number, thread: number, threads: number): void;
  abi(): number;
  scratchBytes(): number;
}

export const PAGE = 65536;
/** 4 GiB, all that 32-bit addresses reach; the modules declare this maximum. */
export const MOST_PAGES = 65536;

const bytesOf = (build: WasmBuild): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(wasmBase64[build]), (c) => c.charCodeAt(0));

/** The best build that this engine accepts, or the one asked for. Throws 'unavailable' without SIMD. */
export function chooseBuild(
  wish?: WasmBuild,
  validate: (bytes: Uint8Array<ArrayBuffer>) => boolean = WebAssembly.validate,
) {
  if (typeof WebAssembly === 'undefined') fail('unavailable', 'this runtime has no WebAssembly');
  for (const build of wish ? [wish] : builds) {
    const bytes = bytesOf(build);
    if (validate(bytes)) return { build, bytes };
  }
  if (wish === 'relaxed')
    fail('unavailable', "this engine has no relaxed SIMD; leave out build, or use build: 'simd128'");
  return fail(
    'unavailable',
    'this engine has no WebAssembly SIMD (128 bit), which is required; use a newer runtime',
  );
}

export interface WasmInstance {
  readonly build: WasmBuild;
  readonly memory: WebAssembly.Memory;
  readonly exports: WasmExports;
}

/** Compiles and instantiates the module on a memory of its own, of `pages` at first. */
export async function instantiate(wish?: WasmBuild, pages = 1): Promise<WasmInstance> {
  const { build, bytes } = chooseBuild(wish);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: MOST_PAGES });
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  return { build, memory, exports: instance.exports as unknown as WasmExports };
}
