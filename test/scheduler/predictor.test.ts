import fc from 'fast-check';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { contentKey } from '../../src/core/content.ts';
import { costOfSteps } from '../../src/graph/plan.ts';
import { nn, ops, type Predictor, type PredictorOptions } from '../../src/index.ts';
import { nextTurn } from '../../src/scheduler/turns/turns.ts';
import { untrained } from '../support/frozen.ts';
import {
  codeOf,
  FEATURES,
  int8Model,
  referenceEngine,
  samples,
  sleep,
  wasmEngine,
} from '../support/serving.ts';

const model = await int8Model();
const engine = await wasmEngine();
const alone = await engine.infer(model, { batchSize: 1 });
afterAll(() => engine.dispose());

/** What each request of the property tests must be answered with: one sample after the other, unbatched. */
const oracle = new Map<string, Float32Array>();
for (let rows = 1; rows <= 6; rows++)
  for (let content = 0; content <= 12; content++)
    oracle.set(`${rows} ${content}`, await alone(samples(rows, content)));

async function using(options: PredictorOptions, run: (p: Predictor) => Promise<void>): Promise<void> {
  const predictor = await engine.predictor(model, options);
  await run(predictor);
  await predictor.close();
}

/** Rows `from` to `to` of an array of samples. */
const rowsOf = (x: Float32Array, from: number, to: number) => x.slice(from * FEATURES, to * FEATURES);

