/**
 * Builds the library where it is developed, or installed from its repository. npm also runs this where somebody installs the
 * unpacked package from a folder: that is built already, and has neither the sources nor what builds them.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

if (existsSync(new URL('build-dist.ts', import.meta.url))) {
  const { status } = spawnSync('npm', ['run', 'build'], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  process.exitCode = status ?? 1;
}
