/**
 * Bundles the packed library with Vite, webpack, esbuild and Rollup, default settings, in an empty folder, and opens what
 * comes out in Chromium: the page must train, quantize, serve and give the bits that Node gives.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { launchChromium } from '../hosts/chromium.ts';
import { installPacked, run } from './pack.ts';
import { commands } from './runtimes/commands.ts';
import { problemsOf, type Report } from './runtimes/report.ts';

const test = fileURLToPath(new URL('../../test/', import.meta.url));
const tools = join(test, 'bundlers');
const program = (path: string) => join(tools, 'node_modules', path);
const rollup = ['--config', join(tools, 'rollup.config.js'), '--format', 'es'];

const node = process.execPath;
/** Each reads src/index.js, or index.html, and writes a page or a page's script into a folder of its name. */
const bundlers = [
  {
    ...{ name: 'vite', page: 'index.html' },
    command: [node, program('vite/bin/vite.js'), 'build', '--outDir', 'vite'],
  },
  {
    ...{ name: 'webpack', page: 'main.js' },
    command: [node, program('webpack-cli/bin/cli.js'), '--mode', 'production', '--output-path', 'webpack'],
  },
  {
    ...{ name: 'esbuild', page: 'main.js' },
    command: [program('esbuild/bin/esbuild'), 'src/index.js', '--bundle', '--outfile=esbuild/main.js'],
  },
  {
    ...{ name: 'rollup', page: 'main.js' },
    command: [
      node,
      program('rollup/dist/bin/rollup'),
      'src/index.js',
      '--dir',
      'rollup',
      '--entryFileNames',
      'main.js',
      ...rollup,
    ],
  },
];

if (!existsSync(program('vite'))) run('npm', ['ci', '--no-audit', '--no-fund', '--silent'], tools);
const library = installPacked();
const { folder } = library;
mkdirSync(join(folder, 'src'));
copyFileSync(join(tools, 'page.js'), join(folder, 'src', 'index.js'));
for (const file of ['suite.js', 'program.js']) {
  copyFileSync(join(test, 'runtimes', file), join(folder, 'src', file));
  copyFileSync(join(test, 'runtimes', file), join(folder, file));
}
writeFileSync(join(folder, 'index.html'), '<script type="module" src="/src/index.js"></script>');

/** Serves one bundler's folder, isolated, so that threads are there. */
async function serve(root: string) {
  const server = createServer(({ url = '/' }, response) => {
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    const file = join(root, new URL(url, 'http://page').pathname);
    if (url === '/script.html')
      response.setHeader('Content-Type', 'text/html').end('<script src="/main.js"></script>');
    else if (!existsSync(file) || !statSync(file).isFile()) response.writeHead(404).end();
    else
      response
        .setHeader('Content-Type', file.endsWith('.html') ? 'text/html' : 'text/javascript')
        .end(readFileSync(file));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => server.close() };
}

async function open(browser: Browser, name: string, page: string): Promise<Report> {
  const server = await serve(join(folder, name));
  const tab = await browser.newPage();
  try {
    await tab.goto(server.url + (page.endsWith('.html') ? page : 'script.html'));
    await tab.waitForFunction(() => 'report' in globalThis, undefined, { timeout: 30_000 });
    const found = (await tab.evaluate('globalThis.report')) as { report?: Report; error?: string };
    if (!found.report) throw new Error(found.error);
    return found.report;
  } finally {
    await tab.close();
    server.close();
  }
}

let [passed, failed, skipped] = [0, 0, 0];
const browser = await launchChromium();
try {
  const want = (await commands[0].run(folder)) as Report;
  for (const { name, command, page } of bundlers) {
    try {
      run(command[0], command.slice(1), folder);
      if (typeof browser === 'string') {
        skipped++;
        console.log(`skipped  ${name.padEnd(8)} bundled, but not opened: ${browser}`);
        continue;
      }
      const report = await open(browser, name, page);
      const problems = problemsOf({ threads: true, relaxed: true }, report, want, availableParallelism());
      if (problems.length) throw new Error(problems.join('\n'));
      passed++;
      console.log(`ok       ${name.padEnd(8)} ${report.description}`);
    } catch (error) {
      failed++;
      console.log(`FAILED   ${name.padEnd(8)} ${(error as Error).message}`);
    }
  }
} finally {
  if (typeof browser !== 'string') await browser.close();
  library.remove();
}
if (skipped && (process.env.REQUIRE ?? '').split(',').includes('browser')) failed += skipped;
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed ? 1 : 0;
