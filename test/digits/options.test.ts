import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseOptions } from '../../tools/digits/options.ts';

afterEach(() => vi.restoreAllMocks());

/** Exit code and text of a command line that does not go through. */
function refused(...argv: string[]): { code: unknown; text: string } {
  let text = '';
  const write = (chunk: unknown) => {
    text += chunk;
    return true;
  };
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
  vi.spyOn(process.stdout, 'write').mockImplementation(write);
  const exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw Object.assign(new Error('exit'), { code });
  });
  expect(() => parseOptions(argv)).toThrow('exit');
  return { code: exit.mock.calls[0][0], text };
}

describe('options of npm start', () => {
  it('have defaults', () => {
    expect(parseOptions([])).toEqual({ backend: 'auto', seed: 1, students: 1, wide: true, out: 'out' });
  });

  it('are all understood', () => {
    const line =
      '--backend wasm --epochs 3 --seed 0 --students 5 --threads 2 --no-wide --json a.json --data d --out o';
    expect(parseOptions(line.split(' '))).toEqual({
      ...{
        backend: 'wasm',
        epochs: 3,
        seed: 0,
        students: 5,
        threads: 2,
        wide: false,
        json: 'a.json',
        data: 'd',
        out: 'o',
      },
    });
  });

  it.each([
    [['--backend', 'gpu'], /Allowed choices are auto, wasm, webgpu, reference/],
    [['--epochs', '0'], /whole number from 1/],
    [['--epochs', 'many'], /whole number from 1/],
    [['--epochs', ''], /whole number from 1/],
    [['--seed', '-1'], /whole number from 0/],
    [['--seed', ''], /whole number from 0/],
    [['--seed', '4294967296'], /whole number from 0 to 2147483647/],
    [['--threads', '1.5'], /whole number from 1/],
    [['--json'], /argument missing/],
    [['--fast'], /unknown option/],
    [['mnist'], /too many arguments/],
  ])('%j is refused with exit code 2 and a message', (argv, message) => {
    const { code, text } = refused(...argv);
    expect(code).toBe(2);
    expect(text).toMatch(message);
  });

  it('--help explains every option, shows examples, and is no error', () => {
    const { code, text } = refused('--help');
    expect(code).toBe(0);
    for (const word of [
      '--backend',
      '--epochs',
      '--seed',
      '--threads',
      '--no-wide',
      '--json',
      '--data',
      '--out',
    ])
      expect(text).toContain(word);
  });
});
