import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

let built: Promise<unknown> | undefined;

/** The package as it is published, made from the sources as they are now. */
export async function ensureDist(): Promise<void> {
  built ??= promisify(execFile)('npm', ['run', '--silent', 'build:dist'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
  });
  await built;
}
