import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkPlaces, type NamedPaths } from '../../src/io/places.ts';
import { Disks } from '../support/disks.ts';

const disks = new Disks();
afterAll(() => disks.remove());
const { folder } = disks;
const at = (name: string) => join(folder, name);
const POSIX = process.platform !== 'win32';

writeFileSync(at('x.npy'), 'inputs');
writeFileSync(at('m.st'), 'model');
mkdirSync(at('sub'));
if (POSIX) {
  linkSync(at('x.npy'), at('hard'));
  symlinkSync('x.npy', at('soft'));
  symlinkSync('later', at('dangling'));
  symlinkSync('sub', at('alias'));
  execFileSync('mkfifo', [at('pipe')]);
}

describe('the paths of one command', () => {
  const refusal = (reads: NamedPaths, writes: NamedPaths) =>
    checkPlaces(reads, writes).then(
      () => undefined,
      ({ code, message }) => `${code}: ${message}`,
    );

  it.runIf(POSIX).each([['x.npy'], ['./x.npy'], ['sub/../x.npy'], ['hard'], ['soft'], ['alias/../x.npy']])(
    'an output that is an input: %s',
    async (name) => {
      const path = `${folder}/${name}`;
      expect(await refusal({ '<model>': at('m.st'), '--data': at('x.npy') }, { '-o': path })).toBe(
        `invalid_argument: -o is ${path}, the file that is read as --data; give it a name of its own`,
      );
      expect(readFileSync(at('x.npy'), 'utf8')).toBe('inputs');
    },
  );

  it.runIf(POSIX).each([
    ['new', './new'],
    ['later', 'dangling'],
    ['sub/new', 'alias/new'],
    ['m.st', 'm.st'],
    ['pipe', 'pipe'],
  ])('two outputs that are one: %s and %s', async (one, two) => {
    const writes = { '-o': `${folder}/${one}`, '--checkpoint': `${folder}/${two}` };
    expect(await refusal({}, writes)).toContain('--checkpoint is');
    expect(await refusal({}, writes)).toContain('written as -o');
    for (const name of ['new', 'later', 'sub/new']) expect(existsSync(at(name))).toBe(false);
  });

  it('are no matter where they differ, are not given, or are devices', async () => {
    expect(
      await refusal(
        { '<model>': at('m.st'), '--labels': undefined, '--data': at('not there') },
        { '-o': at('x.npy'), '--checkpoint': undefined },
      ),
    ).toBeUndefined();
    expect(await refusal({}, { '-o': at('New'), '--checkpoint': at('news') })).toBeUndefined();
    if (POSIX) expect(await refusal({ a: '/dev/null' }, { b: '/dev/null', c: '/dev/null' })).toBeUndefined();
  });

  it('and what the process prints to', () => {
    if (!POSIX) return;
    const code = `
      import { checkPlaces } from ${JSON.stringify(new URL('../../src/io/places.ts', import.meta.url).href)};
      const [reads, writes] = JSON.parse(process.argv[1]);
      await checkPlaces(reads, writes).then((p) => console.error(p.map((x) => x.kind).join()), (e) => console.error(e.message));
    `;
    const tell = (redirected: string, reads: NamedPaths, writes: NamedPaths) =>
      spawnSync(
        'bash',
        [
          '-c',
          `"$0" --import tsx --input-type=module -e "$1" "$2" ${redirected}`,
          process.execPath,
          code,
          JSON.stringify([reads, writes]),
        ],
        { encoding: 'utf8', env: { ...process.env, F: folder } },
      ).stderr.trim();
    expect(tell('>> $F/x.npy', { '--data': at('x.npy') }, {})).toBe(
      'what is printed (stdout) would go into the file that is read as --data',
    );
    expect(tell('> $F/out', {}, { '-o': at('out') })).toBe('stdout');
    expect(tell('| cat', {}, { '-o': '/dev/stdout' })).toBe('stdout');
    expect(tell('2> $F/log; cat $F/log >&2', {}, { '-o': at('log') })).toContain('messages go to (stderr)');
  });
});
