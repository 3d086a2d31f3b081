/**
 * Runs the benchmark on another machine, one with a GPU say, that has neither this repository nor Node:
 *
 *     tsx bench/remote.ts HOST [--json FILE] [-- suites and options of npx biphase bench]
 *
 * One folder with this Node, the built package (npm run build) and Dawn goes there over ssh (HOST as ssh knows it; `local` for
 * a folder on this machine, which is how it is tested), the suites run there, and the results come back. Both machines must be
 * of one kind, Linux on x64 say.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';

const root = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = 'biphase-benchmark';

const command = new Command('remote')
  .argument('<host>', 'as ssh knows it, or local')
  .argument('[bench...]', 'what npx biphase bench takes, after --')
  .option('--json <file>', 'where the results go', 'out/remote.json')
  .parse();
const [host, ...given] = command.args;
const { json } = command.opts<{ json: string }>();
const wanted = given.length ? given : ['matmul', 'matmul_i8', 'train', 'infer', '--backend', 'webgpu'];

const here = mkdtempSync(join(tmpdir(), 'biphase-remote-'));
try {
  pack(here);
  const there = host === 'local' ? join(here, 'there') : FOLDER;
  over(`mkdir -p ${there} && tar -C ${there} -xz`, archive(here));
  // The machine's own drivers: a GPU in software is not what one goes elsewhere for.
  const gpu = process.env.BIPHASE_GPU ?? 'system';
  over(
    `cd ${there} && BIPHASE_GPU=${gpu} ./node dist/cli/main.js bench ${wanted.map(quoted).join(' ')} --json results.json`,
  );
  mkdirSync(join(json, '..'), { recursive: true });
  writeFileSync(json, over(`cat ${there}/results.json`, undefined, 'pipe'));
  console.log(`wrote ${json}`);
} finally {
  rmSync(here, { recursive: true });
}

/** What the other machine needs, in a folder. */
function pack(folder: string): void {
  const take = (path: string) => cpSync(join(root, path), join(folder, path), { recursive: true });
  for (const path of ['package.json', 'dist', join('node_modules', 'webgpu')]) take(path);
  cpSync(process.execPath, join(folder, 'node'));
}

function archive(folder: string): Buffer {
  const { stdout, status } = spawnSync(
    'tar',
    ['-C', folder, '-cz', 'package.json', 'dist', 'node', 'node_modules'],
    {
      maxBuffer: 2 ** 30,
    },
  );
  if (status !== 0) throw new Error('tar could not pack the benchmark');
  return stdout;
}

/** Runs a line in the other machine's shell; its output goes to ours, or comes back. */
function over(line: string, input?: Buffer, output: 'inherit' | 'pipe' = 'inherit'): Buffer {
  const [program, ...args] =
    host === 'local' ? ['sh', '-c', line] : ['ssh', '-o', 'BatchMode=yes', host, line];
  const { status, stdout, error } = spawnSync(program, args, {
    ...{ input, maxBuffer: 2 ** 30 },
    stdio: [input ? 'pipe' : 'ignore', output, 'inherit'],
  });
  if (status !== 0) throw new Error(`${host}: '${line}' ended with ${status ?? error?.message}`);
  return stdout;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
