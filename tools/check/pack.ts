/** What users get: the packed library, installed in an empty folder with no source tree in sight. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a program and gives what it printed; an error says what it printed, too. */
export function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed:\n${error?.message ?? ''}${stdout}${stderr}`);
  return stdout;
}

export interface Installed {
  /** A folder with a package.json, and the library in its node_modules. */
  readonly folder: string;
  readonly tarball: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
  remove(): void;
}

/** Builds, packs and installs the library. */
export function installPacked(): Installed {
  const folder = mkdtempSync(join(tmpdir(), 'biphase-package-'));
  run('npm', ['run', 'build'], root);
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const [{ filename, ...packed }] = JSON.parse(run('npm', args, root));
  const tarball = join(folder, filename);
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  // The optional peer stays out: the library must do without it.
  run('npm', ['install', '--no-audit', '--no-fund', '--silent', '--omit=peer', tarball], folder);
  return { ...packed, folder, tarball, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
