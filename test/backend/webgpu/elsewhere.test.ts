import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConformReport } from '../../../conformance/judge/conform.ts';
import type { OpName } from '../../../src/ops/index.ts';
import { launchChromium } from '../../../tools/hosts/chromium.ts';
import { lavapipe } from '../../../tools/hosts/lavapipe.ts';
import { type ServedPage, servePage } from '../../../tools/hosts/page-server.ts';
import { deno, missing } from '../../support/parts.ts';

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
  let page: ServedPage;

  beforeAll(async () => {
    page = await servePage(file('conform.browser.ts'));
    browser = (await launchChromium()) as Browser;
  });
  afterAll(async () => {
    await browser?.close();
    page?.close();
  });

  it('agrees with the reference in every case on a page', { timeout: 300_000 }, async () => {
    const tab = await browser.newPage();
    await tab.goto(page.address);
    await tab.waitForFunction(() => 'conform' in globalThis);
    const report = await tab.evaluate(() =>
      (globalThis as unknown as { conform(): Promise<ConformReport> }).conform(),
    );
    expect(report.problems.slice(0, 5).join('\n')).toBe('');
    expect(report.cases).toBeGreaterThan(500);
    await tab.close();
  });

  // The same GPU process serves both, so one family of ops each is enough to show that a worker reaches it.
  it('agrees with the reference in a worker', { timeout: 300_000 }, async () => {
    const tab = await browser.newPage();
    await tab.goto(page.address);
    const only: OpName[] = ['matmul', 'matmul_i8', 'softmax', 'cross_entropy', 'adam', 'transpose', 'sum'];
    const report = await tab.evaluate((ops) => {
      const worker = new Worker('/run.js', { type: 'module' });
      return new Promise<ConformReport>((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => reject(new Error(event.message));
        worker.postMessage(ops);
      });
    }, only);
    expect(report.problems.slice(0, 5).join('\n')).toBe('');
    expect(report.cases).toBeGreaterThan(100);
    await tab.close();
  });
});
