/**
 * Checks what users get: packs the library, installs the tarball in an empty folder, and there, with plain Node
 * and no source tree in sight, runs it and compiles against its types. Prints the size.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const root = fileURLToPath(new URL('..', import.meta.url));
const examples = join(root, 'test', 'package');
const folder = mkdtempSync(join(tmpdir(), 'biphase-package-'));

/** Runs a program and gives what it printed; an error says what it printed, too. */
function run(command: string, args: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`);
  return stdout;
}

interface Packed {
  filename: string;
  size: number;
  unpackedSize: number;
  files: { path: string }[];
}

let failures = 0;
async function check(name: string, body: () => void | Promise<void>): Promise<void> {
  try {
    await body();
    console.log(`ok      ${name}`);
  } catch (error) {
    failures++;
    console.log(`FAILED  ${name}\n${(error as Error).message}`);
  }
}

try {
  run('npm', ['run', 'build'], root);
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [packed]: Packed[] = JSON.parse(run('npm', args, root));
  const kilobytes = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`;
  console.log(
    `${packed.filename}: ${kilobytes(packed.size)}, ${kilobytes(packed.unpackedSize)} unpacked, ` +
      `${packed.files.length} files`,
  );

  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  run('npm', ['install', '--no-audit', '--no-fund', '--silent', join(folder, packed.filename)], folder);
  const installed = join(folder, 'node_modules', 'biphase');

  await check('it holds what a user needs and nothing else', () => {
    const wanted = /^(dist\/.+\.(js|d\.ts|wasm)|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
    const stray = packed.files.map(({ path }) => path).filter((path) => !wanted.test(path));
    if (stray.length) throw new Error(`not expected: ${stray.join(', ')}`);
  });
  await check('publint finds nothing wrong', async () => {
    const { messages } = await publint({ pkgDir: installed, pack: false, strict: true });
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    const complaints = messages.map((message) => formatMessage(message, manifest));
    if (complaints.length) throw new Error(complaints.join('\n'));
  });
  await check('plain Node runs it', () => {
    cpSync(join(examples, 'use.js'), join(folder, 'use.js'));
    process.stdout.write(run(process.execPath, ['use.js'], folder));
  });
  await check('its types are right for a strict project without Node or WebGPU types', () => {
    cpSync(join(examples, 'types.ts'), join(folder, 'types.ts'));
    const compilerOptions = {
      ...{ module: 'esnext', moduleResolution: 'bundler', target: 'es2022', lib: ['esnext', 'dom'] },
      ...{ strict: true, skipLibCheck: false, types: [], noEmit: true },
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['types.ts'] }));
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    run(process.execPath, [compiler], folder);
  });
} catch (error) {
  failures++;
  console.log((error as Error).message);
} finally {
  rmSync(folder, { recursive: true });
}
process.exitCode = failures ? 1 : 0;
