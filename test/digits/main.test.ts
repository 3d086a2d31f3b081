import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { firstDigits, withFolder } from './mnist-files.ts';
import { checkPage, checkReport } from './report-checks.ts';

const main = fileURLToPath(new URL('../../tools/digits/main.ts', import.meta.url));

/** Runs the example as a user does: a process of its own. */
const run = (...argv: string[]) =>
  new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const env = { ...process.env, BIPHASE_GPU: 'none' };
    const child = execFile(
      process.execPath,
      ['--import', 'tsx', main, ...argv],
      { env },
      (_, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
  });

describe('npm start', () => {
  it('does the whole job on the first digits', { timeout: 120_000 }, () =>
    withFolder(firstDigits(1500, 300), async (folder) => {
      const out = join(folder, 'out');
      const { code, stdout, stderr } = await run('--data', folder, '--epochs', '2', '--out', out);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect(stdout).toContain('1,500 training images, 300 test images');
      expect(stdout).toMatch(/\* wasm .*chosen by 'auto'/);
      expect(stdout).toMatch(/training: step 24 of 24, epoch 2, loss [\d.]+, \d+ samples\/s, \d+ s left/);
      expect(stdout).toContain('identical on reference, wasm over 300 images');
      expect(stdout).toContain('BIPHASE_GPU=none');
      expect(stdout).toContain('did not change by a bit');

      const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8'));
      checkReport(report);
      expect(report).toMatchObject({
        ...{ backend: 'wasm', dataset: { train: 1500, test: 300 }, train: { steps: 24 } },
        ...{ bit_identical: { identical: true }, finetune: { original_unchanged: true } },
      });
      expect(report.accuracy.f32).toBeGreaterThan(0.7);
      // Forwards and backwards, for each sample of two epochs, those of the smaller last batches too.
      const { train_flops, infer_flops } = report.cost;
      const passes = train_flops / infer_flops / (2 * 1500);
      expect(passes).toBeGreaterThan(2);
      expect(passes).toBeLessThan(3);
      expect(report.accuracy.agreement).toBeGreaterThan(0.97);
      checkPage(readFileSync(join(out, 'report.html'), 'utf8'));
    }),
  );

  it('says what to do when there are fewer images than a batch takes', () =>
    withFolder(firstDigits(100, 50), async (folder) => {
      const { code, stderr } = await run('--data', folder, '--out', folder);
      expect(code).toBe(2);
      expect(stderr).toContain('batchSize is 128 but the data set has 100 samples');
    }));

  it.each([
    [['--data', '/nowhere'], 2, /can't read .*expected the four original MNIST files/],
    [['--backend', 'webgpu'], 2, /no backend can be used here.*BIPHASE_GPU=none/],
    [['--epochs', 'all'], 2, /Expected a whole number/],
  ])('%j ends with exit code %d and a plain message', async (argv, expected, message) => {
    const { code, stderr } = await run(...argv);
    expect(code).toBe(expected);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('    at ');
  });
});
