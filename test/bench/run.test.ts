import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { page } from '../../bench/report/page.ts';
import type { BenchCase, Result } from '../../bench/run/case.ts';
import { Limits, limitUnits } from '../../bench/run/limits.ts';
import { median, summarize } from '../../bench/run/measure.ts';
import { run } from '../../bench/run/run.ts';
import { matmul } from '../../bench/suites/ops.ts';
import { createEngine } from '../../src/index.ts';

const KEYS: (keyof Result)[] = [
  ...(['suite', 'case', 'engine', 'backend', 'build', 'threads', 'median_ms', 'min_ms', 'spread'] as const),
  ...(['samples', 'rate', 'unit', 'intensity', 'share_of_limit', 'ratio_to_best_peer'] as const),
  ...(['ratio_to_best_native'] as const),
];

async function runCases(cases: readonly BenchCase[]) {
  const engine = await createEngine({ backend: 'wasm', build: 'simd128', threads: 1 });
  const lines: string[] = [];
  try {
    return { ...(await run(engine, [], cases, { quick: true, print: (l) => lines.push(l) })), lines };
  } finally {
    engine.dispose();
  }
}

describe('the benchmark', () => {
  it('gives whole rows, with a rate, its limit and its share of it', async () => {
    const small = matmul(true).slice(0, 1);
    const { results, limits, wrong } = await runCases(small);
    expect(wrong).toBe(0);
    expect(results).toHaveLength(1);
    const [row] = results;
    expect(Object.keys(row).sort()).toEqual([...KEYS].sort());
    expect(row).toMatchObject({ suite: 'matmul', engine: 'biphase', build: 'simd128', unit: 'GFLOP/s' });
    expect(row.rate).toBeCloseTo((2 * 64 ** 3) / row.median_ms / 1e6, 6);
    expect(row.share_of_limit).toBeGreaterThan(0);
    expect(row.ratio_to_best_peer).toBeNull();
    expect(limits.multiply_add).toBeGreaterThan(0);
    const html = await page({
      date: '',
      command: '',
      machine: 'this <machine>',
      runtime: '',
      limits,
      results,
    });
    expect(html).toContain('64x64x64 A B');
    expect(html).toContain('Roofline');
    expect(html).toContain('this &lt;machine&gt;');
  });

  it('refuses to time what is wrong', async () => {
    const [good] = matmul(true);
    let runs = 0;
    const bad: BenchCase = {
      ...good,
      async prepare(engine) {
        const prepared = await good.prepare(engine);
        return {
          ...prepared,
          async answer() {
            const [y] = await prepared.answer();
            y[17] += 1;
            return [y];
          },
          run: () => void runs++,
        };
      },
    };
    const { results, wrong, lines } = await runCases([bad]);
    expect({ results, wrong, runs }).toEqual({ results: [], wrong: 1, runs: 0 });
    expect(lines.join()).toMatch(/wrong, so it is not timed: \[17\] is/);
  });

  it('measures limits that are there', async () => {
    const one = await Limits.of({ build: 'simd128' }, 1);
    for (const name of Object.keys(limitUnits) as (keyof typeof limitUnits)[]) {
      const rate = one.measure(name);
      expect(rate).toBeGreaterThan(0.1);
      expect(rate).toBeLessThan(1e5);
    }
  });

  it('says what suites there are when asked for another', () => {
    const main = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', main, 'nonsense'], {
      encoding: 'utf8',
    });
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/unknown suite nonsense; expected some of matmul, .*startup, size/);
  });
});

describe('statistics', () => {
  it('takes the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });
  it('tells spread as the median deviation', () => {
    expect(summarize([1, 2, 3, 4, 100])).toEqual({ medianMs: 3, minMs: 1, spread: 1 / 3, samples: 5 });
  });
});
