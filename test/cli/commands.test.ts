import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeNpy, parseNpy } from '../../src/data/npy.ts';
import { parseSafetensors } from '../../src/io/safetensors.ts';
import { biphase, start, temporary, well } from './cli.ts';
import { writeDigits } from './digits.ts';

const COUNT = 1500;
const { folder, remove } = temporary();
const file = (name: string) => readFileSync(join(folder, name));
const TRAIN = ['train', '--backend', 'wasm', '--threads', '1', '--hidden', '32', '--batch', '50'];
const IMAGES = ['--data', 'images.idx.gz', '--labels', 'labels.idx'];

beforeAll(() => {
  writeDigits(folder, COUNT);
  well(folder, ...TRAIN, ...IMAGES, '--epochs', '4', '-o', 'digits.safetensors');
  well(folder, 'quantize', 'digits.safetensors', '--calibration', 'images.idx.gz', '-o', 'int8.safetensors');
  well(folder, 'freeze', 'int8.safetensors', '-o', 'digits.wasm');
});
afterAll(remove);

describe('from data to a frozen file', () => {
  it('gives the same answers as a model, as a frozen file, and as a frozen file with relaxed SIMD', () => {
    const run = (...args: string[]) =>
      well(folder, 'run', ...args, '--backend', 'wasm', '--threads', '1').stdout;
    const classes = run('int8.safetensors', 'images.idx.gz');
    expect(classes.trim().split('\n')).toHaveLength(COUNT);
    expect(run('digits.wasm', 'images.npy')).toBe(classes);
    const right = JSON.parse(
      run('digits.wasm', 'images.idx.gz', '--labels', 'labels.npy', '--json'),
    ).accuracy;
    expect(right).toBeGreaterThan(0.85);
    expect(run('int8.safetensors', 'images.npy', '--labels', 'labels.idx')).toContain(
      `${(right * 100).toFixed(2)} %`,
    );
    const f32 = JSON.parse(run('digits.safetensors', 'images.npy', '--labels', 'labels.idx', '--json'));
    expect(Math.abs(f32.accuracy - right)).toBeLessThan(0.02);
  });

  it('writes outputs as NPY', () => {
    well(folder, 'run', 'digits.wasm', 'images.npy', '-o', 'out.npy', '--print', 'none');
    const { shape, data } = parseNpy(file('out.npy'));
    expect(shape).toEqual([COUNT, 10]);
    const { outputs } = JSON.parse(
      well(folder, 'run', 'digits.wasm', 'images.npy', '--print', 'outputs', '--json').stdout,
    );
    expect(outputs.flat()).toEqual([...data]);
  });

  it('gives no class where an output is NaN, and says so', () => {
    const images = new Float32Array(2 * 784).fill(0.5);
    images[784] = Number.NaN;
    writeFileSync(join(folder, 'broken.npy'), encodeNpy(images, [2, 784]));
    const { stdout, stderr } = well(folder, 'run', 'digits.safetensors', 'broken.npy', '--backend', 'wasm');
    const classes = stdout.trim().split('\n').map(Number);
    expect(classes[0]).toBeGreaterThanOrEqual(0);
    expect(classes[1]).toBe(-1);
    expect(stderr).toContain('1 of them have NaN');
  });

  it('tells what is in each file', () => {
    const inspect = (name: string) => JSON.parse(well(folder, 'inspect', name, '--json').stdout);
    expect(inspect('digits.wasm')).toMatchObject({ kind: 'frozen', abi: 2, build: 'simd128', maxBatch: 64 });
    expect(inspect('digits.safetensors')).toMatchObject({
      kind: 'model',
      quantized: false,
      input: { shape: [784] },
    });
    expect(inspect('int8.safetensors').ops.map((o: { runs: string }) => o.runs)).toEqual(['int8', 'int8']);
    const text = well(folder, 'inspect', 'digits.wasm').stdout;
    for (const part of ['ABI version 2', 'matmul_i8', 'u8 784', 'zero point']) expect(text).toContain(part);
  });

  it('trains a small model with what a larger one says', () => {
    const small = [...TRAIN, ...IMAGES, '--hidden', '6', '--epochs', '2', '-o', 'student.safetensors'];
    const taught = (...more: string[]) => well(folder, ...small, ...more);
    taught('--teacher', 'int8.safetensors', '--temperature', '3', '--alpha', '0.8');
    const student = file('student.safetensors');
    taught('--teacher', 'digits.safetensors', '--temperature', '3', '--alpha', '0.8');
    expect(file('student.safetensors')).not.toEqual(student);
    expect(student.length).toBeLessThan(file('digits.safetensors').length / 3);
    const failing = (...more: string[]) => {
      const { code, stderr } = biphase(folder, ...small, ...more);
      expect(code).not.toBe(0);
      return stderr;
    };
    expect(failing('--alpha', '0.5')).toContain('give one');
    expect(failing('--teacher', 'digits.safetensors', '--scale', '2')).toMatch(
      /digits.safetensors was trained with other transform than these: .*and now .*"scale":2/,
    );
    expect(failing('--teacher', 'gone.safetensors')).toContain('gone.safetensors');
  });

  it('trains with another optimizer, in parts and clipped', () => {
    const how = [
      ...['--optimizer', 'nadam', '--accumulate', '3', '--clip-norm', '1', '--epochs', '2'],
      ...['--lr', '0.01', '--lr-schedule', 'cosine', '--warmup', '5'],
    ];
    well(folder, ...TRAIN, ...IMAGES, ...how, '-o', 'parts.safetensors');
    const run = ['run', 'parts.safetensors', 'images.npy', '--labels', 'labels.idx', '--json'];
    expect(JSON.parse(well(folder, ...run).stdout).accuracy).toBeGreaterThan(0.6);
  });

  it('freezes f32 models, and quantizes on the way', () => {
    well(folder, 'freeze', 'digits.safetensors', '--f32', '-o', 'f32.wasm', '--max-batch', '8');
    well(folder, 'freeze', 'digits.safetensors', '--calibration', 'images.npy', '-o', 'again.wasm');
    expect(file('again.wasm').equals(file('digits.wasm'))).toBe(true);
    well(folder, 'freeze', 'int8.safetensors', '--input-type', 'f32', '--relaxed', '-o', 'relaxed.wasm');
    const { build, input } = JSON.parse(well(folder, 'inspect', 'relaxed.wasm', '--json').stdout);
    expect({ build, input: input.dtype }).toEqual({ build: 'relaxed', input: 'f32' });
  });

  it('learns from CSV, and from JSON layers; and comes close to values', () => {
    const validated = (...args: string[]) =>
      JSON.parse(well(folder, ...TRAIN, ...args, '--json').stdout).validation;
    const csv = [
      '--data',
      'table.csv',
      '--target',
      'digit',
      '--epochs',
      '20',
      '--validation',
      '0.2',
      '-o',
      'csv.safetensors',
    ];
    expect(validated(...csv).accuracy).toBeGreaterThan(0.5);
    const layers = [
      { layer: 'linear', inFeatures: 784, outFeatures: 16 },
      'gelu',
      { layer: 'linear', inFeatures: 16, outFeatures: 1 },
    ];
    writeFileSync(join(folder, 'layers.json'), JSON.stringify(layers));
    const values = [
      'train',
      '--data',
      'images.npy',
      '--labels',
      'labels.npy',
      '--loss',
      'mse',
      '--batch',
      '50',
      '--model',
      'layers.json',
    ];
    const { validation } = JSON.parse(
      well(folder, ...values, '--epochs', '10', '--validation', '0.2', '-o', 'mse.safetensors', '--json')
        .stdout,
    );
    expect(validation.meanSquaredError).toBeLessThan(6);
  });
});

