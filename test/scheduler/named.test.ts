import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { type data, exportWasm, inspect, nn, optim, type Tensor } from '../../src/index.ts';
import { runByName } from '../support/frozen.ts';
import { measurements, texts, trainClassifier, trainRegression } from '../support/named-models.ts';
import { codeOf, wasmEngine } from '../support/serving.ts';

const folder = mkdtempSync(join(tmpdir(), 'biphase-named-'));
const engine = await wasmEngine();
afterAll(() => {
  engine.dispose();
  rmSync(folder, { recursive: true });
});

const [train, test] = [texts(96, 1), texts(60, 2)];
const [seen, unseen] = [measurements(96, 1), measurements(60, 2)];

/** Trains on and on; the last loss. */
async function fit(
  training: { fit: Awaited<ReturnType<typeof trainClassifier>>['fit'] },
  set: data.NamedDataSet,
  epochs: number,
  more: object = {},
): Promise<number> {
  let last = Number.NaN;
  for await (const { loss } of training.fit(set, { batchSize: 16, epochs, ...more })) last = loss;
  return last;
}

const share = (right: ArrayLike<number>, logits: Float32Array) => {
  const hits = Array.from(right).filter((kind, i) => {
    const row = [...logits.subarray(i * 3, i * 3 + 3)];
    return row.indexOf(Math.max(...row)) === kind;
  });
  return hits.length / right.length;
};

