/**
 * Runs one frozen model on the 10,000 MNIST test images in every host of examples/hosts, and in Chromium: every byte of
 * the results must be the engine's. A host whose tools are missing is skipped with the reason; with REQUIRE=hosts that fails.
 *
 *     npm run test:hosts            all of them
 *     npm run test:hosts -- rust    those whose name has "rust" in it
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInChromium } from './hosts/chromium.ts';
import { hosts, rawKernels, runProgram } from './hosts/commands.ts';
import { makeDigits } from './hosts/digits.ts';
import { runInWorkerd } from './hosts/workerd.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'out', 'hosts');
const wanted = (name: string) => {
  const words = process.argv.slice(2);
  return words.length === 0 || words.some((word) => name.toLowerCase().includes(word.toLowerCase()));
};

const required = (process.env.REQUIRE ?? '').split(',').includes('hosts');
let [passed, failed, skipped] = [0, 0, 0];

const digits = await makeDigits(folder);
const rate = (perSecond: number) => `${Math.round(perSecond).toLocaleString('en')} images/s`.padStart(18);
console.log(
  `digits.wasm: ${digits.overhead.toLocaleString('en')} bytes beyond its weights, ${(100 * digits.accuracy).toFixed(2)} % right`,
);
console.log(
  `biphase itself: simd128, 1 thread, batches of 64, Node ${process.versions.node}, timed before and after each host, the faster counts\n`,
);

/** The speed of a shared machine changes within seconds, so the engine is timed beside every host. */
function report(name: string, perSecond: number, ofEngine: number, results: Uint8Array): void {
  const same = Buffer.compare(results, digits.expected) === 0;
  if (same) passed++;
  else failed++;
  const share = `${(perSecond / ofEngine).toFixed(2)} of biphase's ${rate(ofEngine).trim()}`;
  console.log(`${name.padEnd(34)}${rate(perSecond)}   ${same ? 'same bytes' : 'DIFFERENT BYTES'}, ${share}`);
}

function absent(name: string, reason: string): void {
  if (required) failed++;
  else skipped++;
  console.log(`${name.padEnd(34)}${required ? 'MISSING' : 'skipped'}: ${reason}`);
}

for (const { name, relaxed, passes, prepare } of hosts) {
  if (!wanted(name)) continue;
  const command = prepare();
  if (typeof command === 'string') {
    absent(name, command);
    continue;
  }
  for (const [label, model] of [
    [name, digits.model],
    ...(relaxed ? [[`${name}, relaxed SIMD`, digits.relaxedModel]] : []),
  ]) {
    const results = join(folder, 'results');
    rmSync(results, { force: true });
    try {
      const before = await digits.engineRate();
      const printed = runProgram([...command, model, digits.images, results, String(passes)]);
      report(
        label,
        Number(printed.trim()),
        Math.max(before, await digits.engineRate()),
        readFileSync(results),
      );
    } catch (error) {
      failed++;
      console.log(`${label.padEnd(34)}FAILED: ${(error as Error).message}`);
    }
  }
}
/** Hosts that are servers or browsers. */
const others: [name: string, run: (model: string) => ReturnType<typeof runInWorkerd>][] = [
  ['workerd', (model) => runInWorkerd(model, digits.images)],
  ['Chromium, page', (model) => runInChromium(model, digits.images, 'page')],
  ['Chromium, worker', (model) => runInChromium(model, digits.images, 'worker')],
];
for (const [name, run] of others.filter(([name]) => wanted(name)))
  for (const [label, model] of [
    [name, digits.model],
    [`${name}, relaxed SIMD`, digits.relaxedModel],
  ]) {
    const before = await digits.engineRate();
    const found = await run(model).catch((error: Error) => error);
    if (typeof found === 'string') absent(label, found);
    else if (found instanceof Error) {
      failed++;
      console.log(`${label.padEnd(34)}FAILED: ${found.message}`);
    } else report(label, found.rate, Math.max(before, await digits.engineRate()), found.results);
  }

/** The raw kernels, which are no model: the program compares them with arithmetic of its own. */
const RAW = 'Python, raw kernels';
if (wanted(RAW)) {
  const command = rawKernels();
  if (typeof command === 'string') absent(RAW, command);
  else
    for (const build of ['simd128', 'relaxed'])
      try {
        const said = runProgram([...command, join(root, 'build', 'wasm', `${build}.wasm`)]).trim();
        if (said !== 'right') throw new Error(said);
        passed++;
        console.log(`${`${RAW}, ${build}`.padEnd(34)}${said}`);
      } catch (error) {
        failed++;
        console.log(`${RAW.padEnd(34)}FAILED: ${(error as Error).message}`);
      }
}

console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed ? 1 : 0;
