import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dtypeOf } from '../../src/core/dtype.ts';
import { data, type FitOptions, nn, optim, Random, type StepReport, type Training } from '../../src/index.ts';
import { elementsOf, parseSafetensors, writeSafetensors } from '../../src/io/safetensors.ts';
import { seal, UNSEALED } from '../../src/io/seal.ts';
import { KEPT, keptData, keptTraining } from '../support/kept-training.ts';
import { codeOf, referenceEngine, wasmEngine } from '../support/serving.ts';

const folder = mkdtempSync(join(tmpdir(), 'biphase-checkpoint-'));
const engine = await wasmEngine();
const set = keptData();
afterAll(() => {
  engine.dispose();
  rmSync(folder, { recursive: true });
});

let names = 0;
const fresh = () => join(folder, `${names++}.safetensors`);

/** Runs a fit to its end, or up to `until` reports. */
async function fit(training: Training, more: Partial<FitOptions>, until = Number.POSITIVE_INFINITY) {
  const reports: StepReport[] = [];
  for await (const r of training.fit(set, { ...KEPT, ...more })) if (reports.push(r) >= until) break;
  return reports;
}
/** What a writer that was killed leaves beside a file. */
const temporaries = (path: string) =>
  readdirSync(folder)
    .filter((name) => name.startsWith(`${basename(path)}.`) && name.endsWith('.tmp'))
    .map((name) => join(folder, name));
const weightsOf = async (training: Training) => (await training.freeze()).stateDict();

