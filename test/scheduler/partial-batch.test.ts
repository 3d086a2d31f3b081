import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine, data, type Engine, nn, optim } from '../../src/index.ts';

const SAMPLES = 5;
const seen: number[] = [];
/** Five samples of one number each; notes which ones a batch takes. */
const inner = data.fromArrays({
  input: Float32Array.of(1, 2, 3, 4, 5),
  inputShape: [1],
  target: Float32Array.of(2, 4, 6, 8, 10),
  targetShape: [1],
});
const set: data.DataSet = {
  ...inner,
  length: SAMPLES,
  gather(indices, input, target) {
    seen.push(...Array.from(indices));
    return inner.gather(indices, input, target);
  },
};

describe('samples that fill no whole batch', () => {
  let engine: Engine;
  let folder: string;
  beforeAll(async () => {
    engine = await createEngine({ backend: 'wasm', threads: 1 });
    folder = mkdtempSync(join(tmpdir(), 'biphase-partial-'));
  });
  afterAll(() => {
    engine.dispose();
    rmSync(folder, { recursive: true });
  });
  const start = (optimizer = optim.sgd({ lr: 0.01 })) =>
    engine.train(nn.sequential(nn.linear(1, 1)), {
      ...{ loss: nn.mse, optimizer, seed: 3, input: [1] },
      recovery: false,
    });

  it.each([true, false])('are a smaller batch of their own, shuffle %s', async (shuffle) => {
    seen.length = 0;
    const training = await start();
    const steps: number[] = [];
    for await (const { step } of training.fit(set, { batchSize: 2, epochs: 2, shuffle })) steps.push(step);
    expect(steps).toEqual([1, 2, 3, 4, 5, 6]);
    for (const epoch of [0, 1]) {
      const own = seen.slice(epoch * SAMPLES, (epoch + 1) * SAMPLES);
      expect([...own].sort()).toEqual([0, 1, 2, 3, 4]);
    }
    training.dispose();
  });

  it('count by their own number in the mean of the loss, as steps on them alone', async () => {
    const [fitted, stepped] = [await start(optim.adam()), await start(optim.adam())];
    const losses: number[] = [];
    for await (const { loss } of fitted.fit(set, { batchSize: 2, shuffle: false, lossEvery: 1 }))
      losses.push(loss);
    const alone: number[] = [];
    for (const at of [[0, 1], [2, 3], [4]]) {
      const [x, t] = [new Float32Array(at.length), new Float32Array(at.length)];
      await inner.gather(Uint32Array.from(at), x, t);
      alone.push(await stepped.stepOn(x, t, at.length));
    }
    expect(losses).toEqual(alone);
    fitted.dispose();
    stepped.dispose();
  });

  it('are reported in their order where losses are read now and then', async () => {
    const training = await start();
    const steps: number[] = [];
    const options = { batchSize: 2, epochs: 3, lossEvery: 2 };
    for await (const { done } of training.fit(set, options)) steps.push(done);
    expect(steps).toEqual([2, 4, 6, 8, 9]);
    training.dispose();
  });

  it('are left out with dropLast', async () => {
    seen.length = 0;
    const training = await start();
    for await (const _ of training.fit(set, { batchSize: 2, epochs: 2, shuffle: false, dropLast: true }));
    expect(seen).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
    training.dispose();
  });

  it('stay as they were in a training that is taken up again', async () => {
    const path = join(folder, 'checkpoint');
    const options = { batchSize: 2, epochs: 3, checkpoint: { path, everySteps: 1 } };
    const whole = await start(optim.adam());
    for await (const _ of whole.fit(set, { ...options, checkpoint: undefined }));
    const first = await start(optim.adam());
    for await (const { done } of first.fit(set, options)) if (done === 4) break;
    const second = await start(optim.adam());
    const resume = { ...options.checkpoint, resume: true };
    await expect(async () => {
      for await (const _ of second.fit(set, { ...options, dropLast: true, checkpoint: resume }));
    }).rejects.toThrow(/dropLast was false/);
    for await (const _ of second.fit(set, { ...options, checkpoint: resume }));
    const [a, b] = [await whole.freeze(), await second.freeze()];
    expect(b.parameters.map((p) => [...b.values(p.parameter)])).toEqual(
      a.parameters.map((p) => [...a.values(p.parameter)]),
    );
    for (const t of [whole, first, second]) t.dispose();
  });
});
