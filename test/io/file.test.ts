import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkWritable, writeWhole } from '../../src/io/file.ts';
import { createBeside, removeTemporaries } from '../../src/io/temporary.ts';
import { asNobody, Disks } from '../support/disks.ts';

const disks = new Disks();
afterAll(() => disks.remove());
const MOUNTS = Disks.mountable();
const POSIX = process.platform !== 'win32';
const ROOT = process.getuid?.() === 0;

const bytes = (text: string) => new TextEncoder().encode(text);
const NEW = bytes('the new bytes');
const text = (path: string) => readFileSync(path, 'utf8');
/** A folder of its own, for looking at what is in it. */
function room(rights = 0o777): string {
  const folder = disks.fresh();
  mkdirSync(folder);
  chmodSync(disks.folder, 0o755);
  chmodSync(folder, rights);
  return folder;
}
function old(path: string, rights = 0o644): string {
  writeFileSync(path, 'the old bytes, some more of them');
  chmodSync(path, rights);
  return path;
}
const rights = (path: string) => statSync(path).mode & 0o777;
/** The message of a write that fails, and where it says that the bytes are. */
async function failure(path: string, data = NEW) {
  const error = await writeWhole(path, data).then(
    () => undefined,
    (e) => e,
  );
  expect(error).toMatchObject({ name: 'BiphaseError', code: 'io_failed' });
  const kept = /the bytes are in ([^;]+)/.exec(error.message)?.[1];
  const found = kept && new Uint8Array(readFileSync(kept));
  if (kept) unlinkSync(kept);
  return { message: error.message as string, kept, found };
}

describe.runIf(POSIX)('a file that is replaced', () => {
  it('has all of the new bytes, and nothing else is left in the folder', async () => {
    const folder = room();
    const path = old(join(folder, 'x'));
    for (const data of [NEW, new Uint8Array(), new Uint8Array(300_000).fill(7)]) {
      await writeWhole(path, data);
      expect(new Uint8Array(readFileSync(path))).toEqual(data);
    }
    expect(readdirSync(folder)).toEqual(['x']);
  });

  it('hands on its rights and owner; a new one takes what the process gives', async () => {
    const folder = room();
    for (const own of [0o600, 0o640, 0o666, 0o777]) {
      const path = old(join(folder, `${own}`), own);
      if (ROOT) chownSync(path, 1234, 2345);
      await writeWhole(path, NEW);
      expect({ own, now: rights(path) }).toEqual({ own, now: own });
      if (ROOT) expect(statSync(path)).toMatchObject({ uid: 1234, gid: 2345 });
    }
    for (const [mask, expected] of [
      [0o077, 0o600],
      [0o022, 0o644],
      [0o002, 0o664],
    ]) {
      const before = process.umask(mask);
      try {
        await writeWhole(join(folder, `new-${mask}`), NEW);
      } finally {
        process.umask(before);
      }
      expect(rights(join(folder, `new-${mask}`))).toBe(expected);
    }
  });

  it("gives no other group the first group's rights, where the group can't be handed on", async () => {
    if (!ROOT) return console.log('not tested: the group of a file (needs root to make one)');
    const folder = room();
    const path = old(join(folder, 'x'), 0o666);
    chownSync(path, 1234, 2345);
    chmodSync(path, 0o662);
    await asNobody(() => writeWhole(path, NEW));
    expect({ mode: rights(path), uid: statSync(path).uid }).toEqual({ mode: 0o622, uid: 65534 });
  });

  it('keeps links: to a file, over other links and folders, and to a file that is yet to be made', async () => {
    const [folder, other] = [room(), room()];
    const target = old(join(other, 'target'), 0o600);
    symlinkSync(other, join(folder, 'there'));
    symlinkSync('there/target', join(folder, 'first'));
    symlinkSync('first', join(folder, 'second'));
    await writeWhole(join(folder, 'second'), NEW);
    expect({ target: text(target), mode: rights(target) }).toEqual({ target: 'the new bytes', mode: 0o600 });
    expect([readlinkSync(join(folder, 'second')), readlinkSync(join(folder, 'first'))]).toEqual([
      'first',
      'there/target',
    ]);
    mkdirSync(join(other, 'deep'));
    symlinkSync(join(other, 'deep'), join(folder, 'deep'));
    symlinkSync('../later', join(other, 'deep', 'dangling'));
    await writeWhole(join(folder, 'deep', 'dangling'), NEW);
    expect(text(join(other, 'later'))).toBe('the new bytes');
    expect(readlinkSync(join(other, 'deep', 'dangling'))).toBe('../later');
    expect(readdirSync(folder).sort()).toEqual(['deep', 'first', 'second', 'there']);
  });

  it('leaves the old bytes to other names of it, as a copy that was made by linking expects', async () => {
    const folder = room();
    linkSync(old(join(folder, 'x')), join(folder, 'backup'));
    await writeWhole(join(folder, 'x'), NEW);
    expect(text(join(folder, 'backup'))).toContain('the old bytes');
  });

  it('may have a name as long as names may be', async () => {
    const path = join(room(), 'ä'.repeat(127));
    await writeWhole(path, NEW);
    await writeWhole(path, bytes('again'));
    expect(text(path)).toBe('again');
    expect((await failure(`${path}aaa`)).message).toContain('its name is too long (ENAMETOOLONG)');
  });

  it('is whole whoever of several writers comes last', async () => {
    const folder = room();
    const path = join(folder, 'shared');
    const code = `
      import { writeWhole } from ${JSON.stringify(new URL('../../src/io/file.ts', import.meta.url).href)};
      for (let i = 0; i < 40; i++) await writeWhole(${JSON.stringify(path)}, new Uint8Array(200000).fill(Number(process.argv[1])));
    `;
    const writers = [1, 2, 3].map(
      (n) =>
        new Promise((resolve) =>
          spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code, `${n}`], {
            stdio: 'inherit',
          }).on('close', resolve),
        ),
    );
    const looked: number[] = [];
    const looking = setInterval(() => {
      if (existsSync(path)) looked.push(...new Set(readFileSync(path)), readFileSync(path).length);
    }, 5);
    expect(await Promise.all(writers)).toEqual([0, 0, 0]);
    clearInterval(looking);
    expect(looked.filter((n) => ![1, 2, 3, 200_000].includes(n))).toEqual([]);
    const all = new Uint8Array(readFileSync(path));
    expect([all.length, new Set(all).size]).toEqual([200_000, 1]);
    expect(readdirSync(folder)).toEqual(['shared']);
  });
});

