import { Command, Option } from 'commander';
import { writeWhole } from '../../io/file.ts';
import { BiphaseError } from '../../node.ts';
import { openEngine } from '../engine.ts';
import { checkFiles } from '../files.ts';
import { backendOption, type Common, threadsOption, wideOption } from '../options.ts';
import { print } from '../print.ts';

interface Options extends Omit<Common, 'json'> {
  readonly build?: 'simd128' | 'relaxed';
  readonly quick: boolean;
  readonly only?: string;
  readonly json?: string;
}

const EXAMPLES = `
Examples:
  biphase bench
  biphase bench matmul matmul_i8 --threads 1 --quick
  biphase bench train infer --json times.json

Every result is compared with the reference before it is timed. Comparisons with other engines, pages of charts, start-up and
size are in the repository's npm run bench.`;

export const bench = () =>
  new Command('bench')
    .description('Times kernels and models here, beside the limits of this machine.')
    .argument('[suite...]', 'which suites (all if none is named)')
    .addOption(backendOption())
    .addOption(new Option('--build <name>', 'wasm instructions').choices(['simd128', 'relaxed']))
    .addOption(threadsOption())
    .addOption(wideOption())
    .option('--quick', 'fewer sizes, less time each', false)
    .option('--only <text>', 'only cases with this in their name, e.g. 512x512')
    .option('--json <file>', 'write the results as JSON')
    .addHelpText('after', EXAMPLES)
    .action(act);

async function act(named: string[], { json, quick, only, ...options }: Options): Promise<void> {
  await checkFiles({}, { '--json': json });
  // Only this command pays for loading the benchmark.
  const { about, casesOf, run, suites } = await import('../../../bench/published.ts');
  const unknown = named.filter((name) => !Object.hasOwn(suites, name));
  if (unknown.length)
    throw new BiphaseError(
      'invalid_argument',
      `unknown suite ${unknown.join(', ')}; expected some of ${Object.keys(suites).join(', ')}`,
    );
  const engine = await openEngine(options);
  try {
    const here = about();
    print(`${here.machine}; ${here.runtime}; ${engine.backend.description}\n`);
    const cases = casesOf(named.length ? named : Object.keys(suites), { quick, only });
    const { results, limits, wrong } = await run(engine, [], cases, { quick, print });
    if (json)
      await writeWhole(json, new TextEncoder().encode(JSON.stringify({ ...here, limits, results }, null, 2)));
    if (wrong) throw new BiphaseError('internal', `${wrong} results were wrong`);
  } finally {
    engine.dispose();
  }
}