describe('what the training did to its inputs', () => {
  it('is done by every command and every kind of file: floats with a scale, classes with names', () => {
    const count = 200;
    const x = Float32Array.from({ length: count * 4 }, (_, i) => (i * 7919) % 256);
    const rows = Array.from({ length: count }, (_, i) => x.subarray(i * 4, i * 4 + 4));
    const table = rows.map((r) => `${r.join(',')},${r[0] > 127 ? 'high' : 'low'}`).join('\n');
    writeFileSync(join(folder, 'levels.csv'), `a,b,c,d,level\n${table}\n`);
    const scale = ['--scale', '0.0039', '--epochs', '60', '--validation', '0.2', '--json'];
    const trained = JSON.parse(
      well(folder, ...TRAIN, '--data', 'levels.csv', ...scale, '-o', 'levels.safetensors').stdout,
    );
    expect(trained).toMatchObject({ task: 'classification', classes: ['high', 'low'] });
    expect(trained.validation.accuracy).toBeGreaterThan(0.9);
    const int8 = ['--calibration', 'levels.csv', '--target', 'level'];
    well(folder, 'quantize', 'levels.safetensors', ...int8, '-o', 'levels8.safetensors');
    well(folder, 'freeze', 'levels8.safetensors', '-o', 'levels.wasm');
    well(folder, 'freeze', 'levels.safetensors', '--f32', '-o', 'levels-f32.wasm');
    for (const name of ['levels.safetensors', 'levels8.safetensors', 'levels.wasm', 'levels-f32.wasm']) {
      const run = (...args: string[]) => well(folder, 'run', name, 'levels.csv', ...args).stdout;
      expect(JSON.parse(run('--target', 'level', '--json')).accuracy).toBeGreaterThan(0.9);
      expect(new Set(run().trim().split('\n'))).toEqual(new Set(['high', 'low']));
    }
    // Trained on other numbers than bytes: a file that takes them.
    const { input, facts } = JSON.parse(well(folder, 'inspect', 'levels.wasm', '--json').stdout);
    expect([input.dtype, facts.transform.scale, facts.target]).toEqual(['f32', 0.0039, 'level']);
    // The frozen file's values are the model's, bit for bit.
    well(folder, 'run', 'levels8.safetensors', 'levels.csv', '-o', 'a.npy', '--print', 'none');
    well(folder, 'run', 'levels.wasm', 'levels.csv', '-o', 'b.npy', '--print', 'none');
    expect(file('a.npy').equals(file('b.npy'))).toBe(true);
    // Yes and no by the sign of one output; values have no share that is right.
    const yes = ['--target', '4', '--loss', 'bce-with-logits', ...scale, '-o', 'sign.safetensors'];
    expect(
      JSON.parse(well(folder, ...TRAIN, '--data', 'levels.csv', ...yes).stdout).validation.accuracy,
    ).toBeGreaterThan(0.9);
    expect(well(folder, 'run', 'sign.safetensors', 'levels.csv', '--target', 'level').stdout).toMatch(
      / of 200 right: 9/,
    );
    const values = ['--target', 'a', '--loss', 'mse', '--epochs', '1', '-o', 'values.safetensors'];
    writeFileSync(join(folder, 'values.csv'), `a,b\n${rows.map((r) => `${r[0]},${r[1]}`).join('\n')}\n`);
    well(folder, ...TRAIN, '--data', 'values.csv', ...values);
    expect(well(folder, 'run', 'values.safetensors', 'values.csv', '--target', 'a').stdout).toMatch(
      /^mean squared error/,
    );
    expect(
      Number(well(folder, 'run', 'values.safetensors', 'values.csv').stdout.split('\n')[0]),
    ).not.toBeNaN();
  });
});

