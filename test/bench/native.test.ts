import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NativePeer, pythonWith } from '../../bench/native.ts';
import { run } from '../../bench/run/run.ts';
import { activation, matmul } from '../../bench/suites/ops.ts';
import { createEngine, type Engine } from '../../src/index.ts';
import { missing } from '../support/parts.ts';

const engineFile = fileURLToPath(new URL('plain_engine.py', import.meta.url));
const start = () => NativePeer.start('plain', { python: 'python3', engine: engineFile, threads: 1 });
const named = (name: string) => activation(true).find((c) => c.name.startsWith(`${name} `))!;

describe.skipIf(await missing('python'))('software in a Python process', () => {
  let engine: Engine;
  let peer: NativePeer;
  beforeAll(async () => {
    engine = await createEngine({ backend: 'wasm', threads: 1 });
    peer = await start();
  });
  afterAll(() => {
    peer.stop();
    engine.dispose();
  });

  it('gets the arrays of a case and gives its answer and times back', async () => {
    const relu = named('relu');
    const answer = await peer.prepare(relu);
    expect(await relu.judge(answer!, false)).toEqual([]);
    const samples = await peer.sample({ seconds: 0.05, fewest: 3 });
    expect(samples.length).toBeGreaterThanOrEqual(3);
    expect(Math.min(...samples)).toBeGreaterThan(0);
  });

  it('is timed beside the engine where its answer is right, named where it is wrong, and left out where it has none', async () => {
    const lines: string[] = [];
    const cases = [named('relu'), named('tanh'), named('gelu'), matmul(true)[0]];
    const { results, wrong } = await run(engine, [peer], cases, { quick: true, print: (l) => lines.push(l) });
    expect(wrong).toBe(0);
    expect(results.filter((r) => r.engine === 'plain').map((r) => r.case)).toEqual(['relu 65536']);
    expect(lines.filter((l) => l.includes('plain: '))).toEqual([
      expect.stringMatching(/tanh 65536.*plain: wrong, so it is not timed/),
      expect.stringMatching(/gelu 65536.*plain: ValueError: no gelu today/),
    ]);
  });

  it('says why it could not be opened, and when its process ended', async () => {
    await expect(
      NativePeer.start('none', { python: 'python3', engine: '/nowhere/engine.py', threads: 1 }),
    ).rejects.toThrow(/FileNotFoundError/);
    const gone = await start();
    gone.stop();
    await expect(gone.prepare(named('relu'))).rejects.toThrow(/process ended/);
    await expect(
      NativePeer.start('none', { python: '/nowhere/python', engine: engineFile, threads: 1 }),
    ).rejects.toThrow(/ENOENT/);
  });

  it('tells how to get what no Python here has', async () => {
    const { missing: reason } = await pythonWith('torch', ['/nowhere/python']);
    expect(reason).toMatch(/no Python here has PyTorch.*PYTHON.*--venv/);
  });
});
