import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpName } from '../../../src/ops/index.ts';
import { launchChromium } from '../../support/chromium.ts';
import type { ConformReport } from '../../support/conform.ts';
import { deno, lavapipe, missing } from '../../support/parts.ts';

/** A SwiftShader that Dawn drives in Node says nothing about wgpu, nor about a browser's GPU process. */
const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

describe.skipIf(await missing('deno'))('WebGPU in Deno (wgpu on lavapipe)', () => {
  it('agrees with the reference in every case', { timeout: 300_000 }, async () => {
    const { stdout } = await promisify(execFile)(
      deno,
      ['run', '-A', '--no-check', '--unstable-webgpu', file('conform.fixture.ts')],
      { env: { ...process.env, VK_DRIVER_FILES: lavapipe(), VK_ICD_FILENAMES: lavapipe() }, maxBuffer: 1e8 },
    );
    const report: ConformReport = JSON.parse(stdout);
    expect(report.problems.slice(0, 5).join('\n')).toBe('');
    expect(report.adapter).toMatch(/llvmpipe/);
    expect(report.cases).toBeGreaterThan(500);
  });
});

describe.skipIf(await missing('browser'))('WebGPU in Chromium', () => {
  let browser: Browser;
  let server: Server;
  let address: string;

  beforeAll(async () => {
    const bundled = await build({
      entryPoints: [file('conform.browser.ts')],
      ...{ bundle: true, write: false, format: 'esm', platform: 'browser', logLevel: 'error' },
    });
    const script = bundled.outputFiles[0].text;
    server = createServer(({ url }, response) => {
      response.setHeader('Content-Type', url === '/run.js' ? 'text/javascript' : 'text/html');
      response.end(url === '/run.js' ? script : '<script type="module" src="/run.js"></script>');
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    browser = (await launchChromium()) as Browser;
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it('agrees with the reference in every case on a page', { timeout: 300_000 }, async () => {
    const page = await browser.newPage();
    await page.goto(address);
    await page.waitForFunction(() => 'conform' in globalThis);
    const report = await page.evaluate(() =>
      (globalThis as unknown as { conform(): Promise<ConformReport> }).conform(),
    );
    expect(report.problems.slice(0, 5).join('\n')).toBe('');
    expect(report.cases).toBeGreaterThan(500);
    await page.close();
  });

  // The same GPU process serves both, so one family of ops each is enough to show that a worker reaches it.
  it('agrees with the reference in a worker', { timeout: 300_000 }, async () => {
    const page = await browser.newPage();
    await page.goto(address);
    const only: OpName[] = ['matmul', 'matmul_i8', 'softmax', 'cross_entropy', 'adam', 'transpose', 'sum'];
    const report = await page.evaluate((ops) => {
      const worker = new Worker('/run.js', { type: 'module' });
      return new Promise<ConformReport>((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => reject(new Error(event.message));
        worker.postMessage(ops);
      });
    }, only);
    expect(report.problems.slice(0, 5).join('\n')).toBe('');
    expect(report.cases).toBeGreaterThan(100);
    await page.close();
  });
});
