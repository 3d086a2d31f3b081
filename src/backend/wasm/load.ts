import { typeName } from '../../core/arrays.ts';
import { anything, oneOf } from '../../core/checks.ts';
import { fail } from '../../core/errors.ts';
import { nodeModule } from '../../core/node-module.ts';
import { type Checks, nested } from '../../core/options.ts';
import { claimMemory, isShared } from './claim.ts';
import { hasRelaxed } from './relaxed.ts';

/** The instruction sets the module is built for, best first. */
export const builds = ['relaxed', 'simd128'] as const;
/** 'simd128' is standard WebAssembly with 128-bit SIMD; 'relaxed' also uses relaxed SIMD. */
export type WasmBuild = (typeof builds)[number];

/** A page downloads the one build that it uses. */
const files = {
  relaxed: () => import('../../generated/wasm-relaxed.ts'),
  simd128: () => import('../../generated/wasm-simd128.ts'),
};

/** What a module exports; see docs/ABI.md. */
export interface WasmExports {
  run(begin: number, end: number, thread: number, threads: number, control: number, patience: number): number;
  serve(control: number, thread: number): void;
  abi(): number;
  scratchBytes(): number;
  reservedBytes(): number;
}

/** What is used of Node's modules; Deno and Bun have them too. */
interface Zlib {
  inflateRawSync(bytes: Uint8Array): Uint8Array;
}
interface Base64 {
  readonly Buffer: { from(text: string, encoding: 'base64'): Uint8Array };
}
interface Builtins {
  'node:v8': { setFlagsFromString(flags: string): void };
}

export function builtin<K extends keyof Builtins>(name: K): Builtins[K] | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  return process?.getBuiltinModule?.(name) as Builtins[K] | undefined;
}

/** A module's bytes: they travel deflated, as base64 (raw DEFLATE, RFC 1951). */
export async function inflate(base64: string): Promise<Uint8Array<ArrayBuffer>> {
  // Where these are, they spare the start-up the loading of streams and fetch: a millisecond instead of forty.
  const [zlib, node] = await Promise.all([nodeModule<Zlib>('node:zlib'), nodeModule<Base64>('node:buffer')]);
  if (zlib && node) return new Uint8Array(zlib.inflateRawSync(node.Buffer.from(base64, 'base64')));
  const text = atob(base64);
  const deflated = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) deflated[i] = text.charCodeAt(i);
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** A file of the library that is fetched when it is first needed. Throws 'unavailable' where it can't be. */
export async function loaded<T>(file: () => Promise<T>, what: string): Promise<T> {
  try {
    return await file();
  } catch (cause) {
    return fail('unavailable', `${what} could not be loaded: ${(cause as Error).message}`, { cause });
  }
}

function expectWasm(): void {
  if (typeof WebAssembly === 'undefined')
    fail('unavailable', 'this runtime has no WebAssembly, or has it turned off');
}

/** The best build that this engine accepts, or the one asked for. Throws 'unavailable' without SIMD. */
export async function chooseBuild(
  wish?: WasmBuild,
  validate = (bytes: Uint8Array<ArrayBuffer>): boolean => WebAssembly.validate(bytes),
) {
  expectWasm();
  const relaxed = hasRelaxed(validate);
  if (wish === 'relaxed' && !relaxed)
    fail('unavailable', "this engine has no relaxed SIMD; leave out build, or use build: 'simd128'");
  const build = wish ?? (relaxed ? 'relaxed' : 'simd128');
  const { deflated, memoryFlagsAt } = await loaded(files[build], `the WebAssembly build '${build}'`);
  const bytes = await inflate(deflated);
  if (!validate(bytes))
    fail(
      'unavailable',
      'this engine has no WebAssembly SIMD (128 bit), which is required; use a newer runtime',
    );
  return { build, bytes, memoryFlagsAt };
}

/**
 * The library's own modules, compiled by somebody else: for hosts that forbid compiling WebAssembly from bytes and take it
 * only as an imported module. The best one given is used.
 */
export type WasmModules = { readonly [build in WasmBuild]?: WebAssembly.Module };

