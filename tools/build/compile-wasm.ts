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

/** A page that downloads the library gets one build; this is a promise about its size. */
const SIZE_BUDGET = 65536;

export interface Compiled {
  readonly build: Build;
  readonly bytes: Uint8Array;
  readonly memoryFlagsAt: number;
}

export async function compileWasm(build: Build, root: string): Promise<Compiled> {
  // A process of its own: the builds run side by side, and tsx does not transform the compiler's 13 MB (10 s).
  const compiler = fileURLToPath(new URL('../bin/asc.js', import.meta.resolve('assemblyscript/asc')));
  const args = [compiler, '--config', 'asconfig.json', '--target', build];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: root }).catch(
    (error) => {
      throw new Error(`AssemblyScript, target ${build}:\n${error.stderr || error.message}`);
    },
  );
  if (stdout || stderr) console.warn(stdout + stderr);
  return check(build, await readFile(join(root, 'build', 'wasm', `${build}.wasm`)));
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
