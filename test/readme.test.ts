import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, expect, it, vi } from 'vitest';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'readme-'));
afterAll(() => rmSync(folder, { recursive: true }));

it("the README's example runs, learns, and serves", async () => {
  const [, code] = readme.match(/```ts\n([\s\S]*?)```/)!;
  expect(code.trim().split('\n').length).toBeLessThanOrEqual(24);
  const library = pathToFileURL(fileURLToPath(new URL('../src/index.ts', import.meta.url))).href;
  const file = join(folder, 'example.ts');
  writeFileSync(file, code.replace("from 'biphase'", `from '${library}'`));
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  await import(/* @vite-ignore */ pathToFileURL(file).href);
  // The last line is the array of logits.
  await vi.waitFor(() => expect(log.mock.calls.at(-1)?.length).toBe(1), { timeout: 60_000 });
  const calls = log.mock.calls;
  log.mockRestore();
  const losses = calls.slice(0, -1).map(([, loss]) => loss as number);
  expect(losses.length).toBe(6);
  expect(losses.at(-1)).toBeLessThan(0.2);
  const [outside0, inside0, outside1, inside1] = calls.at(-1)![0] as Float32Array;
  expect([inside0 > outside0, inside1 > outside1]).toEqual([true, false]);
});
