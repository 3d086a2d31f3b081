import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeNpy } from '../../src/data/npy.ts';
import { biphase, start, temporary, well } from './cli.ts';

const { folder, files, remove } = temporary();
const write = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content);

beforeAll(() => {
  const x = Float32Array.from({ length: 40 * 4 }, (_, i) => Math.sin(i));
  write('x.npy', encodeNpy(x, [40, 4]));
  write(
    'y.npy',
    encodeNpy(
      Uint8Array.from({ length: 40 }, (_, i) => i % 3),
      [40],
    ),
  );
  write('short.npy', encodeNpy(new Uint8Array(3), [3]));
  write('wide.npy', encodeNpy(new Float32Array(10), [2, 5]));
  write('half.npy', encodeNpy(x, [40, 4]).subarray(0, 200));
  write('words.csv', 'a,b\n1,2\n3,four\n');
  write('ragged.csv', '1,2,3\n4,5\n');
  write(
    'garbage',
    Uint8Array.from({ length: 500 }, (_, i) => (i * 97 + 131) & 255),
  );
  write('empty', '');
  write('blank.csv', '\n\n');
  write('bad.gz', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0));
  write('layers.json', '[{"layer": "linear", "inFeatures": 4}]');
  mkdirSync(join(folder, 'folder'));
  well(
    folder,
    'train',
    '--data',
    'x.npy',
    '--labels',
    'y.npy',
    '--hidden',
    '8',
    '--batch',
    '10',
    '--epochs',
    '1',
    '-o',
    'm.safetensors',
  );
  well(folder, 'freeze', 'm.safetensors', '--calibration', 'x.npy', '-o', 'm.wasm');
});
afterAll(remove);

const DATA = ['--data', 'x.npy', '--labels', 'y.npy'];