describe('a predictor', () => {
  it('gives the same bits with and without batching, for every number of samples', () =>
    using({ maxBatch: 20, cache: false }, async (p) => {
      for (let count = 1; count <= 20; count++) {
        const x = samples(count, 100 + count);
        expect(await p.predict(x)).toEqual(await alone(x));
      }
      const many = samples(200, 9);
      const want = await alone(many);
      const got = await Promise.all(Array.from({ length: 200 }, (_, i) => p.predict(rowsOf(many, i, i + 1))));
      expect(Float32Array.from(got.flatMap((y) => [...y]))).toEqual(want);
      expect(p.stats().batches).toBeLessThan(20 + 12);
    }));

  it('waits for no timer while nothing runs', () =>
    using({ maxBatch: 8, cache: false }, async (p) => {
      vi.useFakeTimers({ toFake: ['setTimeout'] });
      try {
        for (let i = 0; i < 5; i++)
          expect(await p.predict(samples(1, i))).toEqual(await alone(samples(1, i)));
        expect(p.stats()).toMatchObject({ batches: 5, samples: 5 });
      } finally {
        vi.useRealTimers();
      }
    }));

  it('makes a batch of what one turn of the thread brings, and the next of what comes while it runs', async () => {
    const own = await wasmEngine();
    // A device that answers when it is told to.
    const answers: (() => void)[] = [];
    let hold = false;
    const compile = own.backend.compile.bind(own.backend);
    own.backend.compile = async (plan) => {
      const program = await compile(plan);
      const read = program.read.bind(program);
      program.read = async (slot, into) => {
        if (hold) await new Promise<void>((resolve) => answers.push(resolve));
        return read(slot, into);
      };
      return program;
    };
    const p = await own.predictor(model, { maxBatch: 8, cache: false });
    hold = true;
    const asked: Promise<Float32Array>[] = [];
    const ask = () => asked.push(p.predict(samples(1, asked.length)));
    ask();
    await Promise.resolve();
    ask();
    await nextTurn();
    await nextTurn();
    expect(answers).toHaveLength(1);
    for (let i = 0; i < 10; i++) {
      ask();
      if (i % 3 === 0) await nextTurn();
    }
    // Two are under way; of the ten that came meanwhile eight are a full batch.
    expect(p.stats()).toMatchObject({ batches: 0, queued: 10 });
    for (const queued of [2, 0, 0]) {
      answers.shift()!();
      await nextTurn();
      await nextTurn();
      await nextTurn();
      expect(p.stats().queued).toBe(queued);
    }
    expect(p.stats()).toMatchObject({ batches: 3, samples: 12, answered: 12 });
    for (const [i, y] of (await Promise.all(asked)).entries()) expect(y).toEqual(await alone(samples(1, i)));
    await p.close();
    own.dispose();
  });

  it('runs what waits for its delay when it is told to, and what comes later waits again', () =>
    using({ maxBatch: 8, maxDelayMs: 60_000, cache: false }, async (p) => {
      const first = [p.predict(samples(1, 1)), p.predict(samples(2, 2))];
      p.flush();
      expect((await Promise.all(first)).map((y) => y.length)).toEqual([5, 10]);
      const second = p.predict(samples(1, 3));
      await nextTurn();
      expect(p.stats()).toMatchObject({ batches: 1, queued: 1 });
      p.flush();
      p.flush();
      expect(await second).toEqual(await alone(samples(1, 3)));
    }));

  it('starts a full batch at once, however long the delay', () =>
    using({ maxBatch: 8, maxDelayMs: 60_000, cache: false }, async (p) => {
      await Promise.all(Array.from({ length: 8 }, (_, i) => p.predict(samples(1, i))));
      expect(p.stats()).toMatchObject({ batches: 1, samples: 8, answered: 8 });
    }));

  it('gathers what comes within the delay of the first, and no longer', () =>
    using({ maxBatch: 8, maxDelayMs: 400, cache: false }, async (p) => {
      vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
      try {
        const first = p.predict(samples(1, 50));
        await vi.advanceTimersByTimeAsync(399);
        const second = p.predict(samples(1, 51));
        expect(p.stats()).toMatchObject({ batches: 0, queued: 2 });
        await vi.advanceTimersByTimeAsync(1);
        await Promise.all([first, second]);
        expect(p.stats()).toMatchObject({ batches: 1, samples: 2, latencyMs: { p50: 1, max: 400 } });
      } finally {
        vi.useRealTimers();
      }
    }));

  it('leaves the answer to its caller, and reads the samples before it returns', () =>
    using({ maxBatch: 4, cache: { maxBytes: 1e6 } }, async (p) => {
      const x = samples(1, 3);
      const want = await alone(x);
      const first = p.predict(x);
      x.fill(0);
      const answer = await first;
      expect(answer).toEqual(want);
      answer.fill(9);
      expect(await p.predict(samples(1, 3))).toEqual(want);
      expect(p.stats().cache).toMatchObject({ hits: 1, misses: 1 });
    }));

  it('computes identical requests under way once', () =>
    using({ maxBatch: 16, maxDelayMs: 5 }, async (p) => {
      const x = samples(2, 4);
      const answers = await Promise.all(Array.from({ length: 30 }, () => p.predict(x)));
      for (const y of answers) expect(y).toEqual(answers[0]);
      expect(new Set(answers).size).toBe(30);
      const stats = p.stats();
      expect(stats).toMatchObject({ samples: 2, requests: 30, answered: 30, underWay: 0 });
      expect(stats.cache).toMatchObject({ hits: 0, joined: 29, misses: 1, hitRate: 29 / 30 });
    }));

  it('forgets the least recently used first, and holds no more than its bytes', async () => {
    const entry = FEATURES * 4 + 5 * 4 + 200;
    await using({ maxBatch: 1, cache: { maxBytes: 3 * entry } }, async (p) => {
      const ask = async (seed: number) => {
        const before = p.stats().cache.hits;
        await p.predict(samples(1, seed));
        expect(p.stats().cache.bytes).toBeLessThanOrEqual(3 * entry);
        return p.stats().cache.hits > before;
      };
      const asked: boolean[] = [];
      for (const seed of [1, 2, 3, 1, 4, 2, 1, 4]) asked.push(await ask(seed));
      // 4 pushes 2 out (1 was used since), then 2 comes anew and pushes 3 out.
      expect(asked).toEqual([false, false, false, true, false, false, true, true]);
      expect(p.stats().cache.entries).toBe(3);
    });
  });

  it('tells inputs apart by their bits: -0 from 0, and NaNs', async () => {
    const zero = new Float32Array(FEATURES);
    const minus = zero.slice().fill(-0, 3, 4);
    expect(contentKey(zero)).not.toBe(contentKey(minus));
    await using({ maxBatch: 2 }, async (p) => {
      const nan = zero.slice().fill(Number.NaN, 0, 1);
      for (const x of [zero, minus, nan, nan, minus, zero])
        expect(await p.predict(x)).toEqual(await alone(x));
      expect(p.stats().cache).toMatchObject({ hits: 3, misses: 3 });
    });
  });

  it('refuses at once what the queue has no room for', () =>
    using({ maxBatch: 4, maxQueue: 6, maxDelayMs: 50, cache: false }, async (p) => {
      const taken = [p.predict(samples(3, 1)), p.predict(samples(3, 2))];
      const refused = p.predict(samples(4, 3));
      // Not after a wait: before the call returned.
      expect(p.stats()).toMatchObject({ overloaded: 1, answered: 0 });
      expect(await codeOf(refused)).toBe('overloaded');
      for (const y of await Promise.all(taken)) expect(y.length).toBe(15);
      expect(p.stats()).toMatchObject({ overloaded: 1, answered: 2, requests: 3 });
      await p.predict(samples(4, 3));
    }));

  it('cancels one caller and answers the others of the same request', () =>
    using({ maxBatch: 64, maxDelayMs: 30 }, async (p) => {
      const stop = new AbortController();
      const x = samples(1, 1);
      const cancelled = [p.predict(x, stop.signal), p.predict(samples(1, 2), stop.signal)].map(codeOf);
      const kept = p.predict(x);
      stop.abort(new Error('the caller left'));
      expect(await Promise.all(cancelled)).toEqual(['aborted', 'aborted']);
      expect(await kept).toEqual(await alone(x));
      // What nobody waits for any more is not computed.
      expect(p.stats()).toMatchObject({ aborted: 2, answered: 1, samples: 1 });
      expect(await codeOf(p.predict(x, AbortSignal.abort()))).toBe('aborted');
    }));

  it('finishes what it accepted when it is closed, and takes nothing more', async () => {
    const before = engine.backend.allocatedBytes;
    const p = await engine.predictor(model, { maxBatch: 8, maxDelayMs: 60_000 });
    const taken = Array.from({ length: 21 }, (_, i) => p.predict(samples(1, i)));
    const closing = p.close();
    expect(await codeOf(p.predict(samples(1, 0)))).toBe('disposed');
    await closing;
    const answers = await Promise.all(taken);
    expect(answers[20]).toEqual(await alone(samples(1, 20)));
    expect(p.stats()).toMatchObject({ answered: 21, underWay: 0 });
    expect(engine.backend.allocatedBytes).toBe(before);
  });

  it('tells what its answers cost', () =>
    using({ maxBatch: 4, cache: false }, async (p) => {
      await p.predict(samples(3, 1));
      const { flops, bytes, computeMs, memoryBytes, peakBytes, ops, shareOfLimit } = p.cost();
      // Two products of 3 rows, at least, whatever quantizing and dequantizing add.
      expect(flops).toBeGreaterThanOrEqual(2 * 3 * (FEATURES * 32 + 32 * 5));
      expect(flops).toBeLessThan(1.3 * 2 * 3 * (FEATURES * 32 + 32 * 5));
      expect(bytes).toBeGreaterThan(FEATURES * 32);
      expect(computeMs).toBeGreaterThan(0);
      expect(memoryBytes).toBeGreaterThan(FEATURES * 32 + 32 * 5);
      expect(peakBytes).toBe(memoryBytes);
      expect(ops.matmul_i8.flops).toBeLessThanOrEqual(flops);
      expect(Object.values(ops).reduce((sum, op) => sum + op.bytes, 0)).toBe(bytes);
      expect(shareOfLimit).toBeGreaterThan(0);
      expect(shareOfLimit).toBeLessThan(1);
      expect(p.stats().paddedRows).toBe(0);
    }));

  it.each([
    [{ maxBatch: 0 }, /maxBatch is 0/],
    [{ maxBatch: 8, maxQueue: 7 }, /maxQueue is 7, expected a whole number from 8/],
    [{ maxDelayMs: -1 }, /maxDelayMs is -1/],
    [{ maxDelayMs: Number.NaN }, /maxDelayMs is NaN/],
    [{ cache: { maxBytes: 0.5 } }, /cache.maxBytes is 0.5/],
    [{ maxBatch: 8, batchSizes: [1, 4] }, /the largest must be maxBatch \(8\)/],
  ])('refuses nonsense: %j', async (options, message) => {
    await expect(engine.predictor(model, options)).rejects.toMatchObject({
      code: 'invalid_argument',
      message,
    });
  });

  it('still takes batchSizes, on which nothing depends any more', () =>
    using({ maxBatch: 8, batchSizes: [8, 1], cache: false }, async (p) => {
      expect(p.batchSizes).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      const x = samples(5, 2);
      expect(await p.predict(x)).toEqual(await alone(x));
    }));

  it('serves a model that has one number of samples written into it, with rows of zeros', async () => {
    const own = referenceEngine();
    const fixed = nn.module({ a: nn.linear(FEATURES, 6) }, (x, { a }) => ops.reshape(a.forward(x), [4, 6]));
    const frozen = untrained(fixed, [FEATURES]);
    const p = await own.predictor(frozen, { maxBatch: 4, cache: false });
    const [x, infer] = [samples(7, 3), await own.infer(frozen, { batchSize: 4 })];
    const all = await infer(x);
    expect(all).toHaveLength(7 * 6);
    expect(await p.predict(rowsOf(x, 0, 4))).toEqual(all.slice(0, 24));
    expect(await p.predict(rowsOf(x, 4, 7))).toEqual(all.slice(24));
    expect(p.stats()).toMatchObject({ samples: 7, paddedRows: 1 });
    expect(p.cost().flops).toBe(2 * costOfSteps(infer.plan.steps).flops);
    await p.close();
    own.dispose();
  });

  it('has room for a batch in its queue, however large that is', () =>
    using({ maxBatch: 2000 }, async (p) => {
      expect((await p.predict(samples(2000, 1))).length).toBe(2000 * 5);
    }));

  it('refuses samples of a wrong type, length or number, and serves on', () =>
    using({ maxBatch: 2 }, async (p) => {
      expect(await codeOf(p.predict(new Float64Array(FEATURES) as never))).toBe('dtype_mismatch');
      for (const n of [0, 1, FEATURES + 1])
        expect(await codeOf(p.predict(new Float32Array(n)))).toBe('shape_mismatch');
      expect(await codeOf(p.predict(samples(3, 1)))).toBe('out_of_range');
      expect((await p.predict(samples(2, 1))).length).toBe(10);
    }));

  it('fails the requests of an engine that was disposed, without hanging', async () => {
    const other = await wasmEngine();
    const p = await other.predictor(model, { maxDelayMs: 5 });
    const waiting = p.predict(samples(1, 1));
    other.dispose();
    expect(await codeOf(waiting)).toBe('disposed');
    await p.close();
  });
});

