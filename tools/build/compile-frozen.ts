/** Compiles what frozen modules are made from, assembly/frozen/, and checks what came out. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tiers } from '../../assembly/records.ts';
import type { Parts } from '../../src/backend/wasm/frozen/parts.ts';
import { assemble, builds } from './compile-wasm.ts';
import { dividedTemplate } from './frozen-parts.ts';
import { inspectWasm } from './inspect-wasm.ts';

/** Which kernels a template has: those between integers only, or every one of a forward pass. */
const frozenTiers = tiers.filter((tier) => tier !== 'engine');

/** Of all kernels of a forward pass together, which the library carries; a frozen file keeps those of its own records. */
const SIZE_BUDGET = 96 * 1024;

export interface Template {
  /** Tier and build: `int8-simd128`. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly parts: Parts;
}

export async function compileFrozen(root: string): Promise<Template[]> {
  await mkdir(join(root, 'build', 'frozen'), { recursive: true });
  return Promise.all(frozenTiers.flatMap((tier) => builds.map((build) => compile(root, tier, build))));
}

async function compile(root: string, tier: string, build: string): Promise<Template> {
  const name = `${tier}-${build}`;
  const out = join(root, 'build', 'frozen', `${name}.wasm`);
  const entry = `assembly/frozen/${tier}.ts`;
  const args = [entry, '--config', 'asconfig.frozen.json', '--target', build, '--outFile', out];
  await assemble(args, `${entry}, target ${build}`, root);
  return { name, ...dividedTemplate(check(name, await readFile(out))) };
}

function check(name: string, bytes: Uint8Array): Uint8Array {
  const { imports, hasData } = inspectWasm(bytes);
  const wrong: string[] = [];
  if (imports.length) wrong.push(`it imports ${imports.join(', ')}; a frozen module imports nothing`);
  if (hasData) wrong.push('it has a data segment; that is where a frozen model goes');
  if (bytes.length > SIZE_BUDGET)
    wrong.push(`it is ${bytes.length} bytes, over the budget of ${SIZE_BUDGET}`);
  if (wrong.length) throw new Error(`build/frozen/${name}.wasm can't be used:\n  ${wrong.join('\n  ')}`);
  console.log(`frozen ${name}  ${bytes.length} bytes (budget ${SIZE_BUDGET})`);
  return bytes;
}

/** Scratch memory that kernels need, asked from the engine's own module, which has the same ones. */
export async function scratchBytesOf(root: string): Promise<number> {
  const bytes = await readFile(join(root, 'build/wasm/simd128.wasm'));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  return (instance.exports.scratchBytes as () => number)();
}
