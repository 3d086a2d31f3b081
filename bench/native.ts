import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { DType, TypedArray } from '../src/core/dtype.ts';
import { Messages } from './native/messages.ts';
import { layersOf } from './peers/model.ts';
import type { BenchCase, Problem } from './run/case.ts';
import { type Comparable, type NativeName, nativeNames } from './run/comparable.ts';
import { batch } from './suites/models.ts';

const folder = fileURLToPath(new URL('native/', import.meta.url));
const venv = `${folder}.venv/bin/python`;
const run = promisify(execFile);

interface Reply {
  readonly ready?: true;
  readonly threads?: number;
  readonly version?: string;
  readonly unsupported?: true;
  readonly samples?: number[];
  readonly error?: string;
}

/** A virtual environment with PyTorch and JAX, made where none is. Throws with what pip said. */
export async function makeVenv(): Promise<void> {
  if (existsSync(venv)) return;
  console.error('installing PyTorch and JAX (bench/native/.venv; some minutes and gigabytes) ...');
  await run('python3', ['-m', 'venv', `${folder}.venv`]);
  await run(venv, ['-m', 'pip', 'install', '--quiet', '-r', `${folder}requirements.txt`]);
}

/** A Python that has this package, or why there is none. */
export async function pythonWith(
  name: NativeName,
  pythons: readonly (string | undefined)[] = [process.env.PYTHON, venv, 'python3'],
): Promise<{ python?: string; missing?: string }> {
  for (const python of pythons)
    if (
      python &&
      (await run(python, ['-c', `import ${name}`]).then(
        () => true,
        () => false,
      ))
    )
      return { python };
  return {
    missing: `no Python here has ${nativeNames[name]}: set PYTHON to one that has, or add --venv to install it into bench/native/.venv`,
  };
}

/** Native software, in a Python process of its own that may use as many processors as the engine has threads. */
export class NativePeer implements Comparable {
  readonly name: string;
  readonly backend = 'native';
  readonly threads: number;
  readonly version: string;
  private readonly child: ChildProcess;
  private readonly messages: Messages;

  private constructor(name: string, { threads, version }: Reply, child: ChildProcess, messages: Messages) {
    this.name = name;
    this.threads = threads!;
    this.version = version!;
    this.child = child;
    this.messages = messages;
  }

  /** `engine`: a module of bench/native (without `_engine.py`), or a path to one. Throws where it can't be opened. */
  static async start(
    name: string,
    { python, engine, threads }: { python: string; engine: string; threads: number },
  ): Promise<NativePeer> {
    const child = spawn(python, [`${folder}serve.py`, engine, String(threads)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const messages = new Messages(child.stdin!, child.stdout!);
    child.once('error', (error) => messages.end(error));
    child.once('exit', (code) => messages.end(new Error(`its process ended (${code})`)));
    const { header } = await messages.receive();
    if (header.error) throw new Error(String(header.error));
    return new NativePeer(name, header, child, messages);
  }

  async prepare({ problem }: BenchCase): Promise<readonly TypedArray[] | undefined> {
    const arrays = await arraysOf(problem);
    const { data: _, ...told } = problem as Problem & { data?: unknown };
    const { header, arrays: answer } = await this.ask({ do: 'prepare', problem: told }, arrays);
    return header.unsupported ? undefined : answer;
  }

  async sample(options: { seconds: number; fewest: number }): Promise<number[]> {
    return (await this.ask({ do: 'sample', ...options })).header.samples!;
  }

  stop(): void {
    this.child.kill();
  }

  private async ask(header: object, arrays: readonly Sent[] = []) {
    this.messages.send(header, arrays);
    const reply = await this.messages.receive();
    if (reply.header.error) throw new Error(String(reply.header.error));
    return reply as { header: Reply; arrays: TypedArray[] };
  }
}

type Sent = { readonly dtype: DType; readonly shape: readonly number[]; readonly data: TypedArray };

/** What a problem is computed from: an op's inputs; a model's weights and biases, then its samples, and targets in training. */
async function arraysOf(problem: Problem): Promise<Sent[]> {
  if (problem.kind === 'op')
    return problem.inputs.map(({ dtype, shape }, i) => ({ dtype, shape, data: problem.data[i] }));
  const weights = (await layersOf(problem.widths)).flatMap(({ inputs, outputs, weight, bias }): Sent[] => [
    { dtype: 'f32', shape: [outputs, inputs], data: weight },
    { dtype: 'f32', shape: [outputs], data: bias },
  ]);
  const samples = (size: number): Sent[] => {
    const { x, t } = batch(size);
    return [
      { dtype: 'f32', shape: [size, x.length / size], data: x },
      { dtype: 'i32', shape: [size], data: t },
    ];
  };
  if (problem.kind === 'train') return [...weights, ...samples(4), ...samples(problem.batch)];
  return [...weights, samples(problem.batch)[0]];
}
