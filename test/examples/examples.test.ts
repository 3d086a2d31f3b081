import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { loadModel } from '../../src/index.ts';
import { firstDigits, withFolder } from '../digits/mnist-files.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'examples');
const examples = readdirSync(folder).filter((f) => f.endsWith('.ts'));
const command = (name: string, ...args: string[]) => ['--import', 'tsx', join(folder, `${name}.ts`), ...args];
const run = (name: string, ...args: string[]) =>
  promisify(execFile)(process.execPath, command(name, ...args), { cwd: root }).then(({ stdout }) => stdout);

describe('examples', () => {
  it.each(examples)('%s is short, and imports the library by its name', (name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    expect(text.split('\n').length).toBeLessThanOrEqual(81);
    const imports = [...text.matchAll(/from '([^']+)'/g)].map((m) => m[1]);
    expect(imports).toContain('biphase');
    expect(imports.filter((from) => from !== 'biphase' && !from.startsWith('node:'))).toEqual([]);
  });

  it('xor learns XOR', async () => {
    const lines = (await run('xor')).trim().split('\n').slice(-4);
    expect(lines).toEqual(['0 xor 0 = 0', '0 xor 1 = 1', '1 xor 0 = 1', '1 xor 1 = 0']);
  });

  it('finetune moves to other data, and leaves what it came from as it was', async () => {
    const shares = [...(await run('finetune')).matchAll(/([\d.]+) %/g)].map((m) => Number(m[1]));
    const [there, elsewhere, tuned, again] = shares;
    expect(tuned).toBeGreaterThan(elsewhere + 10);
    expect(again).toBe(there);
  });

  it('mnist writes a model, which serve answers with', async () => {
    await withFolder(firstDigits(640, 100), async (data) => {
      expect(await run('mnist', data, data)).toMatch(/int8: \d+\.\d\d % of the test images/);
      expect(existsSync(join(data, 'digits.wasm'))).toBe(true);
      const file = join(data, 'digits.safetensors');
      await loadModel(readFileSync(file));
      const server = spawn(process.execPath, command('serve', file, '0'), { cwd: root });
      try {
        await answers(server);
      } finally {
        server.kill('SIGKILL');
      }
    });
  });
});

/** A sample is answered, what is none is refused, and SIGTERM ends it. */
async function answers(server: ChildProcess): Promise<void> {
  const [line] = await once(createInterface(server.stdout!), 'line');
  const post = (body: Uint8Array) => fetch(line, { method: 'POST', body: body as BodyInit });
  const answer = await post(new Uint8Array(784 * 4));
  expect(answer.status).toBe(200);
  const logits = new Float32Array(await answer.arrayBuffer());
  expect(logits.length).toBe(10);
  expect(logits.every(Number.isFinite)).toBe(true);
  expect((await post(new Uint8Array(6))).status).toBe(400);
  expect((await post(new Uint8Array(3e6))).status).toBe(400);
  expect((await fetch(line)).status).toBe(404);
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  await ended;
}
