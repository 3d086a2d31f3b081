/** Compiles assembly/ once per instruction set and checks what came out. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inspectWasm } from './inspect-wasm.ts';

/** The targets of asconfig.json: one build per instruction set, the same source. */
export const builds = ['simd128', 'relaxed'] as const;
export type Build = (typeof builds)[number];

/** A page that downloads the library gets one build; this is a promise about its size, half of which a download is. */
const SIZE_BUDGET = 144 * 1024;

export interface Compiled {
  readonly build: Build;
  readonly bytes: Uint8Array;
  readonly memoryFlagsAt: number;
}

export async function compileWasm(build: Build, root: string): Promise<Compiled> {
  const args = ['--config', 'asconfig.json', '--target', build];
  await assemble(args, `target ${build}`, root);
  return check(build, await readFile(join(root, 'build', 'wasm', `${build}.wasm`)));
}

/** Runs the compiler. In a process of its own: builds run side by side, and tsx does not transform the compiler's 13 MB (10 s). */
export async function assemble(args: readonly string[], what: string, root: string): Promise<void> {
  const compiler = fileURLToPath(new URL('../bin/asc.js', import.meta.resolve('assemblyscript/asc')));
  const run = promisify(execFile)(process.execPath, [compiler, ...args], { cwd: root });
  const { stdout, stderr } = await run.catch((error) => {
    throw new Error(`AssemblyScript, ${what}:\n${error.stderr || error.message}`);
  });
  // The optimizer's remark that another round grew the code is of no use to anyone.
  const said = (stdout + stderr).replaceAll('Last converge was suboptimal.\n', '').trim();
  if (said) console.warn(said);
}

function check(build: Build, bytes: Uint8Array): Compiled {
  const { imports, hasData, memoryFlagsAt } = inspectWasm(bytes);
  const wrong: string[] = [];
  if (hasData) {
    wrong.push(
      'it has a data segment, which every thread would write into the memory they share: ' +
        'keep strings, StaticArray literals and static arrays out of assembly/',
    );
  }
  if (imports.join() !== 'env.memory') {
    wrong.push(`it imports ${imports.join(', ') || 'nothing'}; expected env.memory and nothing else`);
  }
  if (bytes.length > SIZE_BUDGET) {
    wrong.push(`it is ${bytes.length} bytes, over the budget of ${SIZE_BUDGET}`);
  }
  if (wrong.length) throw new Error(`build/wasm/${build}.wasm can't be used:\n  ${wrong.join('\n  ')}`);
  console.log(`${build}.wasm  ${bytes.length} bytes (budget ${SIZE_BUDGET})`);
  return { build, bytes, memoryFlagsAt };
}
