import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const tsx = require.resolve('tsx/cli');
/** The program as a user starts it, from the sources; without a terminal, so without bars. */
const argv = (args: readonly string[]) => [tsx, program, ...args];

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program to its end in a folder. */
export function biphase(folder: string, ...args: string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, argv(args), {
    cwd: folder,
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

/** Runs it in a line of bash, where "$@" is the program and its arguments. */
export function shell(folder: string, line: string, ...args: string[]): Ended {
  const own = [process.execPath, '--import', require.resolve('tsx'), program, ...args];
  const { status, stdout, stderr } = spawnSync('bash', ['-c', line, 'bash', ...own], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

/** Runs it to its end; an error says what it printed unless it ended well. */
export function well(folder: string, ...args: string[]): Ended {
  const ended = biphase(folder, ...args);
  if (ended.code !== 0)
    throw new Error(`biphase ${args.join(' ')} ended with ${ended.code}:\n${ended.stderr}`);
  return ended;
}

/** Starts it, and gives the process and what it prints. Not through tsx's own process, which would swallow signals. */
export function start(folder: string, ...args: string[]) {
  const child = spawn(process.execPath, ['--import', require.resolve('tsx'), program, ...args], {
    cwd: folder,
  });
  const printed = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      printed[stream] += text;
    });
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, ...printed })));
  /** Settles when it has printed this. */
  const says = async (stream: 'stdout' | 'stderr', text: string) => {
    while (!printed[stream].includes(text)) {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}: ${printed.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return printed[stream];
  };
  return { child, ended, says };
}

export function temporary() {
  const folder = mkdtempSync(join(tmpdir(), 'biphase-cli-'));
  return {
    folder,
    files: () => readdirSync(folder).sort(),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
