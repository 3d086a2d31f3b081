import { fail } from '../../core/errors.ts';
import { memoryFlagsAt, wasmDeflated } from '../../generated/wasm.ts';

/** The instruction sets the module is built for, best first. */
export const builds = ['relaxed', 'simd128'] as const;
export type WasmBuild = (typeof builds)[number];

/** What a module exports; see docs/ABI.md. */
export interface WasmExports {
  run(begin: number, end: number, thread: number, threads: number, control: number, patience: number): number;
  serve(control: number, thread: number): void;
  abi(): number;
  scratchBytes(): number;
  reservedBytes(): number;
}

export const PAGE = 65536;
/** 4 GiB, all that 32-bit addresses reach; the modules declare this maximum. */
export const MOST_PAGES = 65536;

/** What is used of Node's zlib. */
interface Zlib {
  inflateRawSync(bytes: Uint8Array): Uint8Array;
}
interface BuiltinModules {
  getBuiltinModule?(name: string): unknown;
}

/** A module's bytes: they travel deflated, as base64 (raw DEFLATE, RFC 1951). */
export async function inflate(base64: string): Promise<Uint8Array<ArrayBuffer>> {
  const text = atob(base64);
  const deflated = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) deflated[i] = text.charCodeAt(i);
  // Where Node's zlib is, it spares the start-up the loading of streams and fetch: a few milliseconds instead of forty.
  const { process } = globalThis as { process?: BuiltinModules };
  const zlib = process?.getBuiltinModule?.('node:zlib') as Zlib | undefined;
  if (zlib) return new Uint8Array(zlib.inflateRawSync(deflated));
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The best build that this engine accepts, or the one asked for. Throws 'unavailable' without SIMD. */
export async function chooseBuild(
  wish?: WasmBuild,
  validate: (bytes: Uint8Array<ArrayBuffer>) => boolean = WebAssembly.validate,
) {
  if (typeof WebAssembly === 'undefined') fail('unavailable', 'this runtime has no WebAssembly');
  for (const build of wish ? [wish] : builds) {
    const bytes = await inflate(wasmDeflated[build]);
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
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly exports: WasmExports;
}

export interface InstanceOptions {
  readonly build?: WasmBuild;
  /** Size of the memory at first. */
  readonly pages?: number;
  /** A memory that threads can share. */
  readonly shared?: boolean;
}

/** The flags of the imported memory in the module's bytes: it has a maximum, and is shared. */
const SHARED = 3;

/** Compiles and instantiates the module on a memory of its own. */
export async function instantiate({ build: wish, pages = 1, shared = false }: InstanceOptions = {}) {
  const { build, bytes } = await chooseBuild(wish);
  if (shared) bytes[memoryFlagsAt[build]] = SHARED;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: MOST_PAGES, shared });
  const { instance, module } = await WebAssembly.instantiate(bytes, { env: { memory } });
  const exports = instance.exports as unknown as WasmExports;
  return { build, module, memory, exports } satisfies WasmInstance;
}
