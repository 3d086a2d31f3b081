import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Budget } from '../../tools/gpu/budget.ts';
import { archive, packInto } from '../../tools/gpu/pack.ts';
import { summary } from '../../tools/gpu/summary.ts';
import { missing } from '../support/parts.ts';

const none = { date: 'today', machine: 'a machine', runtime: 'node', results: [], tuning: {}, missing: [] };

describe('a run that may take only so long', () => {
  it('does what fits, and names what does not', () => {
    const budget = new Budget(60);
    expect(budget.fits('a', 30)).toBe(true);
    expect(budget.fits('b', 90)).toBe(false);
    expect(budget.missing).toEqual(['b']);
  });

  it('sums up what was found, what was wrong and what is missing', () => {
    const text = summary({
      ...none,
      conformance: { cases: 2, problems: ['matmul, case 1: value 0 is 1'] },
      stopped: 'time was up',
      missing: ['benchmark of train'],
    });
    expect(text).toContain('2 cases, 1 wrong');
    expect(text).toContain('- matmul, case 1: value 0 is 1');
    expect(text).toContain('Stopped: time was up');
    expect(text).toContain('## No time for\n\n- benchmark of train');
    expect(summary(none)).toContain('Adapter: none');
  });
});

describe.skipIf(await missing('webgpu'))('the archive for a machine with a GPU', () => {
  let folder: string;
  beforeAll(async () => {
    folder = join(mkdtempSync(join(tmpdir(), 'biphase-gpu-')), 'biphase-gpu');
    await packInto(folder);
  });
  afterAll(() => rmSync(join(folder, '..'), { recursive: true }));

  /** As on that machine: nothing in the environment, another folder. */
  const script = (args: string[]) =>
    new Promise<{ code: number; output: string }>((resolve) => {
      const options = { cwd: tmpdir(), env: { PATH: '/usr/bin:/bin' } };
      const done = execFile(join(folder, 'gpu.sh'), args, options, (_, stdout, stderr) =>
        resolve({ code: done.exitCode!, output: stdout + stderr }),
      );
    });
  const results = (name: string) => JSON.parse(readFileSync(join(folder, 'results', name), 'utf8'));

  it('is under 60 MB', () => {
    const file = `${folder}.tar.gz`;
    expect(archive(folder, file)).toBeLessThan(60e6);
  });

  it('stops when its time is over, keeps what it has, and says what is missing', async () => {
    const { output } = await script(['--software', '--quick', '--minutes', '0.5']);
    expect(output).toContain('swiftshader');
    const { adapter, conformance, missing: left } = results('gpu.json');
    expect(adapter.architecture).toBe('swiftshader');
    expect(conformance.problems).toEqual([]);
    expect(conformance.cases).toBeGreaterThan(0);
    expect(left.length).toBeGreaterThan(0);
    expect(output).toContain('## No time for');
  });

  it('times cases beside the peers for WebGPU', async () => {
    const { output } = await script(['--software', '--quick', '--minutes', '4', '--only', 'relu 65536']);
    const engines = results('webgpu.json').results.map((r: { engine: string }) => r.engine);
    expect(engines, output).toEqual(['biphase', 'tfjs-backend-webgpu', '@jax-js/jax']);
    expect(output).toMatch(/\| activation \| relu 65536 \| .* @jax-js\/jax \d/);
  });
});
