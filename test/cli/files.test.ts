import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeNpy, parseNpy } from '../../src/data/npy.ts';
import { parseSafetensors } from '../../src/io/safetensors.ts';
import { biphase, shell, start, temporary, well } from './cli.ts';

const { folder, files, remove } = temporary();
const at = (name: string) => join(folder, name);
const file = (name: string) => new Uint8Array(readFileSync(at(name)));
const POSIX = process.platform !== 'win32';
const TRAIN = [
  'train',
  '--backend',
  'wasm',
  '--threads',
  '1',
  '--hidden',
  '8',
  '--batch',
  '10',
  '--epochs',
  '2',
];
const DATA = ['--data', 'x.npy', '--labels', 'y.npy'];
const isModel = (name: string) => parseSafetensors(file(name)).metadata.format === 'biphase.model';

beforeAll(() => {
  const x = Float32Array.from({ length: 200 * 4 }, (_, i) => Math.sin(i));
  writeFileSync(at('x.npy'), encodeNpy(x, [200, 4]));
  writeFileSync(
    at('y.npy'),
    encodeNpy(
      Uint8Array.from({ length: 200 }, (_, i) => i % 3),
      [200],
    ),
  );
  well(folder, ...TRAIN, ...DATA, '-o', 'm.safetensors');
  writeFileSync(at('notes'), 'no checkpoint');
});
afterAll(remove);

describe('files of one command', () => {
  it.each([
    [['run', 'm.safetensors', 'x.npy', '--print', 'none', '-o', 'm.safetensors'], 'read as <model>'],
    [['run', 'm.safetensors', 'x.npy', '-o', './x.npy'], 'read as <inputs>'],
    [['quantize', 'm.safetensors', '--calibration', 'x.npy', '-o', 'm.safetensors'], 'read as <model>'],
    [['freeze', 'm.safetensors', '--calibration', 'x.npy', '-o', 'x.npy'], 'read as --calibration'],
    [[...TRAIN, ...DATA, '-o', 'y.npy'], 'read as --labels'],
    [[...TRAIN, ...DATA, '-o', 'new', '--checkpoint', './new'], 'written as -o'],
    [[...TRAIN, ...DATA, '--checkpoint', 'gone', '--resume'], 'there is no checkpoint gone to go on from'],
    [[...TRAIN, ...DATA, '--checkpoint', 'notes'], 'notes is not a sound checkpoint'],
    [
      [...TRAIN, ...DATA, '--checkpoint', 'm.safetensors', '--resume'],
      'm.safetensors is not a sound checkpoint',
    ],
    [[...TRAIN, ...DATA, '--checkpoint', 'no/where'], 'there is no folder'],
  ])('that can not be meant are refused before any work: %j', (args, message) => {
    const before = files().map((name) => [name, file(name)]);
    const { code, stdout, stderr } = biphase(folder, ...args);
    expect({ code, stdout, lines: stderr.trim().split('\n').length }).toEqual({
      code: 2,
      stdout: '',
      lines: 1,
    });
    expect(stderr).toContain(message);
    expect(files().map((name) => [name, file(name)])).toEqual(before);
  });

  it.runIf(POSIX)(
    "go where links lead, with the rights they had, and never to somebody else's temporary name",
    () => {
      writeFileSync(at('out.npy.tmp'), file('x.npy'));
      writeFileSync(at('private'), '', { mode: 0o600 });
      symlinkSync('private', at('out.npy'));
      well(folder, 'run', 'm.safetensors', 'out.npy.tmp', '--print', 'none', '-o', 'out.npy');
      expect(parseNpy(file('private')).shape).toEqual([200, 3]);
      expect([statSync(at('private')).mode & 0o777, file('out.npy.tmp')]).toEqual([0o600, file('x.npy')]);
    },
  );

  it.runIf(POSIX)('may be pipes: what is printed besides goes to stderr then', async () => {
    const piped = `"$@" -o /dev/stdout --print classes | cat > piped.npy`;
    const { stderr } = shell(folder, piped, 'run', 'm.safetensors', 'x.npy');
    expect(parseNpy(file('piped.npy')).shape).toEqual([200, 3]);
    expect(stderr.match(/^[012]$/gm)).toHaveLength(200);
    execFileSync('mkfifo', [at('fifo')]);
    const waiting = start(folder, ...TRAIN, ...DATA, '-o', 'fifo', '--epochs', '1');
    await waiting.says('stderr', 'training: step');
    const reader = spawn('cat', [at('fifo')]);
    const read: Buffer[] = [];
    const closed = new Promise((resolve) => reader.on('close', resolve));
    reader.stdout.on('data', (data: Buffer) => read.push(data));
    expect((await waiting.ended).code).toBe(0);
    await closed;
    expect(parseSafetensors(Buffer.concat(read)).metadata.format).toBe('biphase.model');
    expect(statSync(at('fifo')).isFIFO()).toBe(true);
    // Nobody reads, and the process can still be ended.
    const alone = start(folder, 'run', 'm.safetensors', 'x.npy', '-o', 'fifo');
    await alone.says('stderr', ' on ');
    alone.child.kill('SIGTERM');
    expect((await alone.ended).code).toBe(143);
  });
});

