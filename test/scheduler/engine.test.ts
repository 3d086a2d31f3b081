import { describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backend/reference/backend.ts';
import { BiphaseError, createEngine, data, nn, ops, optim, Random } from '../../src/index.ts';
import { Engine } from '../../src/scheduler/engine.ts';
import { backends } from '../support/backends.ts';

/** Three classes of points in 8 dimensions, told apart by a plane. */
function points(count: number, seed = 3) {
  const random = new Random(seed);
  const input = new Float32Array(count * 8);
  const target = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    let side = 0;
    for (let j = 0; j < 8; j++) {
      input[i * 8 + j] = random.normal();
      side += input[i * 8 + j] * Math.sin(j);
    }
    target[i] = side > 1 ? 2 : side > -0.5 ? 1 : 0;
  }
  return { input, target, set: data.fromArrays({ input, inputShape: [8], target }) };
}

const model = () =>
  nn.sequential(nn.linear(8, 32), nn.relu(), nn.dropout(0.1), nn.linear(32, 16), nn.gelu(), nn.linear(16, 3));
const options = { loss: nn.crossEntropy, optimizer: optim.adamw({ lr: 1e-2 }), seed: 1 };
const argmax = (logits: Float32Array, classes: number) =>
  Array.from({ length: logits.length / classes }, (_, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    return row.indexOf(Math.max(...row));
  });
const accuracy = (logits: Float32Array, target: Int32Array) =>
  argmax(logits, 3).filter((c, i) => c === target[i]).length / target.length;

async function drain<T>(steps: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const s of steps) all.push(s);
  return all;
}

/** The typed error that a promise or call ends with. */
async function errorOf(run: () => unknown): Promise<BiphaseError> {
  try {
    await run();
  } catch (error) {
    expect(error).toBeInstanceOf(BiphaseError);
    return error as BiphaseError;
  }
  throw new Error('expected an error');
}

const everywhere = [
  { name: 'reference', absent: false as string | false, create: async () => new ReferenceBackend() as never },
  ...backends,
];

for (const { name, absent, create } of everywhere)
  describe.skipIf(absent)(`the whole job on ${name}`, () => {
    it('trains, freezes, quantizes, serves, fine-tunes', async () => {
      const engine = new Engine(await create(), { provider: undefined as never, findings: [] });
      const train = points(1200);
      const test = points(500, 4);
      const training = await engine.train(model(), options);
      const steps = await drain(
        training.fit(train.set, { batchSize: 64, epochs: 8, seed: 5, dropLast: true }),
      );
      expect(steps.length).toBe(8 * 18);
      expect(steps.at(-1)!.loss).toBeLessThan(steps[0].loss / 3);

      const frozen = await training.freeze();
      const f32 = await engine.infer(frozen, { batchSize: 64 });
      const logits = await f32(test.input);
      expect(accuracy(logits, test.target)).toBeGreaterThan(0.93);

      const int8 = await engine.quantize(frozen, { calibration: train.input.subarray(0, 8 * 200) });
      expect(int8.report.map((r) => r.runs)).toEqual(['int8', 'int8', 'int8']);
      expect(int8.byteLength).toBeLessThan(frozen.byteLength / 2);
      const served = await engine.infer(int8, { batchSize: 50 });
      expect(accuracy(await served(test.input), test.target)).toBeGreaterThan(0.92);

      // The same int8 bits as the reference computes, whatever the batch size.
      const oracle = new Engine(new ReferenceBackend(), { provider: undefined as never, findings: [] });
      const bits = await served.quantized(test.input);
      for (const batchSize of [1, 7, 500])
        expect(await (await oracle.infer(int8, { batchSize })).quantized(test.input)).toEqual(bits);

      // Training on from the frozen weights leaves the frozen model as it was.
      const before = frozen.stateDict();
      const tuning = await engine.train(frozen, options);
      await drain(tuning.fit(points(300, 9).set, { batchSize: 50 }));
      expect((await tuning.freeze()).stateDict()).not.toEqual(before);
      expect(frozen.stateDict()).toEqual(before);
      expect(await f32(test.input)).toEqual(logits);
      engine.dispose();
    });

    it('refuses calls of what it made, once it is disposed', async () => {
      const engine = new Engine(await create(), { provider: undefined as never, findings: [] });
      const training = await engine.train(model(), { ...options, input: [8] });
      const infer = await engine.infer(await training.freeze());
      await infer(new Float32Array(8));
      engine.dispose();
      expect((await errorOf(() => infer(new Float32Array(8)))).code).toBe('disposed');
      expect((await errorOf(() => training.freeze())).code).toBe('disposed');
    });

    it('gives the same weights, bit for bit, for the same seed, also when the batch size changes midway', async () => {
      const engine = new Engine(await create(), { provider: undefined as never, findings: [] });
      const { set } = points(200);
      const run = async () => {
        const training = await engine.train(model(), options);
        const losses = (await drain(training.fit(set, { batchSize: 32, epochs: 2, seed: 1 }))).map(
          (s) => s.loss,
        );
        losses.push(...(await drain(training.fit(set, { batchSize: 20, seed: 2 }))).map((s) => s.loss));
        const state = (await training.freeze()).stateDict();
        training.dispose();
        return { losses, state };
      };
      expect(await run()).toEqual(await run());
      engine.dispose();
    });
  });

