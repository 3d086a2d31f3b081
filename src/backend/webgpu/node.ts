/** Where a `GPU` comes from: the platform (browsers, Deno), or in Node the optional npm package `webgpu` (Dawn). */

interface Dawn {
  create(flags: string[]): GPU;
  globals: Record<string, unknown>;
}

/**
 * One Dawn instance per set of flags, kept for the life of the process, because
 *   - nothing else keeps it alive: when the collector takes it while a device is in use, the process aborts
 *     (seen in 0.6.2, even with the adapter and the device still referenced);
 *   - keeping it costs nothing: Node exits by itself, at once, when no promise of Dawn's is pending, whether or
 *     not the device was destroyed, and `process.exit()` works in the middle of GPU work. What does hold the
 *     process is work that is still queued: `await queue.onSubmittedWorkDone()`, or destroy the device.
 */
const instances = new Map<string, GPU>();

/**
 * A way to WebGPU, or, in words, why there is none. Never throws. `flags` are Dawn's, e.g. `backend=null`; without
 * them the words of the environment variable DAWN_FLAGS count.
 */
export async function nodeGPU(flags?: string[]): Promise<GPU | string> {
  const builtIn = globalThis.navigator?.gpu;
  if (builtIn) return builtIn;
  if (typeof process === 'undefined' || !process.versions?.node) {
    return 'this runtime has no navigator.gpu: WebGPU is off, or not built in';
  }
  if (environment('BIPHASE_GPU') === 'none') return 'the environment says BIPHASE_GPU=none';

  const options = flags ?? environment('DAWN_FLAGS')?.split(' ').filter(Boolean) ?? [];
  const key = options.join(' ');
  const known = instances.get(key);
  if (known) return known;

  const vulkan = missingVulkan();
  if (vulkan) return vulkan;
  try {
    // Put together at run time, so that bundlers and browser builds neither follow nor report it.
    const name = ['web', 'gpu'].join('');
    const { create, globals }: Dawn = await import(/* @vite-ignore */ /* webpackIgnore: true */ name);
    // GPUBufferUsage and its like. What the runtime has already is left alone.
    for (const [name, value] of Object.entries(globals)) if (!(name in globalThis)) define(name, value);
    const gpu = instances.get(key) ?? create(options);
    instances.set(key, gpu);
    return gpu;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_MODULE_NOT_FOUND') return 'Node has no WebGPU of its own: npm install webgpu';
    return `the npm package webgpu does not start here: ${message}`;
  }
}

/** A variable of the environment; Deno throws where the program has no right to it. */
function environment(name: string): string | undefined {
  try {
    return process.env[name];
  } catch {
    return undefined;
  }
}

function define(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}

/** Dawn on Linux needs the Vulkan loader and prints a warning without it. So look first: a reason, or nothing. */
function missingVulkan(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    process.dlopen({ exports: {} }, 'libvulkan.so.1');
  } catch (error) {
    // Any plain library is refused for not being an add-on, after it was found and loaded.
    if ((error as Error).message.includes('cannot open shared object file')) {
      return 'no Vulkan here (libvulkan.so.1): install the GPU driver and, on Debian or Ubuntu, the package libvulkan1';
    }
  }
  return undefined;
}
