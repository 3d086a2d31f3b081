import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  createEngine,
  data,
  type EpochReport,
  type FitOptions,
  metrics,
  nn,
  optim,
  type StepReport,
  type Training,
} from '../../src/index.ts';
import { parseSafetensors } from '../../src/io/safetensors.ts';
import { History } from '../../src/scheduler/train/history.ts';

const engine = await createEngine({ backend: 'wasm', threads: 1, build: 'simd128', tiles: 'usual' });
const folder = mkdtempSync(join(tmpdir(), 'biphase-'));
afterAll(() => {
  engine.dispose();
  rmSync(folder, { recursive: true });
});
let names = 0;
const fresh = () => join(folder, `${names++}.checkpoint`);

const points = (count: number, from: number) => {
  const input = Float32Array.from({ length: count * 2 }, (_, i) => Math.sin((from + i) * (from + i)));
  const target = Int32Array.from({ length: count }, (_, i) => (input[i * 2] + input[i * 2 + 1] > 0 ? 1 : 0));
  return data.fromArrays({ input, inputShape: [2], target });
};
const set = points(70, 1);
const validation = { data: points(33, 500), metrics: [metrics.accuracy()] };
/** Learns for three epochs of five steps, then undoes it; asks what was observed. */
const rate: optim.Schedule = (step, observed = []) => (step <= 15 ? 0.05 : 3 + observed.length / 100);
const start = () =>
  engine.train(nn.sequential(nn.linear(2, 8), nn.relu(), nn.dropout(0.1), nn.linear(8, 2)), {
    ...{ loss: nn.crossEntropy, optimizer: optim.adam({ lr: rate }), seed: 4 },
  });
const options = {
  ...{ batchSize: 16, epochs: 12, validation },
  earlyStopping: { patience: 3, monitor: 'loss' },
} satisfies FitOptions;
const weightsOf = async (training: Training) => (await training.freeze()).stateDict();

/** Makes steps up to a report, or to the end. */
async function run(training: Training, more: Partial<FitOptions> = {}, until = Infinity) {
  const fit = training.fit(set, { ...options, ...more });
  const reports: StepReport[] = [];
  for await (const report of fit) {
    reports.push(report);
    if (report.done >= until) break;
  }
  return { reports, history: fit.history };
}

const whole = await start();
const all = await run(whole);
const weights = await weightsOf(whole);
const state = await whole.checkpoint();

