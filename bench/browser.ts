/** The same suites on a cross-origin isolated page of a real Chromium, where threads and jax-js's threads are. */
import { fileURLToPath } from 'node:url';
import { guard } from '../src/cli/program.ts';
import { launchChromium } from '../tools/hosts/chromium.ts';
import { servePage } from '../tools/hosts/page-server.ts';
import { about, parse } from './options.ts';
import { installPeers } from './peers.ts';
import { checkReports, write } from './report/write.ts';
import { suites } from './suites/index.ts';
import type { Bench } from './suites/on-page.ts';

guard('bench:browser');
const { wanted, options, engine } = parse('bench:browser', Object.keys(suites));
await checkReports(options);
if (options.peers) await installPeers();
const flags = options.v8 ? [`--js-flags=${options.v8}`] : [];
const browser = await launchChromium(flags);
if (typeof browser === 'string') throw new Error(browser);
const entry = options.peers ? 'peers/browser.page.ts' : 'browser.page.ts';
const served = await servePage(fileURLToPath(new URL(entry, import.meta.url)), { isolated: true });
const here = about('bench:browser', `Chromium ${browser.version()}${options.v8 ? ` ${options.v8}` : ''}`);
console.log(`${here.machine}; ${here.runtime}`);
const page = await browser.newPage();
await page.exposeFunction('print', (line: string) => console.log(line));
await page.goto(served.address);
await page.waitForFunction(() => 'bench' in globalThis);
const { results, limits, wrong } = await page.evaluate(
  ([names, engine, chosen]) => (globalThis as unknown as { bench: Bench }).bench(names, engine, chosen),
  [wanted, { ...engine, wide: undefined }, options] as const,
);
await browser.close();
served.close();
await write({ ...here, limits, results }, options);
process.exitCode = wrong ? 1 : 0;