describe('a training that is stopped', () => {
  it('goes on from its checkpoint to the same weights, bit for bit', async () => {
    const args = [...TRAIN, ...IMAGES, '--epochs', '40', '--checkpoint', 'run.checkpoint', '--every', '20'];
    const whole = well(folder, ...TRAIN, ...IMAGES, '--epochs', '40', '-o', 'whole.safetensors');
    expect(whole.stdout).toContain('trained 1200 steps');
    const first = start(folder, ...args, '-o', 'resumed.safetensors');
    await first.says('stderr', 'step 120 of');
    first.child.kill('SIGINT');
    const { code, stderr } = await first.ended;
    expect(code).toBe(130);
    expect(stderr).toMatch(/stopped after step \d+; the same command with --resume goes on/);
    expect(existsSync(join(folder, 'resumed.safetensors'))).toBe(false);
    expect(JSON.parse(well(folder, 'inspect', 'run.checkpoint', '--json').stdout).kind).toBe('checkpoint');
    well(folder, ...args, '--resume', '-o', 'resumed.safetensors');
    const weights = (name: string) =>
      [...parseSafetensors(file(name)).tensors].map(([n, t]) => [n, Buffer.from(t.bytes).toString('hex')]);
    expect(weights('resumed.safetensors')).toEqual(weights('whole.safetensors'));
    expect(existsSync(join(folder, 'run.checkpoint'))).toBe(false);
  });
});

