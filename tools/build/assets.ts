/**
 * Makes src/generated/ from assembly/ and shaders/, so that the library is plain ES modules: no bundler
 * plugin, no file to fetch, no path to configure. Quick when nothing changed.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { tiers } from '../../assembly/records.ts';
import { assemblyDispatch, assemblyRecords, encoders } from './generate-records.ts';
import { tileSource } from './generate-tiles.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const makers = [
  'assets.ts',
  'compile-wasm.ts',
  'compile-frozen.ts',
  'frozen-parts.ts',
  'inspect-wasm.ts',
].map((name) => fileURLToPath(new URL(name, import.meta.url)));

/** `draft`: without the templates of frozen files, which take most of the time; for trying kernels. */
export async function buildAssets(root = repository, { draft = false } = {}): Promise<void> {
  const shaders = await filesIn(join(root, 'shaders'), '.wgsl');
  await whenChanged(root, 'src/generated/shaders.ts', shaders, async () => {
    const rows = shaders.map(async (file) => [
      basename(file, '.wgsl'),
      stripWgsl(await readFile(file, 'utf8')),
    ]);
    return table('shaders', 'string', distinct(await Promise.all(rows)));
  });

  const compiler = join(dirname(fileURLToPath(import.meta.resolve('assemblyscript'))), '../package.json');
  const made: [file: string, code: string][] = [
    ['assembly/generated/tiles.ts', tileSource()],
    ['assembly/generated/records.ts', assemblyRecords()],
    ...tiers.map((tier): [string, string] => [`assembly/generated/${tier}.ts`, assemblyDispatch(tier)]),
    ['src/generated/records.ts', encoders()],
  ];
  for (const [file, code] of made) await write(join(root, file), code);
  const sources = [join(root, 'asconfig.json'), ...(await filesIn(join(root, 'assembly'), '.ts'))];
  const builds = (['simd128', 'relaxed'] as const).map((build) =>
    whenChanged(root, `src/generated/wasm-${build}.ts`, [...sources, compiler], async () => {
      const { compileWasm } = await import('./compile-wasm.ts');
      const { bytes, memoryFlagsAt } = await compileWasm(build, root);
      return (
        '/** Raw DEFLATE, as base64: half the download of base64 alone. */\n' +
        `export const deflated: string = ${JSON.stringify(deflated(bytes))};\n` +
        '/** Set the byte here to 3 before compiling, for an instance that imports a shared memory. */\n' +
        `export const memoryFlagsAt: number = ${memoryFlagsAt};\n`
      );
    }),
  );
  await Promise.all(builds);

  if (draft) return;
  const frozen = [...sources, join(root, 'asconfig.frozen.json'), compiler];
  await whenChanged(root, 'src/generated/frozen.ts', frozen, async () => {
    const { compileFrozen, scratchBytesOf } = await import('./compile-frozen.ts');
    const made = await compileFrozen(root);
    const templates = made.map(({ name, bytes }) => [name, deflated(bytes)]);
    const parts = Object.fromEntries(made.map((template) => [template.name, template.parts]));
    return (
      '/** What frozen modules are made from; raw DEFLATE, as base64. */\n' +
      `${table('templates', 'string', templates)}\n` +
      '/** The functions of each that only some records need: by opcode, their places in the code. */\n' +
      `export const parts: Readonly<Record<keyof typeof templates, Readonly<Record<number, readonly number[]>>>> = ${JSON.stringify(parts)};\n\n` +
      `/** Scratch memory that they need. */\nexport const scratchBytes = ${await scratchBytesOf(root)};\n`
    );
  });
}

/** Kernels name shaders without their folders, so no two folders may hold the same name. */
function distinct(rows: string[][]): string[][] {
  const names = rows.map(([name]) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice) throw new Error(`two shaders are named ${twice}.wgsl`);
  return rows;
}

const deflated = (bytes: Uint8Array): string => deflateRawSync(bytes, { level: 9 }).toString('base64');

/** A constant with its names as a type, but not its values: they would be repeated in the .d.ts. */
function table(name: string, type: string, entries: (string | number)[][]): string {
  const keys = entries.map(([key]) => `'${key}'`).join(' | ') || 'never';
  const rows = entries.map(([key, value]) => `  '${key}': ${JSON.stringify(value)},\n`).join('');
  return `export const ${name}: Readonly<Record<${keys}, ${type}>> = {\n${rows}};\n`;
}

/** Writes `target` from `make()`, unless the inputs, and the scripts that read them, are as they were. */
async function whenChanged(
  root: string,
  target: string,
  inputs: string[],
  make: () => Promise<string>,
): Promise<void> {
  const hash = createHash('sha256');
  for (const file of [...inputs, ...makers]) {
    hash.update(`${relative(root, file)}\0`).update(await readFile(file));
  }
  const now = hash.digest('hex');
  const stamp = join(root, 'build', `${basename(target)}.hash`);
  const output = join(root, target);
  const before = await readFile(stamp, 'utf8').catch(() => '');
  if (before === now && existsSync(output)) return;

  await write(output, `// Made by tools/build/assets.ts. Do not edit.\n${await make()}`);
  await write(stamp, now);
}

/** Readers see the old file or the new one, never half of it. */
async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const partial = `${file}.${process.pid}.partial`;
  await writeFile(partial, text);
  await rename(partial, file);
}

async function filesIn(folder: string, ending: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(folder, name));
}

/** WGSL without comments, indents and empty lines: what a GPU needs and a download should carry. */
export function stripWgsl(source: string): string {
  let code = source;
  // Block comments nest in WGSL; the innermost holds no other, so take those away until none is left.
  for (let last = ''; last !== code; ) {
    last = code;
    code = code.replace(/\/\*(?:(?!\/\*|\*\/)[\s\S])*\*\//g, ' ');
  }
  const lines = code.split('\n').map((line) => line.replace(/\/\/.*$/, '').trim());
  return `${lines.filter(Boolean).join('\n')}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await buildAssets(repository, { draft: process.argv.includes('--draft') });
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}
