import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { lossCurve } from '../../tools/digits/charts.ts';
import { loadMnist } from '../../tools/digits/mnist.ts';
import { page } from '../../tools/digits/page.ts';
import type { Report, ReportDetails } from '../../tools/digits/report.ts';
import { writeReport } from '../../tools/digits/write.ts';
import { launchChromium } from '../../tools/hosts/chromium.ts';
import { missing } from '../support/parts.ts';
import { withFolder } from './mnist-files.ts';
import { checkPage, checkReport } from './report-checks.ts';

const report: Report = {
  dataset: { train: 60000, test: 10000 },
  ...{ backend: 'wasm', build: 'simd<128> & more', threads: 1, seed: 1 },
  train: { seconds: 10, steps: 200, samples_per_second: 2560, flops: 3e11, final_loss: 0.02 },
  accuracy: { f32: 0.98, int8: 0.979, agreement: 0.999 },
  bit_identical: { backends: ['reference', 'wasm'], identical: true },
  inference: { f32_us_batch1: 30, f32_us_batch64: 10, int8_us_batch1: 40, int8_us_batch64: 5 },
  size: { f32_bytes: 940584, int8_bytes: 237904 },
  cost: { train_flops: 3e11, infer_flops: 470282, breakeven_inferences: 637915 },
  finetune: { before: 0.86, after: 0.96, original_unchanged: true },
};

const digits = loadMnist().test;
const answers = digits.labels.slice();
for (let i = 0; i < 50; i++) answers[i * 7] = (answers[i * 7] + 1) % 10;
const details: ReportDetails = {
  losses: Array.from({ length: 200 }, (_, i) => 2.3 * Math.exp(-i / 40) + 0.01),
  ...{ epochs: 2, batchSize: 128, answers, digits, trainBytes: 2.6e10, inferBytes: 947e3 },
  ...{ breakEvenByTime: 250000, images: 10000 },
  training: {
    ...{ steps: 200, flops: 3e11, bytes: 2.6e10, stepMs: 9000, waitingMs: 12, flopsPerSecond: 3.3e10 },
    ...{ shareOfLimit: 0.61, joules: undefined, peakBytes: 8e6 },
    layers: [{ path: '0', flops: 3e11, bytes: 2.6e10 }],
    sections: {
      forward: { flops: 1e11, bytes: 8e9, meanMs: 15 },
      loss: { flops: 1e8, bytes: 1e8, meanMs: 1 },
      backward: { flops: 1.9e11, bytes: 1e10, meanMs: 24 },
      update: { flops: 1e9, bytes: 7e9, meanMs: 5 },
    },
    snapshots: { taken: 9, ms: 90, everySteps: 21 },
    checkpoints: { written: 0, ms: 0 },
    recoveries: { count: 0, ms: 0, replayedSteps: 0 },
  },
  students: { flops: 40_000, us: 9, seeds: 5, accuracy: { alone: 0.97, taught: 0.981 } },
  serving: {
    ...{ callers: 64, batched_us: 8, meanBatch: 63.2, cached_us: 2, hitRate: 1 },
    cost: undefined as never,
  },
};

const write = (some: Partial<Report> = {}, more: Partial<ReportDetails> = {}) =>
  withFolder({}, async (folder) => {
    const out = join(folder, 'a', 'b');
    const files = await writeReport({ ...report, ...some }, { ...details, ...more, out });
    expect(files).toEqual([join(out, 'report.json'), join(out, 'report.html')]);
    return { json: readFileSync(files[0], 'utf8'), html: readFileSync(files[1], 'utf8') };
  });

/** Not toContain, which would print the whole page. */
const has = (html: string, text: string) => expect(html.includes(text), text).toBe(true);

it('tells what a student came to, beside itself alone', async () => {
  const { html } = await write();
  has(html, '98.10 % are right where this network taught it, 97.00 % where it learned alone');
});
const lacks = (html: string, text: string) => expect(html.includes(text), text).toBe(false);

describe('the report', () => {
  let written: { json: string; html: string };
  beforeAll(async () => {
    written = await write();
  });

  it('is JSON of the agreed form, and nothing is lost', () => {
    checkReport(JSON.parse(written.json));
    expect(JSON.parse(written.json)).toEqual(report);
  });

  it('is a page that needs nothing else', () => checkPage(written.html));

  it('escapes what comes from outside', () => {
    expect(written.html).toContain('simd&lt;128&gt; &amp; more');
    lacks(written.html, 'simd<128>');
  });

  it('shows what training took, and what int8, batching and caching save or cost', () => {
    for (const text of ['61 %', '24.0 ms, 53 %', '1.3 x more', '5.0 x less', '4.0 x less', '5,000,000'])
      has(written.html, text);
    // Energy only where a counter was read.
    lacks(written.html, 'energy');
  });

  it('shows energy where it was counted', async () => {
    const { html } = await write({}, { training: { ...details.training, joules: 812.4 } });
    has(html, '812 J');
  });

  it('shows the figures, the charts and misread digits', () => {
    for (const text of ['98.00 %', '97.90 %', '637,915', '250,000', '86.00 %', '96.00 %', 'the same bits'])
      has(written.html, text);
    has(written.html, '50 of 10,000 test images were misread');
    expect(written.html.match(/<figure>/g)).toHaveLength(24);
    has(written.html, '2.0 times as fast as f32 in batches of 64, and 1.3 times as slow alone');
  });

  it('says so when the bits differ, the original changed, or there was nothing to compare', async () => {
    const finetune = { ...report.finetune, original_unchanged: false };
    const bad = await write({ finetune, bit_identical: { backends: ['a', 'b'], identical: false } });
    has(bad.html, 'DIFFERENT bits');
    has(bad.html, 'original changed');
    const alone = await write({ bit_identical: { backends: ['reference'], identical: true } });
    has(alone.html, 'no other backend than reference');
  });

  it('can do without misread digits, and with a single step', async () => {
    const perfect = await write(
      { train: { ...report.train, steps: 1 } },
      { answers: digits.labels, losses: [2.3], epochs: 1 },
    );
    checkPage(perfect.html);
    has(perfect.html, 'None of 10,000');
  });

  it('writes the JSON elsewhere when asked', () =>
    withFolder({}, async (out) => {
      const json = join(out, 'x', 'r.json');
      await writeReport(report, { ...details, out, json });
      checkReport(JSON.parse(readFileSync(json, 'utf8')));
    }));
});

const absent = await missing('browser');

it.skipIf(absent)('opens without errors, requests or sideways scrolling, wide and narrow', async () => {
  const html = await page(report, details);
  const browser = await launchChromium();
  if (typeof browser === 'string') throw new Error(browser);
  for (const width of [1280, 400]) {
    const tab = await browser.newPage({ viewport: { width, height: 800 } });
    const errors: string[] = [];
    tab.on('pageerror', (e) => errors.push(e.message));
    tab.on('console', (m) => errors.push(m.text()));
    tab.on('request', (r) => errors.push(`asked for ${r.url()}`));
    await tab.setContent(html);
    expect(await tab.locator('svg').count()).toBe(7 + 24);
    expect(await tab.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    expect(errors).toEqual([]);
  }
  await browser.close();
});

it('a chart takes its colours from the page and draws no NaN', async () => {
  const svg = await lossCurve(details.losses, 100);
  expect(svg).toMatch(/^<svg/);
  expect(svg).toContain('currentColor');
  expect(svg).not.toMatch(/NaN|undefined/);
});
