import { Command, InvalidArgumentError, Option } from 'commander';
import type { BackendName } from '../../src/index.ts';

export interface Options {
  readonly backend: BackendName | 'auto';
  /** Not given: 5, or fewer where training is slow. */
  readonly epochs?: number;
  readonly seed: number;
  /** Seeds for students that learn from the network, beside the same ones alone. */
  readonly students: number;
  /** Not given: one for each processor. */
  readonly threads?: number;
  readonly wide: boolean;
  /** Where report.json goes; in `out` if not given. */
  readonly json?: string;
  /** Folder with the four MNIST files; the npm package's if not given. */
  readonly data?: string;
  readonly out: string;
}

const whole = (least: number, most: number) => (text: string) => {
  // Number('') is 0: an empty variable in a script would pass for a choice.
  const n = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isInteger(n) || n < least || n > most)
    throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
  return n;
};

const EXAMPLES = `
Examples:
  npm start                                  the whole job on the best backend
  npm start -- --backend webgpu --epochs 1   on the GPU, or on one simulated in software
  npm start -- --data ~/mnist --seed 7       your own copy of the files, another seed`;

export function parseOptions(argv: readonly string[]): Options {
  return new Command('npm start --')
    .description(
      'Trains a network on the MNIST digits, freezes it, quantizes it to int8, serves it, and reports what that cost.',
    )
    .addOption(
      new Option('--backend <name>', 'what computes')
        .choices(['auto', 'wasm', 'webgpu', 'reference'])
        .default('auto'),
    )
    .option('--epochs <n>', 'passes over the training images (5; fewer on slow backends)', whole(1, 10_000))
    .option('--seed <n>', 'seed of the weights and of the order of the images', whole(0, 2 ** 31 - 1), 1)
    .option('--students <n>', 'seeds of small networks that learn from this one', whole(1, 100), 1)
    .option('--threads <n>', 'threads of the wasm backend (one for each processor)', whole(1, 256))
    .option('--no-wide', 'leave vectors at 128 bits')
    .option('--json <file>', 'where to write the report as JSON (out/report.json)')
    .option('--data <folder>', 'folder with the four original MNIST files')
    .option('--out <folder>', 'folder for report.json and report.html', 'out')
    .addHelpText('after', EXAMPLES)
    .allowExcessArguments(false)
    .configureOutput({ outputError: (text, write) => write(text) })
    .exitOverride((error) => {
      // Asking for help is no error; anything else the user typed wrong is exit code 2.
      process.exit(error.exitCode === 0 ? 0 : 2);
    })
    .parse([...argv], { from: 'user' })
    .opts<Options>();
}