describe('a fit with early stopping that is killed', () => {
  it('stops where it should', () => {
    expect(all.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(whole.step).toBe(15);
  });

  it.each([3, 15, 17, 24])(
    'after step %i goes on to the same weights, steps and history, bit for bit',
    async (until) => {
      const path = fresh();
      await run(await start(), { checkpoint: { path, everySteps: 1 } }, until);
      const resumed = await start();
      const rest = await run(resumed, { checkpoint: { path, everySteps: 7, resume: true } });
      expect(rest.reports).toEqual(all.reports.slice(until));
      expect(rest.history).toEqual(all.history);
      expect(await weightsOf(resumed)).toEqual(weights);
      expect(await resumed.checkpoint()).toEqual(state);
    },
  );

  it('comes to the same weights where losses are read seldom', async () => {
    const path = fresh();
    await run(await start(), { lossEvery: 3, checkpoint: { path, everySteps: 4 } }, 17);
    const resumed = await start();
    await run(resumed, { lossEvery: 3, checkpoint: { path, everySteps: 4, resume: true } });
    expect(await weightsOf(resumed)).toEqual(weights);
  });

  it('goes on in a stream', async () => {
    const rows = async function* () {
      for (let i = 0; i < 70; i++) {
        const input = new Float32Array(2);
        const target = new Int32Array(1);
        set.gather([i], input, target);
        yield { input, target };
      }
    };
    const stream = data.fromStream(rows, { input: set.input, target: set.target });
    const go = async (training: Training, more: Partial<FitOptions> = {}) => {
      const fit = training.fit(stream, { ...options, ...more });
      await fit.finish();
      return fit.history;
    };
    const path = fresh();
    const whole = await start();
    const history = await go(whole);
    const onStep = ({ done }: StepReport) => (done === 18 ? 'stop' : undefined);
    await go(await start(), { onStep, checkpoint: { path, everySteps: 100 } });
    const resumed = await start();
    expect(await go(resumed, { checkpoint: { path, everySteps: 100, resume: true } })).toEqual(history);
    expect(await weightsOf(resumed)).toEqual(await weightsOf(whole));
    expect(resumed.step).toBeLessThan(history.length * 5);
  });

  it('does not train on once it has stopped, also in another process', async () => {
    const path = fresh();
    const first = await start();
    await run(first, { checkpoint: { path, everySteps: 100 } });
    for (let i = 0; i < 2; i++) {
      const resumed = await start();
      const rest = await run(resumed, { checkpoint: { path, everySteps: 100, resume: true } });
      expect(rest.reports).toEqual([]);
      expect(rest.history).toEqual(all.history);
      expect(await weightsOf(resumed)).toEqual(weights);
    }
  });

  it('goes on from where its steps led where it may wait longer, as if it had been told so at once', async () => {
    const path = fresh();
    await run(await start(), { checkpoint: { path, everySteps: 100 } });
    const more = { earlyStopping: { patience: 5 } };
    const resumed = await start();
    const rest = await run(resumed, { ...more, checkpoint: { path, everySteps: 100, resume: true } });
    const patient = await start();
    const { reports, history } = await run(patient, more);
    expect(reports.length).toBeGreaterThan(all.reports.length);
    expect(rest.reports).toEqual(reports.slice(all.reports.length));
    expect(rest.history).toEqual(history);
    expect(await weightsOf(resumed)).toEqual(await weightsOf(patient));
  });

  it('load() takes what it left: the best', async () => {
    const path = fresh();
    await run(await start(), { checkpoint: { path, everySteps: 100 } });
    const other = await start();
    await run(other, { epochs: 1 });
    await other.load(path);
    expect(other.step).toBe(15);
    expect(await weightsOf(other)).toEqual(weights);
  });

  it('is refused where it watched something else, or looks at other samples', async () => {
    const path = fresh();
    await run(await start(), { checkpoint: { path, everySteps: 1 } }, 10);
    const checkpoint = () => {
      const copy = fresh();
      copyFileSync(path, copy);
      return { path: copy, everySteps: 1, resume: true };
    };
    const other = { earlyStopping: { monitor: 'accuracy' }, checkpoint: checkpoint() };
    await expect(run(await start(), other)).rejects.toThrow(
      /what earlyStopping watches was loss when .*, and is accuracy now/,
    );
    const samples = { validation: { ...validation, data: points(33, 501) }, checkpoint: checkpoint() };
    await expect(run(await start(), samples)).rejects.toThrow(
      /fit's validation: the data's inputs are not what they were/,
    );
  });

  it('writes files that older versions refuse by their version where there is another state, and only there', async () => {
    const path = fresh();
    const version = () => parseSafetensors(new Uint8Array(readFileSync(path))).metadata.version;
    await run(await start(), { earlyStopping: undefined, checkpoint: { path, everySteps: 1 } }, 3);
    expect(version()).toBe('1');
    await run(await start(), { checkpoint: { path, everySteps: 1 } }, 3);
    expect(version()).toBe('1');
    await run(await start(), { checkpoint: { path, everySteps: 1 } }, 8);
    expect(version()).toBe('2');
  });
});

it.each(['[]', '{"epochs":[]}', '[[{"epoch":"1"}],0,0]', 'x'])(
  'a history that is none is refused: %s',
  (text) => {
    expect(() => new History().resume(text)).toThrow(/the checkpoint's history is '.*', expected the epochs/);
  },
);

describe('a signal', () => {
  const aborted = async (more: Partial<FitOptions>, at: number) => {
    const stop = new AbortController();
    const training = await start();
    const onStep = ({ done }: StepReport) => done === at && stop.abort();
    const error = await run(training, { ...more, onStep, signal: stop.signal }).then(
      () => undefined,
      (e: Error) => e,
    );
    return { training, error };
  };

  it('leaves the best weights, and a checkpoint that goes on from the last', async () => {
    const path = fresh();
    const { training, error } = await aborted({ checkpoint: { path, everySteps: 100 } }, 22);
    expect(error).toMatchObject({
      code: 'aborted',
      message:
        'training was stopped after 22 of 60 steps; the weights are those of the best look, after step 15',
    });
    expect(training.step).toBe(15);
    expect(await weightsOf(training)).toEqual(weights);
    const resumed = await start();
    const checkpoint = { path, everySteps: 100, resume: true };
    const rest = await run(resumed, { checkpoint });
    expect(rest.reports[0]).toMatchObject({ step: 23, done: 23 });
    expect(rest.history).toEqual((await run(await start(), {})).history);
    expect(await weightsOf(resumed)).toEqual(weights);
  });

  it('leaves the last weights with restoreBest: false', async () => {
    const { training, error } = await aborted({ earlyStopping: { restoreBest: false } }, 22);
    expect(error?.message).toBe('training was stopped after 22 of 60 steps; the weights are intact');
    expect(training.step).toBe(22);
  });
});

describe('history and callbacks', () => {
  it('tell each epoch: loss by samples, rate, validation, as JSON', async () => {
    const epochs: EpochReport[] = [];
    const training = await start();
    const onEpoch = (epoch: EpochReport) => void epochs.push(epoch);
    const { reports, history } = await run(training, { epochs: 4, onEpoch });
    const of = (epoch: number) => reports.filter((r) => r.epoch === epoch);
    expect(history).toEqual(
      [1, 2, 3, 4].map((epoch) => ({
        epoch,
        step: epoch * 5,
        loss: of(epoch).reduce((sum, r) => sum + r.loss * r.samples, 0) / 70,
        learningRate: epoch < 4 ? 0.05 : 3.03,
        validation: of(epoch)[4].validation,
      })),
    );
    expect(reports.map(({ samples }) => samples).slice(0, 5)).toEqual([16, 16, 16, 16, 6]);
    expect(epochs).toEqual(history);
    expect(JSON.parse(JSON.stringify(history))).toEqual(history);
  });

  it('come without a loop, and without losses that were not read', async () => {
    const training = await start();
    const history = await training.fit(set, { batchSize: 70, epochs: 3, lossEvery: 2 }).finish();
    expect(history.map(({ epoch, step, loss }) => [epoch, step, typeof loss])).toEqual([
      [1, 1, 'undefined'],
      [2, 2, 'number'],
      [3, 3, 'number'],
    ]);
  });

  it('are awaited, in order, before the loop sees the report', async () => {
    const seen: string[] = [];
    const later = () => new Promise((done) => setTimeout(done, 1));
    const fit = (await start()).fit(set, {
      ...{ batchSize: 32, epochs: 2 },
      async onStep({ done }) {
        await later();
        seen.push(`step ${done}`);
      },
      async onEpoch({ epoch }) {
        await later();
        seen.push(`epoch ${epoch}`);
      },
    });
    for await (const { done } of fit) seen.push(`loop ${done}`);
    const of = (epoch: number, [a, b, c]: number[]) =>
      [a, b].flatMap((i) => [`step ${i}`, `loop ${i}`]).concat(`step ${c}`, `epoch ${epoch}`, `loop ${c}`);
    expect(seen).toEqual([...of(1, [1, 2, 3]), ...of(2, [4, 5, 6])]);
  });

  it.each(['onStep', 'onEpoch'] as const)(
    '%s may stop it, with the best weights and a checkpoint',
    async (name) => {
      const path = fresh();
      const training = await start();
      const stop = (report: { step: number }) => (report.step === 20 ? 'stop' : undefined);
      const checkpoint = { path, everySteps: 100 };
      const { history } = await run(training, { [name]: stop, checkpoint });
      expect(history.length).toBe(4);
      expect(training.step).toBe(15);
      const resumed = await start();
      await run(resumed, { checkpoint: { ...checkpoint, resume: true } });
      expect(await weightsOf(resumed)).toEqual(weights);
    },
  );

  it('errors in one come out as they are, and nothing is lost', async () => {
    const path = fresh();
    const training = await start();
    const oops = new TypeError('oops');
    const onStep = async ({ done }: StepReport) => {
      if (done === 8) throw oops;
    };
    const checkpoint = { path, everySteps: 100 };
    await expect(run(training, { onStep, checkpoint })).rejects.toBe(oops);
    expect(training.step).toBe(8);
    // It is free again, and another goes on from there.
    const resumed = await start();
    const rest = await run(resumed, { checkpoint: { ...checkpoint, resume: true } });
    expect(rest.reports[0].done).toBe(9);
    expect(await weightsOf(resumed)).toEqual(weights);
    await run(training, { epochs: 1 });
    expect(training.step).toBe(13);
  });

  it('an error is not hidden by a checkpoint that can not be written', async () => {
    const training = await start();
    const path = join(mkdtempSync(join(folder, 'gone-')), 'run.checkpoint');
    const onStep = () => {
      rmSync(join(path, '..'), { recursive: true });
      throw new Error('oops');
    };
    const error: unknown = await run(training, {
      lossEvery: 1,
      onStep,
      checkpoint: { path, everySteps: 9 },
    }).catch((e) => e);
    expect(error).toBeInstanceOf(AggregateError);
    expect((error as AggregateError).errors).toMatchObject([{ message: 'oops' }, { code: 'io_failed' }]);
    expect(existsSync(path)).toBe(false);
  });

  it('refuses samples to validate on that do not fit, and what is no callback, before any step', async () => {
    const training = await start();
    const wide = data.fromArrays({
      input: new Float32Array(6),
      inputShape: [3],
      target: Int32Array.of(0, 1),
    });
    const real = data.fromArrays({
      input: new Float32Array(4),
      inputShape: [2],
      target: new Float32Array(2),
    });
    for (const other of [wide, real])
      await expect(run(training, { validation: { data: other } })).rejects.toMatchObject({
        code: 'shape_mismatch',
      });
    await expect(run(training, { onStep: 1 as never })).rejects.toThrow(/onStep is 1/);
    expect(training.step).toBe(0);
  });
});