describe('wrong use and input end with exit code 2, one message, and nothing written', () => {
  it.each([
    [['train'], "required option '--data <file>'"],
    [['train', '--data', 'nowhere.npy'], 'could not read nowhere.npy: there is no such file'],
    [['train', ...DATA, '--epochs', '0'], 'whole number from 1'],
    [['train', ...DATA, '--epochs', ''], 'whole number from 1'],
    [['train', ...DATA, '--hidden', '8,x'], 'whole number'],
    [['train', ...DATA, '--loss', 'hinge'], 'Allowed choices'],
    [['train', ...DATA, '--resume'], 'needs the --checkpoint'],
    [['train', ...DATA, '--batch', '41'], 'batchSize is 41 but the data set has 40'],
    [['train', ...DATA, '-o', 'no/such/folder.safetensors'], 'could not write'],
    [['train', ...DATA, '-o', 'folder'], 'it is a folder'],
    [['train', '--data', 'x.npy', '--labels', 'short.npy'], 'expected one for each of the 40'],
    [['train', '--data', 'half.npy', '--labels', 'y.npy'], 'truncated'],
    [['train', '--data', 'words.csv'], "row 3: 'four' is not a finite number"],
    [['train', '--data', 'ragged.csv'], 'row 2: it has 2 fields'],
    [['train', '--data', 'garbage'], 'garbage'],
    [['train', '--data', 'empty'], 'empty is empty'],
    [['train', '--data', 'folder'], 'could not read folder: it is a folder'],
    [['train', '--data', 'blank.csv'], 'blank.csv holds no samples'],
    [['train', '--data', 'bad.gz'], 'not sound gzip'],
    [['train', ...DATA, '--model', 'layers.json'], "layers.json[0]: linear needs 'outFeatures'"],
    [['train', ...DATA, '--model', 'words.csv'], 'is not JSON'],
    [['quantize', 'm.safetensors', '--calibration', 'wide.npy'], 'samples of 5 values'],
    [['quantize', 'x.npy', '--calibration', 'x.npy'], 'x.npy is an NPY file, not a model file'],
    [['quantize', 'm.wasm', '--calibration', 'x.npy'], 'is a frozen file'],
    [['freeze', 'm.safetensors'], 'is not quantized'],
    [['freeze', 'm.safetensors', '--f32', '--max-batch', '70000'], 'whole number from 1 to 65536'],
    [['run', 'm.wasm', 'wide.npy'], 'm.wasm takes 4'],
    [['run', 'm.safetensors', 'wide.npy'], 'the model takes 4'],
    [['run', 'garbage', 'x.npy'], 'garbage'],
    [['run', 'm.wasm', 'x.npy', '-o', 'no/such/out.npy'], 'could not write'],
    [['inspect', 'garbage'], 'not a sound safetensors file'],
    [['inspect', 'empty'], 'not a sound safetensors file'],
    [['bench', 'nothing'], 'unknown suite nothing'],
    [['serve', 'm.wasm'], 'is a frozen file'],
    [['serve', 'm.safetensors', '--port', '99999'], 'whole number from 0 to 65535'],
    [['serve', 'm.safetensors', '--max-queue', '1'], 'maxQueue is 1'],
    [['nonsense'], "unknown command 'nonsense'"],
    [['inspect', 'm.wasm', '--nonsense'], "unknown option '--nonsense'"],
    [['doctor', '--backend', 'abacus'], 'Allowed choices'],
  ])('%j', (args, message) => {
    const before = files();
    const { code, stdout, stderr } = biphase(folder, ...args);
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    // No stack of ours. (A WebGPU driver may have things of its own to say.)
    expect(stderr).not.toMatch(/\bat .*src\/cli/);
    expect(files()).toEqual(before);
  });

  it('a frozen file that was changed or cut off', () => {
    const whole = biphase(folder, 'inspect', 'm.wasm', '--json');
    expect(whole.code).toBe(0);
    const { readFileSync } = process.getBuiltinModule('node:fs');
    const bytes = readFileSync(join(folder, 'm.wasm'));
    for (const change of [
      bytes.subarray(0, bytes.length - 9),
      bytes.map((b, i) => (i === 5000 ? b ^ 1 : b)),
    ]) {
      write('changed.wasm', change);
      for (const args of [
        ['inspect', 'changed.wasm'],
        ['run', 'changed.wasm', 'x.npy'],
      ])
        expect(biphase(folder, ...args)).toMatchObject({ code: 2, stdout: '' });
    }
  });

  it.skipIf(process.getuid?.() === 0)('an output that may not be written', () => {
    write('fixed.safetensors', 'old');
    chmodSync(join(folder, 'fixed.safetensors'), 0o400);
    const { code, stderr } = biphase(folder, 'train', ...DATA, '-o', 'fixed.safetensors');
    expect({ code, denied: stderr.includes('permission denied') }).toEqual({ code: 2, denied: true });
  });
});

describe('what others do to it', () => {
  it('ends quietly when whoever reads its results has read enough', async () => {
    write('many.npy', encodeNpy(new Float32Array(60_000 * 4), [60_000, 4]));
    const { child, ended } = start(folder, 'run', 'm.safetensors', 'many.npy', '--print', 'outputs');
    child.stdout.once('data', () => child.stdout.destroy());
    const { code, stderr } = await ended;
    expect(stderr).not.toContain('EPIPE');
    expect(code).toBe(0);
  });

  it('a supervisor stops a training as Ctrl-C does', async () => {
    const training = start(
      folder,
      'train',
      ...DATA,
      '--batch',
      '10',
      '--epochs',
      '20000',
      '--checkpoint',
      'c.checkpoint',
    );
    await training.says('stderr', 'training: step');
    training.child.kill('SIGTERM');
    const { code, stderr } = await training.ended;
    expect(code).toBe(143);
    expect(stderr).toContain('--resume goes on from c.checkpoint');
    expect(files()).toContain('c.checkpoint');
  });
});