describe('checkpoints', () => {
  it('made before models had buffers go on to the weights they always came to', async () => {
    const random = new Random(3);
    const draw = (length: number) => Float32Array.from({ length }, () => random.uniform() * 4 - 2);
    const [input, target] = [draw(6 * 24), draw(2 * 24)];
    const set = data.fromArrays({ input, target, inputShape: [6], targetShape: [2] });
    const model = nn.sequential({ fc1: nn.linear(6, 5), act: nn.relu(), fc2: nn.linear(5, 2) });
    const options = { loss: nn.mse, optimizer: optim.adamw({ lr: 0.01 }), seed: 5 };
    const training = await referenceEngine().train(model, options);
    const path = fresh();
    copyFileSync(new URL('checkpoint-version-1.safetensors', import.meta.url), path);
    const checkpoint = { path, everySteps: 1000, resume: true };
    const steps: number[] = [];
    for await (const r of training.fit(set, { batchSize: 8, epochs: 4, seed: 1, checkpoint }))
      steps.push(r.step);
    expect(steps).toEqual([7, 8, 9, 10, 11, 12]);
    const hash = createHash('sha256');
    for (const { data } of Object.values(await weightsOf(training))) hash.update(data);
    expect(hash.digest('hex')).toBe('a65fa97d91629397f80a2457fc3c7caff574a3bf677eb387b116bda1c25c7911');
  });

  it('a fit that its signal stops leaves a checkpoint of the last whole step', async () => {
    const whole = await keptTraining(engine);
    const all = await fit(whole, { epochs: 3 });
    const path = fresh();
    const stop = new AbortController();
    const stopped = await keptTraining(engine);
    const leaving = async () => {
      const options = { ...KEPT, epochs: 3, checkpoint: { path, everySteps: 100 }, signal: stop.signal };
      for await (const { done } of stopped.fit(set, options)) if (done === 5) stop.abort();
    };
    expect(await codeOf(leaving())).toBe('aborted');
    const resumed = await keptTraining(engine);
    const rest = await fit(resumed, { epochs: 3, checkpoint: { path, everySteps: 100, resume: true } });
    expect(rest).toEqual(all.slice(5));
    expect(await weightsOf(resumed)).toEqual(await weightsOf(whole));
  });

  it('a resumed fit gives the weights and losses of an uninterrupted one, bit for bit, from any step', async () => {
    const whole = await keptTraining(engine);
    const all = await fit(whole, { epochs: 3 });
    expect(all.length).toBe(12);
    const want = await weightsOf(whole);
    for (const left of [1, 4, 6, 11]) {
      const path = fresh();
      await fit(await keptTraining(engine), { epochs: 3, checkpoint: { path, everySteps: 1 } }, left);
      const resumed = await keptTraining(engine);
      const rest = await fit(resumed, { epochs: 3, checkpoint: { path, everySteps: 1, resume: true } });
      expect(rest).toEqual(all.slice(left));
      expect(await weightsOf(resumed)).toEqual(want);
      // It is over: going on again makes no step.
      expect(await fit(resumed, { epochs: 3, checkpoint: { path, everySteps: 1, resume: true } })).toEqual(
        [],
      );
      expect(await weightsOf(resumed)).toEqual(want);
    }
  });

  it('begins at the beginning where there is no file yet, and goes on for more epochs where there is', async () => {
    const path = fresh();
    const options = { checkpoint: { path, everySteps: 3, resume: true } };
    expect((await fit(await keptTraining(engine), { ...options, epochs: 1 })).length).toBe(4);
    const more = await keptTraining(engine);
    expect((await fit(more, { ...options, epochs: 2 })).map((r) => r.step)).toEqual([5, 6, 7, 8]);
    const whole = await keptTraining(engine);
    await fit(whole, { epochs: 2 });
    expect(await weightsOf(more)).toEqual(await weightsOf(whole));
  });

  it('with lossEvery, the file holds the step that it says', async () => {
    const path = fresh();
    await fit(await keptTraining(engine), { epochs: 2, lossEvery: 3, checkpoint: { path, everySteps: 5 } });
    const { metadata } = parseSafetensors(readFileSync(path));
    expect(metadata.step).toBe('8');
    expect(JSON.parse(metadata.position)).toEqual({ ...KEPT, done: 8, shuffle: true, samples: 72 });
  });

  it('save and load carry the moments: the steps after are the same', async () => {
    const path = fresh();
    const one = await keptTraining(engine);
    await fit(one, { epochs: 1 });
    await one.save(path);
    const two = await keptTraining(engine);
    await two.load(path);
    expect(two.step).toBe(4);
    expect(await fit(two, { batchSize: 8 })).toEqual(await fit(one, { batchSize: 8 }));
    expect(await weightsOf(two)).toEqual(await weightsOf(one));
  });

  it('is a safetensors file with the names of the state dict', async () => {
    const training = await keptTraining(engine);
    await fit(training, { epochs: 1 });
    const { tensors } = parseSafetensors(await training.checkpoint());
    const state = await weightsOf(training);
    const { parameters } = await training.freeze();
    expect([...tensors.keys()]).toEqual([
      ...Object.keys(state),
      ...['exp_avg', 'exp_avg_sq'].flatMap((m) => parameters.map(({ name }) => `optimizer.${m}.${name}`)),
    ]);
    expect(Object.keys(state)).toContain('1.running_mean');
    for (const [name, { data, shape }] of Object.entries(state)) {
      expect(elementsOf(tensors.get(name)!, dtypeOf(data)!)).toEqual(data);
      expect(tensors.get(name)!.shape).toEqual(shape);
    }
  });
});