describe('a classifier of tokens with a mask', () => {
  let frozen: Awaited<ReturnType<typeof frozenClassifier>>;
  async function frozenClassifier() {
    const training = await trainClassifier(engine);
    await fit(training, train.set, 20);
    return training.freeze();
  }

  it('learns, and tells new texts apart', async () => {
    frozen = await frozenClassifier();
    expect(frozen.inputs).toEqual({
      ids: { dtype: 'i32', shape: [12] },
      mask: { dtype: 'f32', shape: [12] },
    });
    expect(() => frozen.input).toThrow(/the inputs ids, mask/);
    const infer = await engine.infer(frozen, { batchSize: 7 });
    const logits = await infer(test.inputs);
    expect(logits).toBeInstanceOf(Float32Array);
    expect(share(test.kinds, logits)).toBeGreaterThan(0.9);
  });

  it('goes on after a kill to the same bits', async () => {
    const bundle = join(folder, 'fixture.mjs');
    const entry = fileURLToPath(new URL('./named.fixture.ts', import.meta.url));
    await build({
      ...{ entryPoints: [entry], outfile: bundle, bundle: true, format: 'esm', platform: 'node' },
      ...{ external: ['webgpu'], logLevel: 'error' },
    });
    const path = join(folder, 'killed.safetensors');
    const child = spawn(process.execPath, [bundle, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
    // Killed somewhere in its tenth step or a later one.
    child.stdout.on(
      'data',
      (text) => Number(String(text).trim().split('\n').at(-1)) >= 9 && child.kill('SIGKILL'),
    );
    expect(await ended).toBe('SIGKILL');
    const resumed = await trainClassifier(engine);
    const checkpoint = { path, everySteps: 1000, resume: true };
    const epochs = 1e5;
    for await (const { done } of resumed.fit(train.set, { batchSize: 16, epochs, checkpoint }))
      if (done % 6 === 0) break;
    const whole = await trainClassifier(engine);
    await fit(whole, train.set, resumed.step / 6);
    expect(resumed.step).toBeGreaterThan(9);
    expect((await resumed.freeze()).stateDict()).toEqual((await whole.freeze()).stateDict());
  });

  it('resumes only on the same fields', async () => {
    const path = join(folder, 'fields.safetensors');
    const checkpoint = { path, everySteps: 4, resume: true };
    await fit(await trainClassifier(engine), train.set, 1, { checkpoint });
    const other = texts(96, 1);
    other.inputs.mask.fill(1);
    const again = await trainClassifier(engine);
    await expect(fit(again, other.set, 2, { checkpoint })).rejects.toThrow(
      /the data's inputs.mask are not what/,
    );
  });

  it('becomes int8 where it multiplies, stays f32 where it looks up, and is the same in a file and for many callers', async () => {
    const int8 = await engine.quantize(frozen, { calibration: train.set });
    const again = await engine.quantize(frozen, { calibration: train.inputs });
    expect([...again.ranges]).toEqual([...int8.ranges]);
    expect(int8.report.find(({ op }) => op.includes('gather'))).toMatchObject({ runs: 'f32' });
    expect(int8.report.find(({ op }) => op.includes('matmul'))).toMatchObject({ runs: 'int8' });
    const infer = await engine.infer(int8, { batchSize: 16 });
    const raw = await infer.quantized(test.inputs);
    const logits = await infer(test.inputs);
    expect(share(test.kinds, logits)).toBeGreaterThan(0.85);

    const file = await exportWasm(int8, { maxBatch: 8 });
    expect(inspect(file).inputs.map(({ name, dtype }) => [name, dtype])).toEqual([
      ['ids', 'i32'],
      ['mask', 'f32'],
    ]);
    expect(await runByName(file, test.inputs, 7)).toEqual({ output: raw });

    const predictor = await engine.predictor(int8, { maxBatch: 16 });
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => predictor.predict(one(test.inputs, 12, i))),
    );
    expect(Float32Array.from(answers.flatMap((a) => [...a]))).toEqual(logits);
    expect(await predictor.predict(one(test.inputs, 12, 5))).toEqual(logits.subarray(15, 18));
    expect(predictor.stats().cache.hits).toBe(1);
    await predictor.close();
  });

  it('is the same in f32, in a file', async () => {
    const file = await exportWasm(frozen, { f32: true, maxBatch: 8 });
    const infer = await engine.infer(frozen, { batchSize: 8 });
    expect(await runByName(file, test.inputs, 8)).toEqual({ output: await infer(test.inputs) });
  });

  it('refuses ids without a row, wherever they come from, and says where they are', async () => {
    const ids = test.inputs.ids.slice();
    ids[12 * 3 + 4] = 50;
    const bad = { ids, mask: test.inputs.mask };
    const message =
      "'inputs.ids' holds 50 at position 40; expected whole numbers from 0 to 49 (sample 3 of the batch)";
    const infer = await engine.infer(frozen, { batchSize: 60 });
    await expect(infer(bad)).rejects.toThrow(message);
    expect(await codeOf(infer(bad))).toBe('out_of_range');
    const predictor = await engine.predictor(frozen);
    await expect(predictor.predict(bad)).rejects.toThrow(message);
    ids[40] = -1;
    await expect(predictor.predict(bad)).rejects.toThrow(/holds -1 at position 40/);
    await expect(engine.quantize(frozen, { calibration: bad })).rejects.toThrow(/holds -1 at position 40/);
    const training = await trainClassifier(engine);
    await expect(training.stepOn(bad, test.kinds, 60)).rejects.toThrow(
      /'inputs.ids' holds -1.*sample 3 of the batch/,
    );
    await predictor.close();
  });

  it('refuses inputs by other names, types and lengths, by name', async () => {
    const infer = await engine.infer(frozen, { batchSize: 4 });
    const { ids, mask } = test.inputs;
    const given = (x: unknown) => () => infer(x as never);
    const cases: [() => Promise<unknown>, string | RegExp][] = [
      [given({ ids }), 'inputs.mask is missing; expected { ids, mask }'],
      [given({ ids, mask, extra: mask }), "there is no input 'extra'; expected { ids, mask }"],
      [given(mask), /got Float32Array, expected arrays by name: { ids, mask }/],
      [given(undefined), /got undefined, expected arrays by name/],
      [given({ ids: Float32Array.from(ids), mask }), /inputs.ids: got Float32Array, expected Int32Array/],
      [
        given({ ids: ids.subarray(0, 36), mask: mask.subarray(0, 12) }),
        'inputs.mask has 12 values, expected 3 samples of [12]',
      ],
      [
        given({ ids: ids.subarray(0, 13), mask }),
        'inputs.ids has 13 values, not a whole number of samples of [12]',
      ],
      [given({ ids: ids.subarray(0, 0), mask }), /got no samples/],
    ];
    for (const [call, message] of cases) await expect(call()).rejects.toThrow(message);
    const training = await trainClassifier(engine);
    await expect(training.stepOn({ ids } as never, test.kinds, 60)).rejects.toThrow('inputs.mask is missing');
    await expect(fit(training, seen.set, 1)).rejects.toThrow(/takes i32 \[12\] as inputs.ids, got nothing/);
    await expect(
      exportWasm(await engine.quantize(frozen, { calibration: train.set }), {
        byteInput: { scale: 1, shift: 0 },
      }),
    ).rejects.toThrow(/byteInput is for/);
  });
});

