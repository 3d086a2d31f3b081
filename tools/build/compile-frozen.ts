/** Compiles what frozen modules are made from, assembly/frozen/, and checks what came out. */
import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { builds } from './compile-wasm.ts';
import { inspectWasm } from './inspect-wasm.ts';

/** Which kernels a template has: those between integers only, or every one of a forward pass. */
export const tiers = ['int8', 'full'] as const;

/** A frozen file is at most 48 KiB larger than its weights; this leaves 4 KiB for tapes and description. */
const SIZE_BUDGET = 44 * 1024;

export interface Template {
  /** Tier and build: `int8-simd128`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export async function compileFrozen(root: string): Promise<Template[]> {
  await mkdir(join(root, 'build', 'frozen'), { recursive: true });
  return Promise.all(tiers.flatMap((tier) => builds.map((build) => compile(root, tier, build))));
}

async function compile(root: string, tier: string, build: string): Promise<Template> {
  const compiler = fileURLToPath(new URL('../bin/asc.js', import.meta.resolve('assemblyscript/asc')));
  const name = `${tier}-${build}`;
  const out = join(root, 'build', 'frozen', `${name}.wasm`);
  const entry = `assembly/frozen/${tier}.ts`;
  const args = [compiler, entry, '--config', 'asconfig.frozen.json', '--target', build, '--outFile', out];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: root }).catch(
    (error) => {
      throw new Error(`AssemblyScript, ${entry}, target ${build}:\n${error.stderr || error.message}`);
    },
  );
  // The optimizer's remark that another round grew the code is of no use to anyone.
  const said = (stdout + stderr).replace('Last converge was suboptimal.\n', '');
  if (said) console.warn(said);
  return { name, bytes: check(name, await readFile(out)) };
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

/** The opcodes that each tier's module knows, from the `case`s of its source. */
export async function opcodesOf(root: string): Promise<[tier: string, opcodes: number[]][]> {
  const source = await readFile(join(root, 'assembly/opcodes.ts'), 'utf8');
  const numbers = new Map(
    [...source.matchAll(/^export const (\w+) = (\d+);/gm)].map((m) => [m[1], Number(m[2])]),
  );
  return Promise.all(
    tiers.map(async (tier) => {
      const text = await readFile(join(root, `assembly/frozen/${tier}.ts`), 'utf8');
      return [tier, [...text.matchAll(/case op\.(\w+):/g)].map((m) => numbers.get(m[1])!)];
    }),
  );
}

/** Scratch memory that kernels need, asked from the engine's own module, which has the same ones. */
export async function scratchBytesOf(root: string): Promise<number> {
  const bytes = await readFile(join(root, 'build/wasm/simd128.wasm'));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  return (instance.exports.scratchBytes as () => number)();
}