describe.runIf(POSIX)('pipes and devices', () => {
  it('are written as they stand', async () => {
    const pipe = join(room(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    const written = writeWhole(pipe, new Uint8Array(100_000).fill(5));
    // Nobody reads yet, and nothing is held up by that.
    await new Promise((resolve) => setTimeout(resolve, 120));
    const reader = spawn('cat', [pipe]);
    let read = 0;
    reader.stdout.on('data', (data: Buffer) => {
      read += data.filter((b) => b === 5).length;
    });
    const closed = new Promise((resolve) => reader.on('close', resolve));
    await written;
    await closed;
    expect(read).toBe(100_000);
    expect(statSync(pipe).isFIFO()).toBe(true);
    const link = join(dirname(pipe), 'null');
    symlinkSync('/dev/null', link);
    await writeWhole(link, NEW);
    expect([readlinkSync(link), statSync(link).isCharacterDevice()]).toEqual(['/dev/null', true]);
  });

  it('that take nothing are an error, and the bytes are kept', async () => {
    if (!existsSync('/dev/full')) return console.log('not tested: /dev/full is not here');
    const link = join(room(), 'full');
    symlinkSync('/dev/full', link);
    const { message, found } = await failure(link);
    expect(message).toContain('no space is left on the device (ENOSPC)');
    expect(found).toEqual(NEW);
  });
});

describe.runIf(POSIX)('a file that can not be replaced is written in place', () => {
  const same = async (path: string, write: () => Promise<void>) => {
    const { ino, uid } = statSync(path);
    await write();
    expect(text(path)).toBe('the new bytes');
    expect(statSync(path)).toMatchObject({ ino, uid });
  };

  it('in a folder that takes no new file', async () => {
    const folder = room();
    const path = old(join(folder, 'x'), 0o666);
    chmodSync(folder, 0o555);
    await same(path, () => asNobody(() => writeWhole(path, NEW)));
    expect(readdirSync(folder)).toEqual(['x']);
  });

  it('of another user in a folder where each may move only his own', async () => {
    if (!ROOT) return console.log("not tested: another user's file (needs root to make one)");
    const folder = room(0o1777);
    const path = old(join(folder, 'x'), 0o666);
    chownSync(path, 1234, 1234);
    await same(path, () => asNobody(() => writeWhole(path, NEW)));
    expect(readdirSync(folder)).toEqual(['x']);
  });

  it.runIf(MOUNTS)(
    'mounted by itself; where its disk is full it stays as it was, and the bytes are kept',
    async () => {
      const folder = room();
      const path = disks.bound(old(join(folder, 'source')))!;
      await same(path, () => writeWhole(path, NEW));
      expect(text(join(folder, 'source'))).toBe('the new bytes');
      const small = disks.small(64)!;
      const tight = disks.bound(old(join(small, 'source')))!;
      const large = new Uint8Array(100_000).fill(3);
      const { message, found } = await failure(tight, large);
      expect(message).toMatch(/no space is left.*what was there before is as it was/);
      expect(found).toEqual(large);
      expect(text(tight)).toContain('the old bytes');
    },
  );
});

describe.runIf(POSIX)('what can not be written', () => {
  it.runIf(MOUNTS)(
    'a full disk: the old file as it was, the bytes kept elsewhere, nothing half written',
    async () => {
      const small = disks.small(256)!;
      const path = old(join(small, 'model'), 0o640);
      const large = new Uint8Array(400_000).fill(9);
      for (const to of [path, join(small, 'new')]) {
        const { message, kept, found } = await failure(to, large);
        expect(message).toContain('no space is left on the device (ENOSPC); the bytes are in ');
        expect([dirname(kept!), basename(kept!).endsWith(basename(to))]).toEqual([tmpdir(), true]);
        expect(found).toEqual(large);
      }
      expect([text(path).slice(0, 7), readdirSync(small)]).toEqual(['the old', ['model']]);
      // What there is room for is written.
      await writeWhole(path, new Uint8Array(100_000));
      expect([statSync(path).size, rights(path)]).toEqual([100_000, 0o640]);
    },
  );

  it('is found out before the work: folders, missing folders, protected files, loops, names of nothing', async () => {
    const folder = room();
    const path = old(join(folder, 'x'), 0o444);
    symlinkSync('loop', join(folder, 'loop'));
    const cases = [
      [folder, 'it is a folder'],
      [join(folder, 'new/'), 'it is a folder'],
      [join(folder, 'nowhere', 'x'), 'there is no folder'],
      [join(path, 'x'), 'not a folder'],
      [join(folder, 'loop'), 'links lead in a circle'],
      ['', 'its name is empty'],
    ];
    for (const [to, message] of cases) {
      await expect(checkWritable(to)).rejects.toMatchObject({
        code: 'io_failed',
        message: expect.stringContaining(message),
      });
      expect((await failure(to || 'x'.repeat(300))).found).toEqual(NEW);
    }
    const denied = () => checkWritable(path);
    await expect(asNobody(denied)).rejects.toMatchObject({
      message: expect.stringContaining('permission denied'),
    });
    await asNobody(async () => expect((await failure(path)).found).toEqual(NEW));
    chmodSync(folder, 0o555);
    await expect(asNobody(() => checkWritable(join(folder, 'new')))).rejects.toMatchObject({
      code: 'io_failed',
    });
    expect(readdirSync(folder).sort()).toEqual(['loop', 'x']);
  });

  it('leaves nothing where nothing is to be kept', async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('kept-'));
    await expect(writeWhole(join(disks.folder, 'no', 'x'), NEW, { keep: false })).rejects.toThrow(
      'make it first',
    );
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('kept-'))).toEqual(before);
  });
});