/** Sample i of inputs of `size` values each. */
const one = <A extends Record<string, Float32Array | Int32Array | Uint8Array>>(
  inputs: A,
  size: number,
  i: number,
): A =>
  Object.fromEntries(Object.entries(inputs).map(([k, v]) => [k, v.slice(i * size, (i + 1) * size)])) as A;

describe('a regression with two inputs and two outputs', () => {
  let frozen: Awaited<ReturnType<Awaited<ReturnType<typeof trainRegression>>['freeze']>>;

  it('learns both by the sum of their losses', async () => {
    const training = await trainRegression(engine);
    const before = await fit(training, seen.set, 1);
    const after = await fit(training, seen.set, 60);
    expect(after).toBeLessThan(before / 5);
    frozen = await training.freeze();
    const infer = await engine.infer(frozen, { batchSize: 9 });
    const { sum, gap } = await infer(unseen.inputs);
    const mse = (a: Float32Array, b: Float32Array) =>
      a.reduce((s, x, i) => s + (x - b[i]) ** 2, 0) / a.length;
    expect([sum.length, gap.length]).toEqual([60, 120]);
    expect(mse(sum, unseen.targets.sum)).toBeLessThan(0.15);
    expect(mse(gap, unseen.targets.gap)).toBeLessThan(0.3);
  });

  it('makes steps on batches of the caller, as fits do', async () => {
    const [steps, fits] = [await trainRegression(engine), await trainRegression(engine)];
    await fit(fits, seen.set, 1, { batchSize: 96, shuffle: false });
    await steps.stepOn(seen.inputs, seen.targets, 96);
    expect((await steps.freeze()).stateDict()).toEqual((await fits.freeze()).stateDict());
  });

  it('goes on from a checkpoint to the same bits', async () => {
    const path = join(folder, 'regression.safetensors');
    const whole = await trainRegression(engine);
    await fit(whole, seen.set, 3);
    const left = await trainRegression(engine);
    for await (const { done } of left.fit(seen.set, {
      batchSize: 16,
      epochs: 3,
      checkpoint: { path, everySteps: 2 },
    }))
      if (done === 9) break;
    const resumed = await trainRegression(engine);
    await fit(resumed, seen.set, 3, { checkpoint: { path, everySteps: 100, resume: true } });
    expect((await resumed.freeze()).stateDict()).toEqual((await whole.freeze()).stateDict());
  });

  it('becomes int8, both outputs of it, the same in a file and for many callers', async () => {
    const int8 = await engine.quantize(frozen, { calibration: seen.set });
    const infer = await engine.infer(int8, { batchSize: 16 });
    const [raw, real] = [await infer.quantized(unseen.inputs), await infer(unseen.inputs)];
    expect(raw.sum).toBeInstanceOf(Uint8Array);
    expect(await runByName(await exportWasm(int8, { maxBatch: 8 }), unseen.inputs, 7)).toEqual(raw);
    const f32 = await exportWasm(int8, { maxBatch: 8, output: 'f32' });
    expect(await runByName(f32, unseen.inputs, 1)).toEqual(real);

    const predictor = await engine.predictor(int8, { maxBatch: 16 });
    const { values, image } = unseen.inputs;
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        predictor.predict({
          values: values.subarray(i * 8, i * 8 + 8),
          image: image.subarray(i * 12, i * 12 + 12),
        }),
      ),
    );
    expect(Float32Array.from(answers.flatMap(({ sum }) => [...sum]))).toEqual(real.sum);
    expect(Float32Array.from(answers.flatMap(({ gap }) => [...gap]))).toEqual(real.gap);
    await predictor.close();
  });

  it('says what its targets are, or learns it from data', async () => {
    const options = {
      loss: ((o: never) => o) as never,
      optimizer: optim.sgd(),
      inputs: { x: { dtype: 'f32', shape: [2] } } as const,
    };
    const two = nn.module({ a: nn.linear(2, 1) }, ({ x }: { x: Tensor }, { a }) => ({
      y: a.forward(x),
      z: x,
    }));
    await expect((await engine.train(two, options)).freeze()).rejects.toThrow(
      /the outputs y, z, which don't say what/,
    );
    const both = await trainRegression(engine);
    await expect(fit(both, train.set, 1)).rejects.toThrow(/takes f32 \[4\] as inputs.values/);
    const one = { ...seen.set, targets: { sum: seen.set.targets.sum } };
    await expect(fit(both, one, 1)).rejects.toThrow(
      'the data set has the targets sum; this training takes sum, gap',
    );
  });
});
