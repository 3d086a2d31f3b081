/**
 * Browsers, on a page and in a worker, cross-origin isolated and not. The page loads the library's files as they are, by
 * an import map; the worker, for which there are no import maps, loads a bundle.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { build } from 'esbuild';
import { launchChromium } from '../../hosts/chromium.ts';
import type { Report, Runtime } from './report.ts';

/** The part of a driver that is used. */
interface Browser {
  newPage(): Promise<{
    goto(url: string): Promise<unknown>;
    evaluate(code: string): Promise<unknown>;
    close(): Promise<unknown>;
  }>;
  close(): Promise<void>;
}

const imports = {
  biphase: '/node_modules/biphase/dist/index.js',
  'biphase/kernels': '/node_modules/biphase/dist/kernels/index.js',
};
const html = `<!doctype html><script type="importmap">${JSON.stringify({ imports })}</script>`;

const onPage = `import('/suite.js').then(({ suite }) => suite())`;
const inWorker = `new Promise((resolve, reject) => {
  const worker = new Worker('/web-worker.bundle.js', { type: 'module' });
  worker.onmessage = ({ data }) => (data.report ? resolve(data.report) : reject(new Error(data.error)));
  worker.onerror = ({ message }) => reject(new Error(message));
})`;

async function serve(folder: string, isolated: boolean) {
  const server = createServer(({ url = '/' }, response) => {
    if (isolated) {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
    }
    if (url === '/') return void response.setHeader('Content-Type', 'text/html').end(html);
    const file = join(folder, normalize(url));
    if (!existsSync(file)) return void response.writeHead(404).end();
    response.setHeader('Content-Type', 'text/javascript').end(readFileSync(file));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => server.close() };
}

/** One browser serves all four places; it is started for the first and closed by closeBrowsers(). */
const started = new Map<string, Promise<Browser | string>>();

export async function closeBrowsers(): Promise<void> {
  for (const browser of started.values()) {
    const found = await browser.catch(() => '');
    if (typeof found !== 'string') await found.close();
  }
  started.clear();
}

function places(name: string, launch: () => Promise<Browser | string>): Runtime[] {
  return [true, false].flatMap((isolated) =>
    (['page', 'worker'] as const).map((where) => ({
      name: `${name}, ${where}${isolated ? ', isolated' : ''}`,
      ...{ threads: isolated, relaxed: true },
      run: async (folder: string) => {
        if (!started.has(name)) started.set(name, launch());
        const browser = await started.get(name)!;
        if (typeof browser === 'string') return browser;
        await build({
          entryPoints: [join(folder, 'web-worker.js')],
          outfile: join(folder, 'web-worker.bundle.js'),
          ...{ bundle: true, format: 'esm', platform: 'browser', logLevel: 'error' },
        });
        const server = await serve(folder, isolated);
        const page = await browser.newPage();
        try {
          await page.goto(server.url);
          return (await page.evaluate(where === 'page' ? onPage : inWorker)) as Report;
        } finally {
          await page.close();
          server.close();
        }
      },
    })),
  );
}

const FIREFOX = '/usr/bin/firefox-esr';

async function launchFirefox(): Promise<Browser | string> {
  if (!existsSync(FIREFOX)) return `there is no ${FIREFOX}: apt-get install firefox-esr`;
  const { default: puppeteer } = await import('puppeteer-core');
  return puppeteer.launch({ browser: 'firefox', executablePath: FIREFOX, headless: true });
}

export const browsers: readonly Runtime[] = [
  ...places('Chromium', launchChromium),
  ...places('Firefox', launchFirefox),
];
