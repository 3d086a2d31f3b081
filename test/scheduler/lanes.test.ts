import { afterAll, describe, expect, it } from 'vitest';
import type { Program } from '../../src/backend/backend.ts';
import { sections } from '../../src/graph/plan.ts';
import { data, nn, optim } from '../../src/index.ts';
import { Lanes } from '../../src/scheduler/turns/lanes.ts';
import { onClock, virtualClock } from '../../tools/simulated/clock.ts';
import { codeOf, FEATURES, int8Model, samples, sleep, wasmEngine } from '../support/serving.ts';

const model = await int8Model();
const engine = await wasmEngine();
afterAll(() => engine.dispose());

/** What ran on the engine, in order: 't' for a training step, 'i' for a batch. */
let ran = '';
const compile = engine.backend.compile.bind(engine.backend);
engine.backend.compile = async (source) => {
  const program: Program = await compile(source);
  const { run } = program;
  program.run = (what) => {
    ran += program.plan.name === 'train' ? 't' : 'i';
    run.call(program, what);
  };
  return program;
};

const set = data.fromArrays({
  input: samples(256, 1, 200),
  inputShape: [200],
  target: Int32Array.from({ length: 256 }, (_, i) => i % 10),
});
const options = { loss: nn.crossEntropy, optimizer: optim.adam(), seed: 3 };
const bigger = () => nn.sequential(nn.linear(200, 256), nn.relu(), nn.linear(256, 10));

/** Trains until told to stop; resolves to the number of steps. */
async function trainUntil(stop: AbortSignal): Promise<number> {
  const training = await engine.train(bigger(), options);
  let steps = 0;
  for await (const _ of training.fit(set, { batchSize: 256, epochs: 1e6, dropLast: true })) {
    steps++;
    if (stop.aborted) break;
  }
  training.dispose();
  return steps;
}

describe('training and serving on one engine', () => {
  it('a request waits for at most one training step, however long the delay', async () => {
    const predictor = await engine.predictor(model, { maxBatch: 64, maxDelayMs: 60_000, cache: false });
    const stop = new AbortController();
    const steps = trainUntil(stop.signal);
    await sleep(50);
    for (let i = 0; i < 40; i++) {
      await sleep(i % 5);
      const before = ran.length;
      await predictor.predict(samples(1 + (i % 9), i));
      const waited = ran.slice(before);
      expect(waited).toMatch(/^t?i/);
    }
    stop.abort();
    expect(await steps).toBeGreaterThan(20);
    await predictor.close();
  });

  it('neither starves: callers without a pause leave training a fifth of the time, and get the rest', async () => {
    const clock = virtualClock();
    const [stepMs, batchMs] = [10, 1];
    const own = await wasmEngine();
    onClock(own.backend, clock, {
      run: ({ plan }, section) =>
        plan.name !== 'train' ? batchMs : section ? stepMs / sections.length : stepMs,
    });
    const predictor = await own.predictor(model, { maxBatch: 16, maxDelayMs: 0, cache: false });
    // Snapshots take turns of their own; here are steps alone.
    const training = await own.train(bigger(), { ...options, recovery: false, terminateOnNaN: false });
    const fit = training.fit(set, { batchSize: 256, epochs: 100, dropLast: true });
    await fit.next();
    let [answers, stopped] = [0, false];
    const callers = Array.from({ length: 64 }, async (_, c) => {
      const x = samples(1, c);
      while (!stopped) {
        await predictor.predict(x);
        answers++;
      }
    });
    const ends = [clock.now];
    for await (const _ of fit) ends.push(clock.now);
    const gaps = ends.slice(1).map((t, i) => t - ends[i]);
    stopped = true;
    await Promise.all(callers);
    clock.restore();
    // The rule: a step that waits goes once batches have taken four times as long as the last step did.
    for (const gap of gaps) expect(gap).toBeLessThanOrEqual(stepMs + 4 * stepMs + 2 * batchMs);
    const share = (gaps.length * stepMs) / (ends.at(-1)! - ends[0]);
    expect(share).toBeGreaterThan(0.18);
    // And callers have what is left: not one after the other, but in between.
    expect(share).toBeLessThan(0.35);
    expect(answers).toBeGreaterThan(16 * 20 * gaps.length);
    await predictor.close();
    own.dispose();
  });

  it('training yields after every step while something serves', async () => {
    const predictor = await engine.predictor(model);
    const stop = new AbortController();
    let turns = 0;
    const count = () => {
      turns++;
      if (!stop.signal.aborted) setImmediate(count);
    };
    setImmediate(count);
    let steps = 0;
    const training = await engine.train(nn.linear(200, 10), options);
    for await (const _ of training.fit(set, { batchSize: 4, epochs: 4 })) steps++;
    stop.abort();
    expect(steps).toBe(256);
    expect(turns).toBeGreaterThanOrEqual(256);
    await predictor.close();
  });

  it('answers have the same bits, and training the same weights, as each alone', async () => {
    const train = async (beside?: () => Promise<unknown>) => {
      const training = await engine.train(bigger(), { ...options, input: [200] });
      const asked: Promise<unknown>[] = [];
      for await (const _ of training.fit(set, { batchSize: 64, epochs: 5 })) if (beside) asked.push(beside());
      await Promise.all(asked);
      return (await training.freeze()).stateDict();
    };
    const weights = await train();
    const infer = await engine.infer(model, { batchSize: 1 });
    const predictor = await engine.predictor(model, { maxBatch: 8, cache: false });
    let seed = 0;
    const beside = async () => {
      const x = samples(3, seed++);
      expect(await predictor.predict(x)).toEqual(await infer(x));
    };
    expect(await train(beside)).toEqual(weights);
    expect(seed).toBe(20);
    await predictor.close();
  });

  it('a step that fails hands the engine on', async () => {
    const predictor = await engine.predictor(model, { maxDelayMs: 0 });
    const training = await engine.train(nn.linear(FEATURES, 2), { ...options, input: [FEATURES] });
    const bad = training.stepOn(samples(1, 1), Int32Array.of(7), 1);
    expect(await codeOf(bad)).toBe('out_of_range');
    expect((await predictor.predict(samples(1, 1))).length).toBe(5);
    expect(await codeOf(training.stepOn(samples(1, 1), Int32Array.of(1), 1))).toBe('none');
    await predictor.close();
  });
});

describe('the order of turns', () => {
  it('a waiting step goes after the batches that wait, and before more than four times its own time of them', async () => {
    const clock = virtualClock();
    const lanes = new Lanes();
    let order = '';
    const takes = (what: string, ms: number) => async () => {
      order += what;
      clock.advance(ms);
    };
    const step = () => lanes.training(takes('t', 10));
    const batch = () => lanes.inference(takes('i', 9));
    await step();
    // One batch runs, and a step and nine more batches wait: 40 ms of batches are five.
    await Promise.all([batch(), step(), ...Array.from({ length: 9 }, batch)]);
    clock.restore();
    expect(order).toBe('tiiiiitiiiii');
  });
});
