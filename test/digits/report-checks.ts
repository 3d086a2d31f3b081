import { expect } from 'vitest';

const number = (least: number, most = Number.MAX_VALUE) => ({ least, most });
const share = number(0, 1);
const above = number(Number.MIN_VALUE);

/** out/report.json as agreed: a range for a number, a word for another type. */
const form = {
  dataset: { train: above, test: above },
  backend: 'string',
  build: 'string',
  threads: number(1),
  seed: number(0),
  train: { seconds: above, steps: number(1), samples_per_second: above, flops: above, final_loss: number(0) },
  accuracy: { f32: share, int8: share, agreement: share },
  bit_identical: { backends: 'array', identical: 'boolean' },
  inference: { f32_us_batch1: above, f32_us_batch64: above, int8_us_batch1: above, int8_us_batch64: above },
  size: { f32_bytes: above, int8_bytes: above },
  cost: { train_flops: above, infer_flops: above, breakeven_inferences: number(1) },
  finetune: { before: share, after: share, original_unchanged: 'boolean' },
};

/** Fails unless the report has exactly the agreed fields, each with a value that makes sense. */
export function checkReport(value: unknown, expected: object = form, path = 'report'): void {
  const found = value as Record<string, unknown>;
  expect(Object.keys(found).sort(), path).toEqual(Object.keys(expected).sort());
  for (const [key, rule] of Object.entries(expected)) {
    const at = `${path}.${key}`;
    if (typeof rule === 'string')
      expect(Array.isArray(found[key]) ? 'array' : typeof found[key], at).toBe(rule);
    else if ('least' in rule) {
      expect(typeof found[key], at).toBe('number');
      expect(found[key], at).toBeGreaterThanOrEqual(rule.least);
      expect(found[key], at).toBeLessThanOrEqual(rule.most);
    } else checkReport(found[key], rule, at);
  }
}

/** Fails if the page would load anything, run anything, or shows a broken figure. */
export function checkPage(html: string): void {
  expect(html).toMatch(/^<!doctype html>/);
  expect(html).not.toMatch(/<(script|link|iframe|img|object|embed|base)\b/i);
  expect(html).not.toMatch(/\b(src|srcset|href|action|xlink:href)\s*=/i);
  expect(html).not.toMatch(/@import|url\(/i);
  // The names of SVG's XML namespaces are the only addresses, and nothing loads them.
  const addresses = [...html.matchAll(/https?:\/\/[^"'\s)]+/g)].map((m) => m[0]);
  expect(addresses.filter((a) => !a.startsWith('http://www.w3.org/'))).toEqual([]);
  expect(html).not.toMatch(/NaN|undefined|Infinity|\[object/);
}