describe.runIf(POSIX)('what is half written', () => {
  it('goes when the process is about to end', async () => {
    const folder = room();
    const { file } = await createBeside(join(folder, 'x'), 0o666);
    expect(readdirSync(folder)).toHaveLength(1);
    removeTemporaries();
    expect(readdirSync(folder)).toEqual([]);
    await file.close();
  });

  it("by a writer that was killed goes at the next write: not a living one's, not a fresh one, nobody else's", async () => {
    const folder = room();
    const dead = spawn('true');
    await new Promise((resolve) => dead.on('close', resolve));
    const names = {
      left: `x.${dead.pid}-0123456789ab.tmp`,
      fresh: `x.${dead.pid}-0123456789ac.tmp`,
      living: `x.${process.pid}-0123456789ab.tmp`,
      foreign: `y.${dead.pid}-0123456789ab.tmp`,
      users: 'x.2024-notes.tmp',
    };
    const hourAgo = Date.now() / 1000 - 3600;
    for (const [key, name] of Object.entries(names)) {
      writeFileSync(join(folder, name), '');
      if (key !== 'fresh') utimesSync(join(folder, name), hourAgo, hourAgo);
    }
    await writeWhole(join(folder, 'x'), NEW);
    const { left, ...rest } = names;
    expect(readdirSync(folder).sort()).toEqual(['x', ...Object.values(rest)].sort());
    expect(left).toBeDefined();
  });
});
