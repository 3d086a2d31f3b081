import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../../../tools/hosts/chromium.ts';
import { type ServedPage, servePage } from '../../../tools/hosts/page-server.ts';
import { missing } from '../../support/parts.ts';
import { type PageReport, train } from './page.browser.ts';

const STEPS = 5;

/** The same file, here: what every thread count and runtime must give, to the bit. */
const expected = async () => (await train(1, STEPS)).weights;

describe.skipIf(await missing('browser'))('threads in Chromium', () => {
  let browser: Browser;
  const pages: Record<'isolated' | 'plain', ServedPage> = {} as never;

  beforeAll(async () => {
    const entry = fileURLToPath(new URL('page.browser.ts', import.meta.url));
    pages.isolated = await servePage(entry, { isolated: true });
    pages.plain = await servePage(entry);
    browser = (await launchChromium()) as Browser;
  });
  afterAll(async () => {
    await browser?.close();
    pages.isolated?.close();
    pages.plain?.close();
  });

  async function onPage(kind: keyof typeof pages, threads: number): Promise<PageReport> {
    const tab = await browser.newPage();
    await tab.goto(pages[kind].address);
    await tab.waitForFunction(() => 'train' in globalThis);
    const report = await tab.evaluate(
      ([n, steps]) => (globalThis as unknown as { train: typeof train }).train(n, steps),
      [threads, STEPS] as const,
    );
    await tab.close();
    return report;
  }

  it('runs on two and three threads of an isolated page, with the bits of one', {
    timeout: 60_000,
  }, async () => {
    const want = await expected();
    for (const threads of [2, 3]) {
      const { weights, description, isolated } = await onPage('isolated', threads);
      expect(isolated).toBe(true);
      expect(description).toContain(`${threads} threads`);
      expect(weights).toEqual(want);
    }
  });

  it('runs on two threads from a worker of an isolated page', { timeout: 60_000 }, async () => {
    const tab = await browser.newPage();
    await tab.goto(pages.isolated.address);
    const report = await tab.evaluate((steps) => {
      const worker = new Worker('/run.js', { type: 'module' });
      return new Promise<PageReport>((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => reject(new Error(event.message));
        worker.postMessage([2, steps]);
      });
    }, STEPS);
    await tab.close();
    expect(report.description).toContain('2 threads');
    expect(report.weights).toEqual(await expected());
  });

  it('falls back to one thread on a page that is not isolated, and says why', {
    timeout: 60_000,
  }, async () => {
    const { weights, description, isolated } = await onPage('plain', 2);
    expect(isolated).toBe(false);
    expect(description).toMatch(/1 thread: this page is not cross-origin isolated/);
    expect(weights).toEqual(await expected());
  });
});