describe('bad input is refused before any work', () => {
  const engine = new Engine(new ReferenceBackend(), { provider: undefined as never, findings: [] });
  const fit = async (
    set: data.DataSet,
    more: Partial<Parameters<Awaited<ReturnType<typeof engine.train>>['fit']>[1]> = {},
  ) => drain((await engine.train(model(), options)).fit(set, { batchSize: 16, ...more }));

  it.each([
    [
      'a batch larger than the data',
      () => fit(points(10).set),
      'out_of_range',
      /batchSize is 16 but the data set has 10/,
    ],
    ['a batch of nothing', () => fit(points(20).set, { batchSize: 0 }), 'invalid_argument', /batchSize is 0/],
    ['half an epoch', () => fit(points(20).set, { epochs: 0.5 }), 'invalid_argument', /epochs is 0.5/],
    [
      'an empty data set',
      () => data.fromArrays({ input: new Float32Array(0), inputShape: [8], target: new Int32Array(0) }),
      'invalid_data',
      /empty/,
    ],
    [
      'a label out of range',
      () =>
        fit(
          data.fromArrays({
            input: new Float32Array(160),
            inputShape: [8],
            target: new Int32Array(20).fill(3),
          }),
        ),
      'out_of_range',
      /'target' holds 3 at position 0; expected whole numbers from 0 to 2/,
    ],
    [
      'samples of another shape',
      () =>
        fit(data.fromArrays({ input: new Float32Array(180), inputShape: [9], target: new Int32Array(20) })),
      'shape_mismatch',
      /inner sizes 9 and 8 differ/,
    ],
    [
      'targets of another type',
      () =>
        fit(data.fromArrays({ input: new Float32Array(160), inputShape: [8], target: new Float32Array(20) })),
      'shape_mismatch',
      /targets are f32 \[\] for each sample; this model and loss expect i32 \[\]/,
    ],
    [
      'NaN in calibration data',
      async () => {
        const frozen = await (await engine.train(model(), { ...options, input: [8] })).freeze();
        await engine.quantize(frozen, { calibration: new Float32Array(16).fill(Number.NaN, 9) });
      },
      'invalid_data',
      /calibration sample 1 holds NaN/,
    ],
    [
      'an unknown backend',
      () => createEngine({ backend: 'cuda' as never }),
      'invalid_argument',
      /unknown backend 'cuda'.*'wasm'/,
    ],
    [
      'a negative learning rate',
      () => optim.sgd({ lr: -1 }),
      'out_of_range',
      /learning rate of step 1 is -1/,
    ],
    ['dropout of everything', () => nn.dropout(1), 'out_of_range', /p is 1/],
    ['a layer of no size', () => nn.linear(0, 3), 'invalid_argument', /inFeatures is 0/],
    [
      'a model without parameters',
      async () => (await engine.train(nn.relu(), { ...options, loss: nn.mse, input: [3] })).freeze(),
      'invalid_argument',
      /nothing to train/,
    ],
  ] as const)('%s', async (_, run, code, message) => {
    const error = await errorOf(run);
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
  });

  it('a second call while one runs, and any call after dispose', async () => {
    const { input, set } = points(64);
    const training = await engine.train(model(), options);
    const steps = training.fit(set, { batchSize: 16 });
    await steps.next();
    expect((await errorOf(() => drain(training.fit(set, { batchSize: 16 })))).code).toBe('busy');
    await steps.return();
    expect((await drain(training.fit(set, { batchSize: 16 }))).length).toBe(4);

    const infer = await engine.infer(await training.freeze(), { batchSize: 4 });
    const first = infer(input);
    expect((await errorOf(() => infer(input))).code).toBe('busy');
    await first;
    infer.dispose();
    expect((await errorOf(() => infer(input))).code).toBe('disposed');
    training.dispose();
    expect((await errorOf(() => training.freeze())).code).toBe('disposed');
    const closed = new Engine(new ReferenceBackend(), { provider: undefined as never, findings: [] });
    closed.dispose();
    expect((await errorOf(() => closed.train(model(), options))).code).toBe('disposed');
  });

  it('samples of the wrong length or type', async () => {
    const frozen = await (await engine.train(model(), { ...options, input: [8] })).freeze();
    const infer = await engine.infer(frozen);
    expect((await errorOf(() => infer(new Float32Array(9)))).message).toMatch(
      /9 values are not a whole number of samples of shape \[8\]/,
    );
    expect((await errorOf(() => infer(new Float64Array(8) as never))).code).toBe('dtype_mismatch');
    expect((await errorOf(() => infer(new Float32Array(0)))).code).toBe('invalid_argument');
  });

  it('a model in which nothing can be quantized is refused, and what stays f32 is named', async () => {
    const x = new Float32Array(32).map((_, i) => Math.sin(i));
    const product = nn.module({ w: nn.parameter([8], nn.init.constant(2)) }, (t, p) => ops.mul(t, p.w));
    const nothing = await (await engine.train(product, { ...options, loss: nn.mse, input: [8] })).freeze();
    const error = await errorOf(() => engine.quantize(nothing, { calibration: x }));
    expect(error.message).toMatch(/nothing in this model can be quantized: mul: mul has no integer form/);
    const mixed = nn.sequential(nn.linear(8, 8), nn.softmax(), nn.linear(8, 4));
    const frozen = await (await engine.train(mixed, { ...options, loss: nn.mse, input: [8] })).freeze();
    const { report } = await engine.quantize(frozen, { calibration: x });
    expect(report.map((r) => r.runs)).toEqual(['int8', 'f32', 'int8']);
    expect(report[1].reason).toBe('softmax has no integer form');
  });
});

describe('stopping', () => {
  it('by signal keeps the weights of the last whole step, and training can go on', async () => {
    const engine = new Engine(new ReferenceBackend(), { provider: undefined as never, findings: [] });
    const { set } = points(160);
    const stop = new AbortController();
    const training = await engine.train(model(), options);
    const error = await errorOf(async () => {
      for await (const s of training.fit(set, { batchSize: 16, signal: stop.signal }))
        if (s.step === 3) stop.abort();
    });
    expect(error.code).toBe('aborted');
    expect(error.message).toMatch(/stopped after 3 of 10 steps/);
    const other = await engine.train(model(), options);
    for await (const s of other.fit(set, { batchSize: 16 })) if (s.step === 3) break;
    expect((await training.freeze()).stateDict()).toEqual((await other.freeze()).stateDict());
    expect((await drain(training.fit(set, { batchSize: 16 }))).at(-1)!.step).toBe(13);
  });
});
