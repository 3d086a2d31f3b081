import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine, data, type Engine, f32, i32, nn, optim, type StepReport } from '../../src/node.ts';

let engine: Engine;
let folder: string;
beforeAll(async () => {
  engine = await createEngine({ backend: 'wasm', threads: 1 });
  folder = mkdtempSync(join(tmpdir(), 'biphase-'));
});
afterAll(() => {
  engine.dispose();
  rmSync(folder, { recursive: true });
});

const COUNT = 22;
const input = Float32Array.from({ length: COUNT * 3 }, (_, i) => Math.sin(i * i));
const target = Int32Array.from({ length: COUNT }, (_, i) => i % 2);
const set = data.fromArrays({ input, inputShape: [3], target });
const types = { input: f32(3), target: i32() };
const row = (i: number) => ({ input: input.subarray(i * 3, i * 3 + 3), target: target[i] });
async function* rows(count = COUNT) {
  for (let i = 0; i < count; i++) yield row(i);
}
const stream = (more: object = {}) => data.fromStream(() => rows(), { ...types, ...more });
const start = () =>
  engine.train(nn.sequential(nn.linear(3, 6), nn.relu(), nn.dropout(0.2), nn.linear(6, 2)), {
    ...{ loss: nn.crossEntropy, optimizer: optim.adam({ lr: 0.02 }), seed: 2 },
  });
type Training = Awaited<ReturnType<typeof start>>;
const weightsOf = async (training: Training) =>
  Object.values((await training.freeze()).stateDict()).map(({ data }) => [...(data as Float32Array)]);
async function all(reports: AsyncIterable<StepReport>) {
  const seen: StepReport[] = [];
  for await (const report of reports) seen.push(report);
  return seen;
}
/** What a fit threw, and the steps it made before. */
async function faultOf(reports: AsyncIterable<StepReport>) {
  let steps = 0;
  try {
    for await (const _ of reports) steps++;
  } catch (error) {
    return { steps, error: error as { code: string; message: string; cause?: unknown } };
  }
  throw new Error('nothing was thrown');
}