describe('doctor, bench and help', () => {
  it('doctor explains what would run where', () => {
    const found = JSON.parse(well(folder, 'doctor', '--backend', 'wasm', '--threads', '1', '--json').stdout);
    expect(found.wasm).toContain('SIMD');
    expect(Object.keys(found.limits)).toEqual(['multiply_add', 'dot', 'copy']);
    expect(found.plans).toHaveLength(3);
    for (const plan of found.plans)
      expect(plan.backends.find((b: { chosen: boolean }) => b.chosen)).toMatchObject({ backend: 'wasm' });
  });

  it('bench times a suite and writes JSON', () => {
    const { stdout } = well(
      folder,
      'bench',
      'optimizer',
      '--quick',
      '--threads',
      '1',
      '--json',
      'bench.json',
    );
    expect(stdout).toContain('adamw');
    expect(JSON.parse(file('bench.json').toString()).results).toHaveLength(4);
  });

  it.each(['doctor', 'train', 'quantize', 'freeze', 'run', 'inspect', 'bench', 'serve'])(
    '%s has help with examples',
    (name) => {
      const { stdout } = well(folder, name, '--help');
      expect(stdout).toContain('Examples:');
    },
  );

  it('prints its version', () => {
    expect(biphase(folder, '--version').stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('serve', () => {
  it('answers over HTTP, and finishes what it accepted when told to stop', async () => {
    const server = start(folder, 'serve', 'int8.safetensors', '--port', '0', '--threads', '1', '--json');
    const { url } = JSON.parse(await server.says('stdout', '}'));
    // Bytes, as the model was trained on: what was done to those is done to these.
    const image = [...(parseNpy(file('images.npy')).data as Uint8Array).subarray(0, 784)];
    const ask = (inputs: unknown) =>
      fetch(`${url}/predict`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ inputs }),
      });
    const { outputs } = (await (await ask([image])).json()) as { outputs: number[][] };
    const first = well(folder, 'run', 'int8.safetensors', 'images.npy').stdout.split('\n')[0];
    expect(outputs[0].indexOf(Math.max(...outputs[0]))).toBe(Number(first));
    expect((await ask([[1, 2]])).status).toBe(400);
    expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ status: 'ok', inputShape: [784] });
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('biphase_requests_total');
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
  });

  it('takes the columns of a table as they are, and standardises them as the training did', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => [1000 + 10 * i, (i * 7) % 5, i < 30 ? 'low' : 'high']);
    writeFileSync(join(folder, 'raw.csv'), `height,width,kind\n${rows.map((r) => r.join()).join('\n')}\n`);
    const training = ['--data', 'raw.csv', '--normalize', '--epochs', '40'];
    well(folder, ...TRAIN, ...training, '-o', 'raw.safetensors');
    const server = start(folder, 'serve', 'raw.safetensors', '--port', '0', '--threads', '1', '--json');
    const { url } = JSON.parse(await server.says('stdout', '}'));
    const answer = await fetch(`${url}/predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ inputs: rows.map(([height, width]) => [height, width]) }),
    });
    const { outputs } = (await answer.json()) as { outputs: number[][] };
    const classes = ['high', 'low'];
    const served = outputs.map((values) => classes[values.indexOf(Math.max(...values))]);
    const run = well(folder, 'run', 'raw.safetensors', 'raw.csv').stdout;
    expect(served).toEqual(run.trim().split('\n'));
    expect(served.filter((kind, i) => kind === rows[i][2]).length).toBeGreaterThan(54);
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
  });
});