describe('files that are not what they should be', () => {
  it('damaged, cut or foreign: a typed error, and nothing is half loaded', async () => {
    const training = await keptTraining(engine);
    await fit(training, { epochs: 1 });
    const sound = await training.checkpoint();
    await fit(training, { epochs: 1 });
    const before = await training.checkpoint();
    const refuses = async (bytes: Uint8Array) => {
      expect(await codeOf(training.restore(bytes))).toBe('invalid_data');
    };
    const edit = fc.record({ at: fc.nat(sound.length - 1), flip: fc.integer({ min: 1, max: 255 }) });
    // Half of the edits in the header, where they do most.
    const early = fc.record({ at: fc.nat(900), flip: fc.integer({ min: 1, max: 255 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(edit, early), { minLength: 1, maxLength: 4 }), async (edits) => {
        const bytes = sound.slice();
        for (const { at, flip } of edits) bytes[at] ^= flip;
        if (bytes.every((b, i) => b === sound[i])) return;
        await refuses(bytes);
      }),
      { numRuns: 60 },
    );
    for (const length of [0, 8, 100, 2000, sound.length / 2, sound.length - 1])
      await refuses(sound.slice(0, length));
    await refuses(Uint8Array.from([...sound.subarray(0, 4000), 1, 2, 3]));
    await refuses(writeSafetensors([], {}));
    await refuses(new TextEncoder().encode('not a checkpoint at all, but long enough'));
    expect(await training.checkpoint()).toEqual(before);
    await training.restore(sound);
    expect(await training.checkpoint()).toEqual(sound);
  });

  /** A sealed checkpoint with other metadata or tensors: sound, and yet wrong. */
  async function forged(change: Record<string, string>, drop = '') {
    const { tensors, metadata } = parseSafetensors(await (await keptTraining(engine)).checkpoint());
    const kept = [...tensors].filter(([name]) => name !== drop);
    const file = writeSafetensors(
      kept.map(([name, t]) => ({
        name,
        shape: t.shape,
        data: elementsOf(t, t.dtype === 'I32' ? 'i32' : 'f32'),
      })),
      { ...metadata, ...change, sha256: UNSEALED },
    );
    await seal(file);
    return file;
  }

  it.each([
    [{ step: '-1' }, 'invalid_data', /step is '-1'/],
    [{ step: '1e999' }, 'invalid_data', /step is '1e999'/],
    [{ version: '3' }, 'invalid_data', /version '3'; this library reads 1 and 2/],
    [{ format: 'pt' }, 'invalid_data', /not a checkpoint/],
    [{ position: '{"done":-4}' }, 'invalid_data', /position/],
    [{ position: 'null' }, 'invalid_data', /position/],
    [{ stopping: '{"monitor":"loss"}' }, 'invalid_data', /the checkpoint's stopping is/],
    [
      { stopping: '{"monitor":"loss","waited":1,"left":true,"other":3}' },
      'shape_mismatch',
      /missing 0.weight/,
    ],
    [{ seed: '12' }, 'invalid_argument', /the training's seed was 12 .* and is 11 now/],
  ])('sealed but wrong: %j', async (change, code, message) => {
    const training = await keptTraining(engine);
    await expect(training.restore(await forged(change as Record<string, string>))).rejects.toMatchObject({
      code,
      message,
    });
    expect(training.step).toBe(0);
  });

  it("another model's, another optimizer's, or with a tensor missing", async () => {
    const training = await keptTraining(engine);
    await expect(training.restore(await forged({}, '0.bias'))).rejects.toMatchObject({
      code: 'shape_mismatch',
      message: /missing 0.bias; unknown nothing/,
    });
    const file = await training.checkpoint();
    const options = { loss: nn.crossEntropy, optimizer: optim.adamw(), seed: 11, input: [256] };
    const other = await engine.train(nn.sequential(nn.linear(256, 4)), options);
    await expect(other.restore(file)).rejects.toMatchObject({
      code: 'shape_mismatch',
      message: /another model's/,
    });
    const sgd = await engine.train(nn.linear(256, 4), { ...options, optimizer: optim.sgd() });
    await expect(sgd.restore(file)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: /the optimizer was .*adamw.*sgd/,
    });
  });

  it('made by a fit that went through its data otherwise', async () => {
    const path = fresh();
    await fit(await keptTraining(engine), { epochs: 1, checkpoint: { path, everySteps: 4 } });
    for (const [more, message] of [
      [{ batchSize: 8 }, /batchSize was 16 .* is 8 now/],
      [{ seed: 6 }, /seed was 5/],
      [{ shuffle: false }, /shuffle was true/],
    ] as const) {
      const resuming = fit(await keptTraining(engine), {
        ...more,
        checkpoint: { path, everySteps: 4, resume: true },
      });
      await expect(resuming).rejects.toMatchObject({ code: 'invalid_argument', message });
    }
  });
});

describe('a disk that does not take it', () => {
  const attempt = async (path: string) => {
    const training = await keptTraining(engine);
    const error = await fit(training, { epochs: 1, checkpoint: { path, everySteps: 2 } }).then(
      () => undefined,
      (e) => e,
    );
    expect(error).toMatchObject({ code: 'io_failed' });
    // Found out before the first step. The training is whole, and goes on.
    expect(training.step).toBe(0);
    expect((await fit(training, { epochs: 1 })).length).toBe(4);
    return error.message as string;
  };

  it('no such folder, or a folder where the file should be', async () => {
    expect(await attempt(join(folder, 'nowhere', 'x'))).toMatch(
      /there is no folder .*nowhere; make it first/,
    );
    const path = fresh();
    mkdirSync(path);
    expect(await attempt(path)).toMatch(/EISDIR/);
    expect(await codeOf((await keptTraining(engine)).load(path))).toBe('io_failed');
    expect(await codeOf((await keptTraining(engine)).load(fresh()))).toBe('io_failed');
  });
});

describe.skipIf(process.platform === 'win32')('a process that is killed', () => {
  const script = join(folder, 'train.mjs');
  beforeAll(async () => {
    const entry = fileURLToPath(new URL('./checkpoint.fixture.ts', import.meta.url));
    await build({
      entryPoints: [entry],
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['webgpu'],
    });
  });

  /** Settles when the child has told of a step. */
  const stepped = (child: ChildProcess) => new Promise((resolve) => child.stdout!.once('data', resolve));

  it('at any moment, 50 times, leaves a checkpoint that loads; the weights are those of one that was not', async () => {
    const path = fresh();
    const training = await keptTraining(engine);
    let [step, whileWriting] = [0, 0];
    for (let kill = 0; kill < 50; kill++) {
      const child = spawn(process.execPath, [script, path, '1'], { stdio: ['ignore', 'pipe', 'inherit'] });
      const gone = new Promise((resolve) => child.once('exit', resolve));
      await stepped(child);
      // Over some steps, in steps of less than one; they spend most of their time in writing.
      await new Promise((resolve) => setTimeout(resolve, (kill * 7) % 40));
      child.kill('SIGKILL');
      await gone;
      for (const left of temporaries(path)) {
        whileWriting++;
        rmSync(left);
      }
      await training.load(path);
      expect(training.step).toBeGreaterThan(step);
      step = training.step;
    }
    expect(whileWriting).toBeGreaterThan(5);
    const whole = await keptTraining(engine);
    await fit(whole, { epochs: Math.ceil(step / 4) }, step);
    expect(whole.step).toBe(step);
    expect(await weightsOf(training)).toEqual(await weightsOf(whole));
  }, 240_000);

  it('a limit on the size of files, met while writing: a typed error, the old file as it was', async () => {
    const path = fresh();
    await promisify(execFile)(process.execPath, [script, path, '4', '1']);
    const before = readFileSync(path);
    const limited = `ulimit -f ${Math.floor(before.length / 2 / 1024)}; exec "$0" "$@"`;
    const { stdout } = await promisify(execFile)('bash', [
      '-c',
      limited,
      process.execPath,
      script,
      path,
      '2',
      '3',
    ]);
    expect(stdout).toMatch(/io_failed: could not write .*EFBIG/);
    expect(readFileSync(path)).toEqual(before);
    expect(temporaries(path)).toEqual([]);
    await promisify(execFile)(process.execPath, [script, path, '2', '3']);
    expect(parseSafetensors(readFileSync(path)).metadata.step).toBe('12');
  });
});
