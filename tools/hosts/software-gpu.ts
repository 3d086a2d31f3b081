/**
 * Gives this process a WebGPU adapter even on a machine without a GPU or a Vulkan driver.
 *
 * Dawn (the npm package `webgpu`) asks the dynamic linker for `libvulkan.so.1`, the Vulkan loader, and the
 * loader reads environment variables to find drivers. So before Dawn starts we
 *   - load the loader that ships with SwiftShader by its full path. glibc answers later requests by a
 *     library's own name ("soname"), so Dawn gets this one: no LD_LIBRARY_PATH, no second process.
 *   - name SwiftShader to it as one more driver, beside those of the machine. Dawn lists CPU drivers last,
 *     so a real GPU wins wherever there is one.
 */
import { constants } from 'node:os';
import { join } from 'node:path';
import { unpack } from './unpack.ts';

/**
 * SwiftShader unrolls the zeroing of workgroup memory that Dawn asks of the driver: 2 s to compile a shader with
 * 16 KB of it, 5 s with 32 KB. Without this driver feature Dawn writes the zeroing as a loop: 10 ms.
 */
export const fasterCompiles = 'disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension';

/** RTLD_NODELETE of glibc: stay loaded when Node closes a library that turns out to be no add-on. */
const KEEP_LOADED = 0x1000;

/**
 * Call it before the first `nodeGPU()`; it is quick when called again. Returns one line that says what it did.
 *
 * BIPHASE_GPU forces the choice: `system` leaves the machine's drivers alone, `software` hides them,
 * `none` does nothing here and makes `nodeGPU()` say that there is no GPU.
 */
export async function prepareGPU(choice = process.env.BIPHASE_GPU ?? 'auto'): Promise<string> {
  switch (choice) {
    case 'none':
      return 'no GPU, because BIPHASE_GPU=none';
    case 'system':
      return "the machine's own GPU drivers, because BIPHASE_GPU=system";
    case 'auto':
    case 'software':
      break;
    default:
      throw new Error(`BIPHASE_GPU is '${choice}'; expected auto, software, system or none`);
  }
  if (process.platform !== 'linux') return "the machine's own GPU drivers";

  const unpacked = await unpack('swiftshader', ['swiftshader.tar.br']);
  if (typeof unpacked === 'string') return `the machine's own GPU drivers only: ${unpacked}`;

  const driver = join(unpacked.folder, 'vk_swiftshader_icd.json');
  if (choice === 'software') {
    process.env.VK_DRIVER_FILES = process.env.VK_ICD_FILENAMES = driver; // the new name and the old one
  } else {
    process.env.VK_ADD_DRIVER_FILES ??= driver;
  }
  process.env.DAWN_FLAGS ??= fasterCompiles;
  const reason = load(join(unpacked.folder, 'libvulkan.so.1'));
  if (reason) return `the machine's own GPU drivers only: ${reason}`;
  return choice === 'software'
    ? 'SwiftShader, a GPU in software'
    : 'the GPU, or SwiftShader when there is none';
}

/** Loads a plain shared library into this process. Returns why it could not. */
function load(path: string): string | undefined {
  try {
    process.dlopen(
      { exports: {} },
      path,
      constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL | KEEP_LOADED,
    );
  } catch (error) {
    // It is no Node add-on, so Node always complains; by then it is loaded.
    const { message } = error as Error;
    if (!message.includes('did not self-register')) return message;
  }
  return undefined;
}
