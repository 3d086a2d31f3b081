import type { Backend } from '../../src/backend/backend.ts';
import { ReferenceBackend } from '../../src/backend/reference/backend.ts';
import { createWasmBackend } from '../../src/backend/wasm/backend.ts';
import { createWebgpuBackend } from '../../src/backend/webgpu/backend.ts';
import { nodeGPU } from '../../src/backend/webgpu/node.ts';
import { missing, type Part } from './parts.ts';

interface TestBackend {
  readonly name: string;
  readonly needs?: Part;
  readonly create: () => Promise<Backend>;
}

/** Every backend and build that conformance tests run on. */
const all: readonly TestBackend[] = [
  { name: 'wasm simd128', create: () => createWasmBackend({ build: 'simd128' }) },
  { name: 'wasm relaxed', needs: 'relaxed', create: () => createWasmBackend({ build: 'relaxed' }) },
  { name: 'webgpu', needs: 'webgpu', create: async () => createWebgpuBackend({ gpu: await gpu() }) },
];

async function gpu(): Promise<GPU> {
  const found = await nodeGPU();
  if (typeof found === 'string') throw new Error(found);
  return found;
}

/** The backends that are here, with what is missing noted (or failing, where REQUIRE names it). */
export const backends = await Promise.all(
  (process.env.WASM ? all.filter((b) => b.name.startsWith('wasm')) : all).map(
    async ({ name, needs, create }) => ({
      name,
      create,
      absent: needs ? await missing(needs) : false,
    }),
  ),
);

export const reference = (): Backend => new ReferenceBackend();
