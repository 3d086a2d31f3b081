/** Builds dist/, the folder that is published: src/ as JavaScript with types, and the raw WebAssembly builds. */
import { spawnSync } from 'node:child_process';
import { cp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const compiler = join(
  dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
  'bin',
  'tsc',
);

await rm(dist, { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (status !== 0) {
  console.error('dist/ was not built: src/ has type errors (above).');
  process.exit(1);
}
await cp(join(root, 'build', 'wasm'), join(dist, 'wasm'), {
  recursive: true,
  filter: (path) => !path.endsWith('.wat'),
});