describe('a training is not lost', () => {
  it('by what runs after it: 130,001 outputs are validated, too', () => {
    writeFileSync(
      at('wide.npy'),
      encodeNpy(
        Float32Array.from({ length: 20 }, (_, i) => Math.sin(i)),
        [20, 1],
      ),
    );
    writeFileSync(
      at('classes.npy'),
      encodeNpy(
        Int32Array.from({ length: 20 }, (_, i) => 130_000 - (i % 2)),
        [20],
      ),
    );
    writeFileSync(at('wide.json'), '[{"layer": "linear", "inFeatures": 1, "outFeatures": 130001}]');
    const data =
      '--data wide.npy --labels classes.npy --loss cross-entropy --validation 0.2 -o wide.safetensors';
    const how = '--model wide.json --epochs 1 --batch 4 --threads 1 --backend wasm';
    const { stderr, stdout } = well(folder, 'train', ...`${data} ${how}`.split(' '));
    expect(stderr).not.toContain('RangeError');
    expect(stdout).toContain('validation on 4 samples');
    expect(isModel('wide.safetensors')).toBe(true);
  });

  it('by a disk that takes no more: the bytes are kept, and where is said', () => {
    if (!existsSync('/dev/full')) return console.log('not tested: /dev/full is not here');
    symlinkSync('/dev/full', at('full'));
    const { code, stderr } = biphase(folder, ...TRAIN, ...DATA, '-o', 'full');
    const kept =
      /could not write full: no space is left on the device \(ENOSPC\); the bytes are in (\S+)/.exec(
        stderr,
      )?.[1];
    expect({ code, kept: parseSafetensors(readFileSync(kept!)).metadata.format }).toEqual({
      code: 2,
      kept: 'biphase.model',
    });
    rmSync(kept!);
  });

  it('by a Node that does not hand out its modules', () => {
    const bare =
      'data:text/javascript,process.getBuiltinModule=undefined;delete globalThis.DecompressionStream';
    const { code, stderr } = shell(
      folder,
      `NODE_OPTIONS='--import "${bare}"' "$@"`,
      ...TRAIN,
      ...DATA,
      '-o',
      'bare',
      '--checkpoint',
      'c',
    );
    expect({ code, model: code === 0 && isModel('bare') }, stderr).toEqual({ code: 0, model: true });
  });

  it('by two that keep one checkpoint', async () => {
    const args = [...TRAIN, ...DATA, '--epochs', '30', '--checkpoint', 'shared', '--every', '1'];
    const both = [start(folder, ...args, '-o', 'one'), start(folder, ...args, '-o', 'two')];
    for (const { code, stderr } of await Promise.all(both.map((b) => b.ended))) expect(code, stderr).toBe(0);
    expect([isModel('one'), isModel('two'), existsSync(at('shared'))]).toEqual([true, true, false]);
    expect(files().filter((name) => name.endsWith('.tmp') && name !== 'out.npy.tmp')).toEqual([]);
  });

  it('nor is a checkpoint by Ctrl-C, twice: what was whole stays whole, nothing half written stays', async () => {
    const args = [...TRAIN, ...DATA, '--epochs', '100000', '--checkpoint', 'kept', '--every', '1'];
    const training = start(folder, ...args, '-o', 'never');
    while (!existsSync(at('kept'))) await new Promise((resolve) => setTimeout(resolve, 5));
    training.child.kill('SIGINT');
    setTimeout(() => training.child.kill('SIGINT'), 1);
    expect((await training.ended).code).toBe(130);
    expect(parseSafetensors(file('kept')).metadata.format).toBe('biphase.checkpoint');
    expect(files().filter((name) => /^(kept|never)\./.test(name) || name === 'never')).toEqual([]);
    const again = biphase(folder, ...args, '-o', 'never', '--epochs', '1');
    expect(again.stderr).toContain(
      'kept is there already and will be replaced; --resume would go on from it',
    );
  });
});

