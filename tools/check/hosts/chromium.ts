/** The frozen digits in Chromium, on a page and in a worker: fetched, instantiated and run there. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { launchChromium } from '../../hosts/chromium.ts';

/** Images per second and all results, or why there is no Chromium. */
export async function runInChromium(
  model: string,
  images: string,
  where: 'page' | 'worker',
): Promise<{ rate: number; results: Uint8Array } | string> {
  const browser = await launchChromium();
  if (typeof browser === 'string') return browser;
  const files: Record<string, { type: string; body: Uint8Array | string }> = {
    '/': { type: 'text/html', body: '<!doctype html>' },
    '/worker.js': { type: 'text/javascript', body: `(${run})().then((found) => postMessage(found))` },
    '/model.wasm': { type: 'application/wasm', body: readFileSync(model) },
    '/images': { type: 'application/octet-stream', body: readFileSync(images).subarray(16) },
  };
  const server = createServer(({ url }, response) => {
    const file = files[url ?? ''];
    if (!file) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': file.type }).end(file.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const { rate, results } = await page.evaluate(where === 'page' ? run : askWorker);
    return { rate, results: Uint8Array.from(results) };
  } finally {
    await browser.close();
    server.close();
  }
}

/** Runs on the page: what a worker finds. */
function askWorker(): Promise<{ rate: number; results: number[] }> {
  return new Promise((resolve, reject) => {
    const worker = new Worker('/worker.js');
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
  });
}

/** Runs on the page or in a worker, so it uses nothing from this file. */
async function run(): Promise<{ rate: number; results: number[] }> {
  type Numbers = Record<string, (...args: number[]) => number> & { memory: WebAssembly.Memory };
  const images = new Uint8Array(await (await fetch('/images')).arrayBuffer());
  const { instance } = await WebAssembly.instantiateStreaming(fetch('/model.wasm'));
  const e = instance.exports as unknown as Numbers;
  const bytes = new Uint8Array(e.memory.buffer);
  const [into, out, sample, result, most] = [
    e.input(),
    e.output(),
    e.input_bytes(),
    e.output_bytes(),
    e.max_batch(),
  ];
  const total = images.length / sample;
  const all = new Uint8Array(total * result);
  let fastest = Infinity;
  for (let pass = 0; pass < 15; pass++) {
    const begin = performance.now();
    for (let at = 0; at < total; at += most) {
      const count = Math.min(most, total - at);
      bytes.set(images.subarray(at * sample, (at + count) * sample), into);
      if (e.run(count) !== 0) throw new Error('run failed');
      all.set(bytes.subarray(out, out + count * result), at * result);
    }
    fastest = Math.min(fastest, (performance.now() - begin) / 1000);
  }
  return { rate: total / fastest, results: [...all] };
}
