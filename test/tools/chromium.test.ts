import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchChromium } from '../../tools/hosts/chromium.ts';
import { missing } from '../support/parts.ts';

describe.skipIf(await missing('browser'))('Chromium from npm', () => {
  let browser: Browser;
  let server: Server;

  beforeAll(async () => {
    browser = (await launchChromium()) as Browser;
    server = createServer((_request, response) => {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
      response.end();
    });
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  test('has WebGPU and, on an isolated page, shared memory', async () => {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const found = await page.evaluate(async () => ({
      vendor: (await navigator.gpu.requestAdapter())?.info.vendor,
      isolated: globalThis.crossOriginIsolated,
    }));
    expect(found).toEqual({ vendor: 'google', isolated: true });
  });

  test('draws pages, text too', async () => {
    const page = await browser.newPage({ viewport: { width: 200, height: 50 } });
    await page.setContent('');
    const empty = await page.screenshot();
    await page.setContent('<b>biphase</b>');
    expect((await page.screenshot()).length).toBeGreaterThan(empty.length + 500);
  });
});
