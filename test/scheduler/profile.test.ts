import { describe, expect, it } from 'vitest';
import { nn, optim } from '../../src/index.ts';
import { FEATURES, int8Model, samples, wasmEngine } from '../support/serving.ts';

describe('a profile', () => {
  it('has every step, batch and checkpoint, one after the other, in the format of Chrome', async () => {
    const engine = await wasmEngine();
    const predictor = await engine.predictor(await int8Model(), { cache: false, maxDelayMs: 0 });
    const training = await engine.train(nn.linear(FEATURES, 2), {
      ...{ loss: nn.mse, optimizer: optim.sgd(), input: [FEATURES], recovery: false },
    });
    const step = () => training.stepOn(samples(4, 1), new Float32Array(8), 4);
    await step();
    const profile = engine.profile();
    for (let i = 0; i < 5; i++) await Promise.all([step(), predictor.predict(samples(1, i))]);
    await training.checkpoint();
    const trace = JSON.parse(JSON.stringify(profile.stop()));
    await step();
    const spans = trace.traceEvents.filter((e: { ph: string }) => e.ph === 'X');
    const count = (name: string) => spans.filter((e: { name: string }) => e.name === name).length;
    expect([count('training step'), count('batch'), count('upkeep')]).toEqual([5, 5, 1]);
    // One engine does one thing at a time.
    let end = 0;
    for (const { ts, dur, pid, tid, args } of spans.sort(
      (a: { ts: number }, b: { ts: number }) => a.ts - b.ts,
    )) {
      expect(ts).toBeGreaterThanOrEqual(end - 0.001);
      end = ts + dur;
      expect([pid, tid > 0, args.waited_ms >= 0]).toEqual([1, true, true]);
    }
    const names = trace.traceEvents.filter((e: { ph: string }) => e.ph === 'M');
    expect(names.map((e: { args: { name: string } }) => e.args.name)).toContain('training step');
    // Stopped is stopped.
    expect(profile.stop().traceEvents.length).toBe(trace.traceEvents.length);
    await predictor.close();
    engine.dispose();
  });
});