describe('whatever comes, in any order', () => {
  /** One request: how many samples, which content (few, so that some are the same), when, and whether it is cancelled. */
  const request = fc.record({
    rows: fc.integer({ min: 1, max: 6 }),
    content: fc.integer({ min: 0, max: 12 }),
    pauseMs: fc.constantFrom(0, 0, 0, 0, 1, 3),
    cancelAfterMs: fc.constantFrom(undefined, undefined, undefined, 0, 1, 2),
  });
  const setup = fc.record({
    maxBatch: fc.integer({ min: 6, max: 16 }),
    maxDelayMs: fc.constantFrom(0, 1, 4),
    room: fc.integer({ min: 0, max: 40 }),
    cache: fc.constantFrom(false as const, { maxBytes: 1500 }, { maxBytes: 1e6 }),
  });

  it('each request ends with its own answer or a typed error; none is lost, doubled or mixed up', () =>
    fc.assert(
      fc.asyncProperty(
        setup,
        fc.array(request, { maxLength: 60 }),
        async ({ room, ...options }, requests) => {
          const p = await engine.predictor(model, { ...options, maxQueue: options.maxBatch + room });
          const ends = { answered: 0, overloaded: 0, aborted: 0 };
          const all: Promise<void>[] = [];
          for (const { rows, content, pauseMs, cancelAfterMs } of requests) {
            if (pauseMs) await sleep(pauseMs);
            const x = samples(rows, content);
            const stop = new AbortController();
            if (cancelAfterMs !== undefined) setTimeout(() => stop.abort(), cancelAfterMs);
            const end = p.predict(x, stop.signal).then(
              async (y) => {
                ends.answered++;
                expect(y).toEqual(oracle.get(`${rows} ${content}`));
              },
              (error) => {
                expect(['overloaded', 'aborted']).toContain(error.code);
                ends[error.code as 'overloaded' | 'aborted']++;
              },
            );
            all.push(end);
          }
          await p.close();
          await Promise.all(all);
          const stats = p.stats();
          expect(stats).toMatchObject({
            ...ends,
            requests: requests.length,
            failed: 0,
            underWay: 0,
            queued: 0,
          });
        },
      ),
      { numRuns: 60 },
    ));

  it('answers come in the order of the requests', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 40 }),
        async (rows) => {
          const p = await engine.predictor(model, {
            maxBatch: 7,
            maxQueue: 1000,
            cache: false,
            maxDelayMs: 1,
          });
          const order: number[] = [];
          await Promise.all(rows.map((n, i) => p.predict(samples(n, i)).then(() => order.push(i))));
          expect(order).toEqual(rows.map((_, i) => i));
          await p.close();
        },
      ),
      { numRuns: 40 },
    ));
});