export const loadChecks: Checks<Pick<InstanceOptions, 'build' | 'modules'>> = {
  build: oneOf(...builds),
  modules: nested<WasmModules>('modules', { simd128: anything, relaxed: anything }),
};

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
  /** A memory that threads can share, where the system gives one; not with `modules`, which import one that is not shared. */
  readonly shared?: boolean;
  /** Compiled already; `build` then chooses among them. */
  readonly modules?: WasmModules;
  /** Compiled anew for wide vectors (wide.ts). */
  readonly wide?: boolean;
}

/** The flags of the imported memory in the module's bytes: it has a maximum, and is shared. */
const SHARED = 3;

/**
 * Compiles the module, where it is not given, and instantiates it on a memory of its own.
 * Throws 'unavailable' where that is forbidden or there is no SIMD, 'out_of_memory' where the system gives no memory.
 */
export async function instantiate(options: InstanceOptions = {}): Promise<WasmInstance> {
  const { build: wish, modules, pages = 1, shared = false, wide = false } = options;
  expectWasm();
  const memory = claimMemory(pages, shared);
  const { build, module } = modules
    ? givenModule(modules, wish)
    : await compile(wish, isShared(memory), wide);
  const { exports } = await instanceOf(module, { env: { memory } });
  return { build, module, memory, exports: exports as unknown as WasmExports };
}

async function compile(wish: WasmBuild | undefined, shared: boolean, wide: boolean) {
  const chosen = await chooseBuild(wish);
  const { build } = chosen;
  const bytes = wide ? marked(chosen.bytes) : chosen.bytes;
  if (shared) bytes[chosen.memoryFlagsAt] = SHARED;
  try {
    return { build, module: isPage() ? await WebAssembly.compile(bytes) : new WebAssembly.Module(bytes) };
  } catch (cause) {
    if (isOutOfMemory(cause))
      fail('out_of_memory', `there is no room to compile WebAssembly: ${cause.message}`, { cause });
    // The bytes are known to be valid, so it is the host that won't.
    const hint =
      "a page's Content-Security-Policy needs 'wasm-unsafe-eval' in script-src; hosts that take WebAssembly only as " +
      'imported modules need the option modules (docs/EMBEDDING.md)';
    return fail(
      'unavailable',
      `WebAssembly may not be compiled here (${(cause as Error).message}): ${hint}`,
      { cause },
    );
  }
}

/**
 * The same module in other bytes: V8 keeps compiled code by a module's bytes, and would hand out what it made of the same ones
 * before. The mark is an empty custom section named 'wide'.
 */
function marked(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes.length + MARK.length);
  copy.set(bytes);
  copy.set(MARK, bytes.length);
  return copy;
}

/** Section 0 of 5 bytes: the length of a name, and the name. */
const MARK = Uint8Array.of(0, 5, 4, ...[...'wide'].map((c) => c.charCodeAt(0)));

async function instanceOf(
  module: WebAssembly.Module,
  imports: WebAssembly.Imports,
): Promise<WebAssembly.Instance> {
  try {
    return isPage()
      ? await WebAssembly.instantiate(module, imports)
      : new WebAssembly.Instance(module, imports);
  } catch (cause) {
    if (!isOutOfMemory(cause)) throw cause;
    return fail('out_of_memory', `there is no room for the WebAssembly module: ${cause.message}`, { cause });
  }
}

/** By its name: the error may be of another realm. */
const isOutOfMemory = (error: unknown): error is Error => (error as Error).name === 'RangeError';

/**
 * The main thread of a page may not be held up, and some browsers refuse to compile there at once. Everywhere else that is
 * the faster way: V8 then compiles each function when it is first called (0.5 ms instead of 3 to 5 for the whole module).
 */
const isPage = (): boolean => typeof document !== 'undefined';

function givenModule(modules: WasmModules, wish?: WasmBuild) {
  for (const build of wish ? [wish] : builds) {
    const module = modules[build];
    if (typeName(module) === 'WebAssembly.Module') return { build, module: module as WebAssembly.Module };
    if (module !== undefined)
      fail('invalid_argument', `modules.${build} is ${typeName(module)}, expected a WebAssembly.Module`);
  }
  return fail(
    'invalid_argument',
    `modules has no ${wish ?? builds.join(' and no ')}; give the module of a build`,
  );
}
