/**
 * Builds dist/, the folder that is published: JavaScript with types, and the raw WebAssembly builds. Modules are joined
 * into one file for each door and what doors share, because a start pays for every file that it reads.
 */
import { spawnSync } from 'node:child_process';
import { cp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const compiler = join(
  dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
  'bin',
  'tsc',
);

/** Files of src that users import, as package.json's `exports` says. */
const doors = ['index', 'kernels/index', 'webgpu', 'node', 'workerd/index', 'workerd/kernels'];

const inputs = (names: readonly string[]) => ({
  input: Object.fromEntries(names.map((name) => [name, join(root, 'src', `${name}.ts`)])),
  platform: 'neutral' as const,
  external: /\.wasm$/,
  treeshake: { moduleSideEffects: false },
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

/** Rooms of src that users import a part of: files of their own, so that bundlers leave all others away whole. */
const rooms = ['core', 'data', 'optim'];
/** Other modules go where the first of these doors needs them. So the kernels, which must start fastest, read three files. */
const shared = { kernels: 'kernels/index', engine: 'webgpu', library: 'index' };

async function bundle(): Promise<void> {
  const groups = [
    ...rooms.map((name) => ({ name, test: (id: string) => id.startsWith(join(root, 'src', name, '/')) })),
    ...Object.entries(shared).map(async ([name, door]) => {
      const modules = await behind(door);
      return { name, test: (id: string) => modules.has(id) };
    }),
  ];
  const all = await rolldown(inputs(doors));
  await all.write({
    ...{ dir: dist, format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'shared/[name].js' },
    codeSplitting: { groups: await Promise.all(groups) },
  });
  await all.close();
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
await bundle();
await cp(join(root, 'build', 'wasm'), join(dist, 'wasm'), {
  recursive: true,
  filter: (path) => !path.endsWith('.wat'),
});
