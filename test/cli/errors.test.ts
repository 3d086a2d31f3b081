import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { endingOf } from '../../src/cli/errors.ts';
import { BiphaseError } from '../../src/node.ts';

/** What an action ends a program with. */
const ending = async (act: () => unknown) => {
  try {
    await act();
  } catch (error) {
    return endingOf(error);
  }
  throw new Error('it did not fail');
};
const system = (code: string, more: object) => Object.assign(new Error(code), { code, ...more });
const listening = (port: number, host: string) =>
  new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(port, host, () => resolve(server));
  });

describe('errors of the system are one line, with what they are about, and an exit code', () => {
  it('files', async () => {
    expect(await ending(() => readFile('/no/such'))).toEqual({
      line: 'could not open /no/such: there is no such file or folder (ENOENT)',
      code: 2,
    });
    expect(await ending(() => readFile('/'))).toMatchObject({
      line: expect.stringContaining('it is a folder'),
      code: 2,
    });
    expect(endingOf(system('EXDEV', { syscall: 'rename', path: 'a', dest: 'b' })).line).toContain(
      'rename a to b',
    );
  });

  it('addresses', async () => {
    const server = await listening(0, '127.0.0.1');
    const { port } = server.address() as { port: number };
    expect(await ending(() => listening(port, '127.0.0.1'))).toEqual({
      line: `127.0.0.1 port ${port} is in use; stop what listens there, or choose another port (0: any that is free)`,
      code: 2,
    });
    await new Promise((resolve) => server.close(resolve));
    expect(await ending(() => listening(0, '192.0.2.1'))).toMatchObject({
      line: expect.stringContaining('this machine has no address 192.0.2.1'),
      code: 2,
    });
    const refused = () => new Promise((_, reject) => connect(port, '127.0.0.1').on('error', reject));
    expect(await ending(refused)).toEqual({ line: `nothing listens at 127.0.0.1 port ${port}`, code: 2 });
    // No network, or one with a name server: both are told.
    const unknown = await ending(() => lookup('no-such-host.invalid'));
    expect(unknown.line).toMatch(
      /no host is called no-such-host.invalid|no name server says where no-such-host/,
    );
    expect(endingOf(system('EACCES', { syscall: 'listen', address: '0.0.0.0', port: 80 }))).toEqual({
      line: 'no right to listen at 0.0.0.0 port 80; ports from 1024 are free to all',
      code: 2,
    });
  });

  it.each([
    ['EMFILE', 2, 'ulimit -n'],
    ['ENOSPC', 2, 'no space is left'],
    ['ENOTDIR', 2, 'not a folder'],
    ['ELOOP', 2, 'in a circle'],
    ['ENAMETOOLONG', 2, 'name is too long'],
    ['EIO', 1, 'the device failed'],
    ['ENOMEM', 1, 'no memory left'],
    ['EWHATEVER', 2, 'EWHATEVER'],
  ])('%s', (code, expected, words) => {
    const error = system(code, { syscall: 'open', path: 'x' });
    expect(endingOf(error)).toEqual({
      line: expect.stringMatching(`^could not open x: .*${words}`),
      code: expected,
    });
    // Also where the library has put it into words of its own.
    expect(endingOf(new BiphaseError('io_failed', 'could not', { cause: error })).code).toBe(expected);
  });
});

describe('all else', () => {
  it.each([
    ['no memory for an array', () => new Float64Array(2 ** 53)],
    ['a list that is too long', () => new Array(-1)],
    ['no memory for WebAssembly', () => new WebAssembly.Memory({ initial: 2 ** 33 })],
    ['a text that is too long', () => 'x'.repeat(2 ** 30)],
  ])('%s', async (_, act) => {
    expect(await ending(act)).toEqual({
      line: expect.stringMatching(/^out of memory \(.+\); use less data/),
      code: 1,
    });
  });

  it('is one line: several attempts, JSON, what no error is, and faults of ours', async () => {
    const both = new AggregateError(
      [system('ECONNREFUSED', { address: '::1', port: 9 }), new Error('second')],
      '',
    );
    expect(endingOf(both).line).toBe('nothing listens at ::1 port 9');
    expect(await ending(() => JSON.parse('{"a": 1,}'))).toMatchObject({
      line: expect.stringMatching(/^not sound JSON: /),
      code: 2,
    });
    expect(endingOf('text')).toEqual({ line: 'something threw text', code: 1 });
    expect(endingOf(undefined).code).toBe(1);
    expect(endingOf(new TypeError('x is\n  not a function'))).toEqual({
      line: 'internal error: TypeError: x is not a function; please report it, with what BIPHASE_DEBUG=1 prints',
      code: 1,
    });
    expect(endingOf(new BiphaseError('invalid_data', 'wrong')).code).toBe(2);
    expect(endingOf(new BiphaseError('device_lost', 'gone')).code).toBe(1);
  });
});
