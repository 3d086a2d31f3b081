import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../../../tools/hosts/chromium.ts';
import { servePage } from '../../../tools/hosts/page-server.ts';
import { missing } from '../../support/parts.ts';
import type { train } from './page.browser.ts';

const entry = fileURLToPath(new URL('page.browser.ts', import.meta.url));

describe.skipIf(await missing('browser'))("a page's Content-Security-Policy", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = (await launchChromium()) as Browser;
  });
  afterAll(() => browser?.close());

  /** What the engine says of itself, or the error's text. */
  async function descriptionUnder(policy: string): Promise<string> {
    const page = await servePage(entry, { isolated: true, policy });
    const tab = await browser.newPage();
    try {
      await tab.goto(page.address);
      // waitForFunction() would need 'unsafe-eval' on the page.
      while (!(await tab.evaluate(() => 'train' in globalThis))) await tab.waitForTimeout(50);
      return await tab.evaluate(async () => {
        const scope = globalThis as unknown as { train: typeof train };
        return scope.train(2, 1).then(
          ({ description }) => description,
          (error: Error) => error.message,
        );
      });
    } finally {
      await tab.close();
      page.close();
    }
  }

  it("without 'wasm-unsafe-eval' the error says that it is missing", async () => {
    expect(await descriptionUnder("script-src 'self'")).toMatch(
      /may not be compiled here.*'wasm-unsafe-eval'/,
    );
  });

  it('without blob: workers there is one thread, and the reason', async () => {
    const policy = "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";
    expect(await descriptionUnder(policy)).toMatch(/1 thread: threads could not be started.*blob:/);
  });

  it('with both there are threads', async () => {
    const policy = "script-src 'self' 'wasm-unsafe-eval'; worker-src blob:";
    expect(await descriptionUnder(policy)).toMatch(/, 2 threads$/);
  });
});
