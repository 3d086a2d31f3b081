/** The whole library, and what only programs with files and packages of their own can use: Node, Deno, Bun. */
import type { GpuCache } from './backend/webgpu/tune.ts';
import { readIfThere, writeWhole } from './io/file.ts';

/**
 * Keeps in a JSON file which kernels were fastest on which adapter, for createEngine({ gpuCache }). A file that is not
 * there, or is no such file, is an empty cache. Where the file can't be read or written, compiling a plan on WebGPU fails
 * with BiphaseError 'io_failed'.
 */
export function fileGpuCache(path: string): GpuCache {
  let entries: Promise<Record<string, string>> | undefined;
  /** One write after the other: each writes all there is. */
  let written: Promise<void> = Promise.resolve();
  const load = () => (entries ??= readIfThere(path).then(parse));
  return {
    get: async (key) => (await load())[key],
    set: async (key, value) => {
      const all = await load();
      all[key] = value;
      const bytes = () => new TextEncoder().encode(JSON.stringify(all));
      written = written.catch(() => undefined).then(() => writeWhole(path, bytes(), { keep: false }));
      await written;
    },
  };
}

function parse(bytes: Uint8Array = new Uint8Array()): Record<string, string> {
  try {
    const found: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const entries = Array.isArray(found) ? [] : Object.entries(found ?? {});
    return Object.fromEntries(entries.filter(([, value]) => typeof value === 'string'));
  } catch {
    return {};
  }
}

export { nodeGPU } from './backend/webgpu/node.ts';
export * from './index.ts';