describe('a fit on a stream', () => {
  it('makes the bits of the same samples by position, whether the length is known or not', async () => {
    const options = { batchSize: 4, epochs: 3 };
    const known = await start();
    const want = await all(known.fit(set, { ...options, shuffle: false }));
    for (const more of [{}, { length: COUNT }]) {
      const training = await start();
      const got = await all(training.fit(stream(more), options));
      const steps = 'length' in more ? 18 : Infinity;
      expect(got.map(({ steps: _, ...rest }) => rest)).toEqual(want.map(({ steps: _, ...rest }) => rest));
      expect(got.slice(0, -1).every((report) => report.steps === steps)).toBe(true);
      expect(got.at(-1)!.steps).toBe(18);
      expect(await weightsOf(training)).toEqual(await weightsOf(known));
      // What it evaluates to is the same as well.
      expect(await training.evaluate(stream(more), { batchSize: 5 })).toEqual(
        await known.evaluate(set, { batchSize: 5 }),
      );
    }
    const dropped = await start();
    expect(await all(dropped.fit(stream(), { ...options, dropLast: true }))).toHaveLength(15);
  });

  it('counts steps of an epoch over passes, of data sets as well', async () => {
    const options = { batchSize: 4, epochs: 3, stepsPerEpoch: 5, shuffle: false };
    const [one, two, three] = [await start(), await start(), await start()];
    const wanted = await all(one.fit(set, options));
    expect(wanted.map(({ epoch }) => epoch)).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3]);
    expect(await all(two.fit(stream(), options))).toEqual(wanted);
    expect(await weightsOf(two)).toEqual(await weightsOf(one));
    // A source without end, which is closed in the end.
    let closed = false;
    const endless = data.fromStream(async function* () {
      try {
        while (true) yield* rows();
      } finally {
        closed = true;
      }
    }, types);
    const looked = await all(
      three.fit(endless, { batchSize: 4, epochs: 2, stepsPerEpoch: 3, validation: { data: stream() } }),
    );
    expect(looked.map(({ validation }) => validation?.samples)).toEqual([
      undefined,
      undefined,
      22,
      undefined,
      undefined,
      22,
    ]);
    await new Promise((resolve) => setTimeout(resolve));
    expect(closed).toBe(true);
  });

  it('goes on from a checkpoint with the same rows, wherever it was left', async () => {
    const shuffled = () => data.shuffle(stream(), { buffer: 7, seed: 1 });
    for (const options of [{ epochs: 2 }, { epochs: 2, stepsPerEpoch: 7 }]) {
      const whole = await start();
      const want = await all(whole.fit(shuffled(), { batchSize: 4, ...options }));
      const bits = await weightsOf(whole);
      for (const left of [1, 5, 6, 8, want.length]) {
        const path = join(folder, `left-${left}`);
        const checkpoint = { path, everySteps: 1, resume: true };
        const first = await start();
        for await (const { done } of first.fit(shuffled(), { batchSize: 4, ...options, checkpoint }))
          if (done === left) break;
        const second = await start();
        const rest = await all(second.fit(shuffled(), { batchSize: 4, ...options, checkpoint }));
        expect(rest).toEqual(want.slice(left));
        expect(await weightsOf(second)).toEqual(bits);
        rmSync(path);
      }
    }
  });

  it('is told what is needed where the rows are others, or there are fewer, and the training stays as it was', async () => {
    const path = join(folder, 'other');
    const first = await start();
    for await (const { done } of first.fit(stream(), { batchSize: 4, checkpoint: { path, everySteps: 1 } }))
      if (done === 3) break;
    const resumed = async (source: data.AnySamples) => {
      const copy = `${path}.copy`;
      copyFileSync(path, copy);
      const training = await start();
      const checkpoint = { path: copy, everySteps: 100, resume: true };
      const found = await faultOf(training.fit(source, { batchSize: 4, checkpoint }));
      expect([found.steps, training.step]).toEqual([0, 0]);
      return found.error;
    };
    const other = data.shuffle(stream(), { buffer: 9, seed: 9 });
    expect(await resumed(other)).toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(
        /some other rows of the 3 batches that pass 0 .* must give the same rows again/,
      ),
    });
    const few = data.fromStream(() => rows(5), types);
    expect((await resumed(few)).message).toMatch(/only 2 of the 3 batches/);
    expect((await resumed(set)).message).toMatch(
      /the fit's data was a stream when .* samples by position now/,
    );
  });

  it('loses nothing where the source throws or gives rows of another shape', async () => {
    const reason = new Error('no line');
    for (const [bad, code] of [
      [() => Promise.reject(reason), 'invalid_data'],
      [async () => ({ input: [1, 2], target: 0 }), 'shape_mismatch'],
    ] as const) {
      const path = join(folder, code);
      const broken = data.fromStream(async function* () {
        for (let i = 0; i < 10; i++) yield row(i);
        yield await bad();
      }, types);
      const training = await start();
      const { steps, error } = await faultOf(
        training.fit(broken, { batchSize: 4, checkpoint: { path, everySteps: 100 } }),
      );
      // Two whole batches; the two rows of the third are read again when it goes on.
      expect([steps, training.step, error.code]).toEqual([2, 2, code]);
      if (code === 'invalid_data') expect(error.cause).toBe(reason);
      const whole = await start();
      const want = await all(whole.fit(stream(), { batchSize: 4 }));
      const second = await start();
      const rest = await all(
        second.fit(stream(), { batchSize: 4, checkpoint: { path, everySteps: 100, resume: true } }),
      );
      expect(rest.map(({ loss }) => loss)).toEqual(want.slice(2).map(({ loss }) => loss));
      // And the first may go on by itself.
      expect(await all(training.fit(stream(), { batchSize: 4 }))).toHaveLength(6);
    }
  });

  it('says where a source ends early, is empty, or is used up', async () => {
    const training = await start();
    const options = { batchSize: 4, epochs: 2 };
    const once = await faultOf(training.fit(data.fromStream(rows(), types), options));
    expect([once.steps, once.error.code]).toEqual([6, 'invalid_argument']);
    expect(once.error.message).toMatch(/gone through once, and that was done: give a function/);
    const short = await faultOf(training.fit(stream({ length: 30 }), options));
    expect([short.steps, short.error.message]).toEqual([
      5,
      'the stream ended after 22 rows; it was said to have 30',
    ]);
    const empty = await faultOf(training.fit(data.fromStream([], types), options));
    expect(empty.error.message).toBe('the stream has no rows; expected at least one batch');
    const few = await faultOf(
      training.fit(
        data.fromStream(() => rows(3), types),
        { ...options, dropLast: true },
      ),
    );
    expect(few.error.message).toMatch(/no whole batch of 4 rows/);
    let pass = 0;
    const ending = data.fromStream(() => rows(pass++ ? 0 : 8), types);
    const ended = await faultOf(training.fit(ending, options));
    expect([ended.steps, ended.error.message]).toEqual([2, expect.stringMatching(/no rows in its pass 1/)]);
    await expect(training.evaluate(data.fromStream([], types))).rejects.toThrow(/no rows/);
    await expect(training.fit(stream(), { ...options, shuffle: true }).next()).rejects.toThrow(
      /data.shuffle/,
    );
    await expect(training.fit(stream({ length: 3 }), options).next()).rejects.toThrow(/has 3 samples/);
    const wide = data.fromStream([], { input: f32(4), target: i32() });
    await expect(training.fit(wide, options).next()).rejects.toThrow(/samples of shape \[3\], got \[4\]/);
    const noTarget = data.fromStream([], { input: f32(3) });
    await expect(training.fit(noTarget, options).next()).rejects.toThrow(/this training takes target/);
  });

  it('stops by its signal while it waits for a row', async () => {
    const training = await start();
    const controller = new AbortController();
    const stalled = data.fromStream(async function* () {
      yield* rows(10);
      await new Promise(() => undefined);
    }, types);
    const fit = training.fit(stalled, { batchSize: 4, stepsPerEpoch: 9, signal: controller.signal });
    await fit.next();
    await fit.next();
    setTimeout(() => controller.abort(), 5);
    await expect(fit.next()).rejects.toMatchObject({
      code: 'aborted',
      message: expect.stringMatching(/after 2 of 9/),
    });
    expect(training.step).toBe(2);
    expect(await all(training.fit(set, { batchSize: 11 }))).toHaveLength(2);
  });

  it('makes steps again from copies, which no source has to give twice nor in arrays of their own', async () => {
    const used = { input: new Float32Array(3), target: new Int32Array(1) };
    const once = data.fromStream(
      (function* () {
        for (let i = 0; i < COUNT; i++) {
          used.input.set(i === 17 ? [Number.NaN, 0, 0] : row(i).input);
          used.target[0] = target[i];
          yield used;
        }
      })(),
      types,
    );
    const training = await start();
    // The loss is read at the end alone: the steps are made again to find the one that was not finite.
    const { error } = await faultOf(training.fit(once, { batchSize: 4, lossEvery: 100 }));
    expect(error).toMatchObject({ code: 'not_finite', step: 5, epoch: 1, quantity: 'input' });
    expect(training.step).toBe(4);
    const same = await start();
    await all(
      same.fit(
        data.fromStream(() => rows(16), types),
        { batchSize: 4 },
      ),
    );
    expect(await weightsOf(training)).toEqual(await weightsOf(same));
  });
});
