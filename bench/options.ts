import { Command, Option } from 'commander';
import type { EngineOptions } from '../src/index.ts';
import { machineOf } from './run/machine.ts';

export interface BenchOptions {
  readonly quick: boolean;
  readonly only?: string;
  readonly peers: boolean;
  readonly native: boolean;
  /** Make a Python environment with the native software. */
  readonly venv: boolean;
  readonly json?: string;
  readonly html?: string;
  readonly v8?: string;
}

/** What the command line asks for; ends the process, with a reason, where that is nothing there is. */
export function parse(name: 'bench' | 'bench:browser', names: readonly string[]) {
  const command = new Command(name)
    .description(
      'Times kernels and models; every result is checked against the reference before it is timed.',
    )
    .argument('[suite...]', `which suites: ${names.join(', ')} (all if none is named)`)
    .addOption(
      new Option('--backend <name>', 'where')
        .choices(['auto', 'wasm', 'webgpu', 'reference'])
        .default('auto'),
    )
    .addOption(new Option('--build <name>', 'wasm instructions').choices(['simd128', 'relaxed']))
    .option('--threads <n>', 'threads of the wasm backend', Number)
    .option('--no-wide', 'leave vectors at 128 bits')
    .option('--peers', 'compare with tfjs, onnxruntime-web and jax-js, which this installs', false)
    .option('--quick', 'fewer sizes, less time each', false)
    .option('--only <text>', 'only cases with this in their name, e.g. 512x512')
    .option('--json <file>', 'write the results as JSON')
    .option('--html <file>', 'write a page that draws them');
  if (name === 'bench')
    command
      .option('--native', 'compare with PyTorch and JAX on the CPU, through a Python that has them', false)
      .option('--venv', 'install them into bench/native/.venv first, where that is missing', false);
  else command.option('--v8 <flags>', "flags for Chromium's V8, e.g. --wasm-revectorize");
  command.parse();
  const unknown = command.args.filter((suite) => !names.includes(suite));
  if (unknown.length)
    command.error(`unknown suite ${unknown.join(', ')}; expected some of ${names.join(', ')}`);
  const { backend, build, threads, wide, ...options } = command.opts<BenchOptions & EngineOptions>();
  return {
    wanted: command.args.length ? command.args : names,
    engine: { backend, build, threads, wide } as EngineOptions,
    options: options as BenchOptions,
  };
}

/** When, with what command (the script of this name), and where. */
export const about = (script: 'bench' | 'bench:browser', runtime: string) => ({
  ...machineOf(runtime),
  command: `npm run ${script} -- ${process.argv.slice(2).join(' ')}`.trim(),
});
