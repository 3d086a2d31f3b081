import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine, data, type Engine, metrics, nn, optim, type StepReport } from '../../src/index.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ backend: 'wasm', threads: 1 });
});
afterAll(() => engine.dispose());

const points = (count: number, from: number) => {
  const input = Float32Array.from({ length: count * 2 }, (_, i) => Math.sin((from + i) * (from + i)));
  const target = Int32Array.from({ length: count }, (_, i) => (input[i * 2] + input[i * 2 + 1] > 0 ? 1 : 0));
  return data.fromArrays({ input, inputShape: [2], target });
};
const start = (rate: number | ((step: number) => number) = 0.05) =>
  engine.train(nn.sequential(nn.linear(2, 8), nn.relu(), nn.linear(8, 2)), {
    ...{ loss: nn.crossEntropy, optimizer: optim.adam({ lr: rate }), seed: 4 },
  });

/** All reports with a validation. */
async function looks(reports: AsyncIterable<StepReport>) {
  const seen: StepReport[] = [];
  for await (const report of reports) if (report.validation) seen.push(report);
  return seen;
}
const weightsOf = async (training: Awaited<ReturnType<typeof start>>) =>
  Object.values((await training.freeze()).stateDict()).map(({ data }) => [...(data as Float32Array)]);

describe('a fit that validates', () => {
  it('looks after each epoch, with metrics, and changes nothing', async () => {
    const [plain, watched] = [await start(), await start()];
    for await (const _ of plain.fit(points(70, 1), { batchSize: 16, epochs: 4 }));
    const validation = { data: points(33, 500), metrics: [metrics.accuracy(), metrics.f1()], batchSize: 10 };
    const seen = await looks(watched.fit(points(70, 1), { batchSize: 16, epochs: 4, validation }));
    expect(seen.map(({ epoch, done }) => [epoch, done])).toEqual([
      [1, 5],
      [2, 10],
      [3, 15],
      [4, 20],
    ]);
    expect(await weightsOf(watched)).toEqual(await weightsOf(plain));
    const last = seen[3].validation!;
    expect(last.metrics.accuracy).toBeGreaterThan(0.8);
    expect(last.samples).toBe(33);
    // The same whatever the size of its batches, and asked for apart.
    const apart = await watched.evaluate(points(33, 500), { metrics: validation.metrics, batchSize: 64 });
    expect(apart.metrics).toEqual(last.metrics);
    expect(apart.loss).toBeCloseTo(last.loss, 5);
  });

  it('looks every few epochs and after the last, also where losses are read seldom', async () => {
    const training = await start();
    const options = {
      batchSize: 16,
      epochs: 5,
      lossEvery: 3,
      validation: { data: points(9, 7), everyEpochs: 2 },
    };
    const seen = await looks(training.fit(points(64, 1), options));
    expect(seen.map(({ epoch }) => epoch)).toEqual([2, 4, 5]);
  });

  it('stops where nothing becomes better, and gives the best weights back', async () => {
    // Rates that learn for two epochs of four steps, then undo it.
    const training = await start((step) => (step <= 8 ? 0.05 : 5));
    const best = await start((step) => (step <= 8 ? 0.05 : 5));
    const validation = { data: points(40, 900) };
    for await (const _ of best.fit(points(64, 1), { batchSize: 16, epochs: 2 }));
    const earlyStopping = { patience: 2 };
    const seen = await looks(
      training.fit(points(64, 1), { batchSize: 16, epochs: 9, validation, earlyStopping }),
    );
    expect(seen.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
    expect(training.step).toBe(8);
    expect(await weightsOf(training)).toEqual(await weightsOf(best));
    // And it goes on from there.
    for await (const _ of training.fit(points(64, 1), { batchSize: 16 }));
    expect(training.step).toBe(12);
  });

  it('keeps in its checkpoint what it left: the best', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'biphase-'));
    const path = join(folder, 'best.safetensors');
    const training = await start((step) => (step <= 4 ? 0.05 : 5));
    const options = { batchSize: 16, epochs: 3, validation: { data: points(40, 900) }, earlyStopping: {} };
    await looks(training.fit(points(64, 1), { ...options, checkpoint: { path, everySteps: 2 } }));
    const other = await start();
    await looks(other.fit(points(64, 1), { batchSize: 16, validation: options.validation }));
    await other.load(path);
    expect(other.step).toBe(4);
    expect(await weightsOf(other)).toEqual(await weightsOf(training));
    rmSync(folder, { recursive: true });
  });

  it('gives the best weights back where the epochs run out, and keeps the last where it is told to', async () => {
    const rate = (step: number) => (step <= 4 ? 0.05 : 5);
    const [restored, kept] = [await start(rate), await start(rate)];
    const options = { batchSize: 16, epochs: 3, validation: { data: points(40, 900) } };
    await looks(restored.fit(points(64, 1), { ...options, earlyStopping: { patience: 9 } }));
    await looks(kept.fit(points(64, 1), { ...options, earlyStopping: { patience: 9, restoreBest: false } }));
    expect([restored.step, kept.step]).toEqual([4, 12]);
  });

  it('takes the direction of a metric, and no improvement below minDelta', async () => {
    const training = await start(0);
    const validation = { data: points(40, 900), metrics: [metrics.accuracy()] };
    const earlyStopping = { monitor: 'accuracy', patience: 3 };
    const seen = await looks(
      training.fit(points(64, 1), { batchSize: 16, epochs: 9, validation, earlyStopping }),
    );
    expect(seen.length).toBe(4);
  });

  it.each<[what: string, options: object, message: RegExp]>([
    ['stopping without looking', { earlyStopping: {} }, /earlyStopping needs to know what to watch/],
    [
      'a metric that is not measured',
      { validation: { data: points(4, 1) }, earlyStopping: { monitor: 'accuracy' } },
      /monitor is 'accuracy', expected one of what the validation measures: loss/,
    ],
    ['an option that is none', { validation: { data: points(4, 1), every: 2 } }, /unknown option 'every'/],
    [
      'a patience of 0',
      { validation: { data: points(4, 1) }, earlyStopping: { patience: 0 } },
      /patience is 0/,
    ],
    ['no metric', { validation: { data: points(4, 1), metrics: ['accuracy'] } }, /metrics is/],
  ])('refuses %s', async (_, options, message) => {
    const training = await start();
    await expect(looks(training.fit(points(32, 1), { batchSize: 16, ...options }))).rejects.toThrow(message);
  });
});