describe.runIf(POSIX)('a stream that is closed ends the printing and nothing else', () => {
  it.each([
    ['"$@" 2>&1 >/dev/null | head -n 1'],
    ['"$@" 2>&-'],
    ['"$@" >&-'],
    ['"$@" --json | true'],
    ['"$@" >&- 2>&-'],
  ])('train: %s', (how) => {
    rmSync(at('out'), { force: true });
    const { code } = shell(
      folder,
      `set -o pipefail; ${how}`,
      ...TRAIN,
      ...DATA,
      '--epochs',
      '20',
      '-o',
      'out',
      '--validation',
      '0.1',
    );
    expect({ code, model: isModel('out') }).toEqual({ code: 0, model: true });
  });

  it('train: a terminal that is gone', () => {
    const python = `
import os, pty, subprocess, sys
master, terminal = pty.openpty()
p = subprocess.Popen(sys.argv[1:], stdin=terminal, stdout=subprocess.DEVNULL, stderr=terminal)
os.close(terminal)
seen = b''
while b'loss' not in seen: seen += os.read(master, 4096)
os.close(master)
print(p.wait())`;
    const args = [...TRAIN, ...DATA, '--epochs', '200', '-o', 'unseen'];
    const { code, stdout } = shell(
      folder,
      `command -v python3 > /dev/null || exit 77; python3 -c "${python}" "$@"`,
      ...args,
    );
    if (code === 77) return console.log('not tested: a terminal (needs Python)');
    expect({ stdout, model: isModel('unseen') }).toEqual({ stdout: '0\n', model: true });
  });

  it('run, inspect and help, whose results nobody reads', () => {
    for (const args of [
      ['run', 'm.safetensors', 'x.npy'],
      ['inspect', 'm.safetensors', '--json'],
      ['train', '--help'],
    ]) {
      const { code, stderr } = shell(folder, 'set -o pipefail; "$@" | true', ...args);
      expect({ args, code, trace: /EPIPE|\n\s+at .*\.[jt]s/.test(stderr) }).toEqual({
        args,
        code: 0,
        trace: false,
      });
    }
  });

  it('but results that a full disk did not take are an error', () => {
    if (!existsSync('/dev/full')) return console.log('not tested: /dev/full is not here');
    const { code, stderr } = shell(folder, '"$@" > /dev/full', 'inspect', 'm.safetensors');
    expect({ code, told: stderr.includes('could not write stdout: no space is left on the device') }).toEqual(
      {
        code: 2,
        told: true,
      },
    );
  });
});

describe('errors of the system', () => {
  it('a port in use and an unknown host: one line, exit code 2', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    for (const [args, message] of [
      [['--port', `${port}`], `127.0.0.1 port ${port} is in use`],
      [['--port', '0', '--host', 'no-such-host.invalid'], 'no-such-host.invalid'],
      [['--port', '0', '--host', '192.0.2.1'], 'this machine has no address 192.0.2.1'],
    ] as const) {
      const { code, stderr } = biphase(folder, 'serve', 'm.safetensors', '--threads', '1', ...args);
      expect(code).toBe(2);
      expect(stderr.trim().split('\n').at(-1)).toContain(message);
      expect(stderr).not.toMatch(/\n\s+at .*\.[jt]s/);
    }
    server.close();
  });

  it('show their stack to who asks', () => {
    const { stderr } = shell(folder, 'BIPHASE_DEBUG=1 "$@"', 'inspect', 'gone');
    expect(stderr).toMatch(/could not read gone.*\n.*\n\s+at /s);
  });
});
