/**
 * Runs test/runtimes/suite.js in every JavaScript runtime that can be had here, against the packed library. A runtime that
 * is missing is skipped with the reason; with REQUIRE=runtimes that fails, and so does a missing Firefox with REQUIRE=firefox.
 *
 *     npm run test:runtimes             all of them
 *     npm run test:runtimes -- deno     those whose name has "deno" in it
 *     npm run test:runtimes -- --write  also writes what was found to test/runtimes/found.json, for npm run support
 */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPacked } from './pack.ts';
import { browsers, closeBrowsers } from './runtimes/browsers.ts';
import { commands } from './runtimes/commands.ts';
import { type Found, foundOf } from './runtimes/found.ts';
import { problemsOf, type Report } from './runtimes/report.ts';
import { inWorkerd } from './runtimes/workerd.ts';

const programs = fileURLToPath(new URL('../../test/runtimes/', import.meta.url));
const record = join(programs, 'found.json');
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const write = process.argv.includes('--write');
const required = (process.env.REQUIRE ?? '').split(',');
const wanted = (name: string) =>
  words.length === 0 || words.some((word) => name.toLowerCase().includes(word.toLowerCase()));

let [passed, failed, skipped] = [0, 0, 0];
const found: Found[] = [];
const known: readonly Found[] = JSON.parse(readFileSync(record, 'utf8'));
const runtimes = [...commands, inWorkerd, ...browsers];
const library = installPacked();
try {
  for (const file of ['suite.js', 'program.js', 'worker.js', 'web-worker.js'])
    copyFileSync(join(programs, file), join(library.folder, file));
  let first: Report | undefined;
  for (const runtime of runtimes.filter(({ name }) => wanted(name))) {
    const name = runtime.name.padEnd(28);
    const begin = performance.now();
    const report = await runtime.run(library.folder).catch((error: Error) => error);
    if (typeof report === 'string') {
      const must = required.includes(runtime.name.startsWith('Firefox') ? 'firefox' : 'runtimes');
      if (must) failed++;
      else skipped++;
      console.log(`${must ? 'MISSING' : 'skipped'}  ${name}${report}`);
      continue;
    }
    first ??= report instanceof Error ? undefined : report;
    const problems =
      report instanceof Error
        ? [report.message]
        : problemsOf(runtime, report, first!, availableParallelism());
    if (!(report instanceof Error)) {
      const row = foundOf(runtime.name, report);
      const before = known.find((row) => row.name === runtime.name);
      if (before && !write && JSON.stringify(before.engine) !== JSON.stringify(row.engine))
        problems.push(
          `docs/SUPPORT.md is out of date; run npm run test:runtimes -- --write && npm run support`,
        );
      found.push(row);
    }
    if (problems.length) failed++;
    else passed++;
    const seconds = `${((performance.now() - begin) / 1000).toFixed(1)} s`;
    const text = report instanceof Error ? '' : report.description;
    console.log(`${problems.length ? 'FAILED ' : 'ok     '}  ${name}${text} (${seconds})`);
    for (const problem of problems) console.log(`         ${problem}`);
  }
} finally {
  await closeBrowsers();
  library.remove();
}
if (write) {
  const rowOf = (name: string) => [...found, ...known].filter((row) => row.name === name).slice(0, 1);
  writeFileSync(
    record,
    `${JSON.stringify(
      runtimes.flatMap(({ name }) => rowOf(name)),
      undefined,
      2,
    )}\n`,
  );
}
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed ? 1 : 0;
