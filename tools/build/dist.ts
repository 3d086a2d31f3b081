/**
 * Builds dist/, the folder that is published: JavaScript with types, and the raw WebAssembly builds. Modules are joined
 * into one file for each door and what doors share, because a start pays for every file that it reads.
 */

import { spawnSync } from 'node:child_process';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { builtinModules, createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { rolldown } from 'rolldown';
import { esmExternalRequirePlugin } from 'rolldown/plugins';
import { finishTypes } from './types.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');
const compiler = join(
  dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
  'bin',
  'tsc',
);

const builtins = builtinModules.flatMap((name) => [name, `node:${name}`]);

/** Files of src that users import, as package.json's `exports` says. */
const doors = ['index', 'kernels/index', 'webgpu', 'node', 'workerd/index', 'workerd/kernels'];

const inputs = (names: readonly string[]) => ({
  input: Object.fromEntries(names.map((name) => [name, join(root, 'src', `${name}.ts`)])),
  // The library is for every runtime. What the program's packages require of Node becomes imports beside them, not a
  // `require` in a file that both share.
  platform: 'neutral' as const,
  resolve: { mainFields: ['module', 'main'], conditionNames: ['node', 'import'] },
  plugins: [esmExternalRequirePlugin({ external: builtins })],
  external: /\.wasm$/,
  treeshake: { moduleSideEffects: (id: string) => id.includes('node_modules') },
});

/** The program that `npx biphase` starts; packages that it needs travel with it, so that the library depends on none. */
const program = 'cli/main';

/** All modules behind a door. */
async function behind(door: string): Promise<Set<string>> {
  const bundle = await rolldown(inputs([door]));
  const { output } = await bundle.generate();
  await bundle.close();
  return new Set(output.flatMap((chunk) => ('moduleIds' in chunk ? chunk.moduleIds : [])));
}

/** What is fetched when it is first needed: one build of the kernels, the templates of frozen files. Files of their own. */
const later = /\/generated\/(wasm-\w+|frozen)\.ts$/;
/** Rooms of src that users import a part of: files of their own, so that bundlers leave all others away whole. */
const rooms = ['core', 'data', 'optim'];
/** Other modules go where the first of these doors needs them. So the kernels, which must start fastest, read three files. */
const shared = { kernels: 'kernels/index', engine: 'webgpu', library: 'index' };

async function bundle(): Promise<void> {
  const groups = [
    ...rooms.map((name) => ({ name, test: (id: string) => id.startsWith(join(root, 'src', name, '/')) })),
    ...Object.entries(shared).map(async ([name, door]) => {
      const modules = await behind(door);
      return { name, test: (id: string) => modules.has(id) && !later.test(id) };
    }),
  ];
  const all = await rolldown(inputs([...doors, program]));
  const library = new Set((await Promise.all(doors.map(behind))).flatMap((modules) => [...modules]));
  const { output } = await all.write({
    ...{ dir: dist, format: 'esm', entryFileNames: '[name].js' },
    // What only the program needs stays beside it.
    chunkFileNames: ({ moduleIds }) =>
      `${moduleIds.some((id) => library.has(id)) ? 'shared' : 'cli'}/[name].js`,
    codeSplitting: { groups: await Promise.all(groups) },
  });
  await all.close();
  const chunks = output.flatMap((file) => ('moduleIds' in file ? [file] : []));
  const ofProgram = (fileName: string) => fileName.startsWith('cli/');
  for (const { fileName } of chunks) await slim(join(dist, fileName));
  const modules = chunks.flatMap(({ fileName, moduleIds }) => (ofProgram(fileName) ? moduleIds : []));
  await writeFile(join(dist, 'cli', 'THIRD_PARTY_LICENSES.txt'), await licenses(modules));
}

/** Without comments, which the types have, and as small as it gets: the package is downloaded more often than its stacks are read. */
async function slim(path: string): Promise<void> {
  const { code } = await transform(await readFile(path, 'utf8'), {
    ...{ minify: true, format: 'esm', target: 'es2022', legalComments: 'none' },
  });
  await writeFile(path, code);
}

/** The licences of the packages that these modules come from, as they ask to be passed on. */
async function licenses(modules: readonly string[]): Promise<string> {
  const names = modules.flatMap((id) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1] ?? []);
  const texts = [...new Set(names)].sort().map(async (name) => {
    const folder = join(root, 'node_modules', name);
    const file = (await readdir(folder)).find((f) => /^licen[cs]e/i.test(f));
    const { license, version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    const text = file ? await readFile(join(folder, file), 'utf8') : `License: ${license}\n`;
    return `${name} ${version}\n\n${text.trim()}\n`;
  });
  const rule = `\n${'-'.repeat(80)}\n\n`;
  return `Packages that are part of the program in this folder.\n${rule}${(await Promise.all(texts)).join(rule)}`;
}

await rm(dist, { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (status !== 0) {
  console.error('dist/ was not built: src/ has type errors (above).');
  process.exit(1);
}
finishTypes(
  root,
  doors.filter((door) => !door.startsWith('workerd/')),
);
await bundle();
await cp(join(root, 'build', 'wasm'), join(dist, 'wasm'), {
  recursive: true,
  filter: (path) => !path.endsWith('.wat'),
});
