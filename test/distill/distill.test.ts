import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { distillation } from '../../src/distill.ts';
import { parseSafetensors } from '../../src/io/safetensors.ts';
import {
  type BiphaseError,
  data,
  distill,
  type Engine,
  type FrozenModel,
  nn,
  optim,
  type QuantizedModel,
  Random,
  type Tensor,
} from '../../src/node.ts';
import { Engine as AnyEngine } from '../../src/scheduler/engine.ts';
import { backends } from '../support/backends.ts';
import { referenceEngine } from '../support/serving.ts';

const FEATURES = 20;
const CLASSES = 6;
const random = new Random(3);
const input = Float32Array.from({ length: 48 * FEATURES }, () => random.normal());
const target = Int32Array.from({ length: 48 }, (_, i) => (i * 5) % CLASSES);
const set = data.fromArrays({ input, inputShape: [FEATURES], target });
/** Pools and norms besides products, so that the teacher has buffers, and ops that behave otherwise in training. */
const large = (classes = CLASSES) =>
  nn.sequential(
    ...[nn.linear(FEATURES, 32), nn.batchNorm1d(32), nn.relu(), nn.dropout(0.3)],
    nn.linear(32, classes),
  );
const small = () => nn.sequential(nn.linear(FEATURES, 7), nn.relu(), nn.linear(7, CLASSES));
const plain = { loss: nn.crossEntropy, optimizer: optim.adamw({ lr: 0.01 }), input: [FEATURES], seed: 5 };

async function taught(engine: Engine, classes = CLASSES): Promise<FrozenModel> {
  const training = await engine.train(large(classes), plain);
  for await (const _ of training.fit(set, { batchSize: 16, epochs: 2 }));
  const frozen = await training.freeze();
  training.dispose();
  return frozen;
}

const fit = { batchSize: 16, epochs: 3, seed: 2 };

/** The losses of a fit with this loss, and the weights after it. */
async function losses(engine: Engine, loss: nn.Loss<never, never>, of: unknown = set, more: object = {}) {
  const { targets } = of as data.NamedDataSet;
  const training = await engine.train(small(), { ...plain, loss, targets, ...more } as never);
  const seen: number[] = [];
  for await (const step of training.fit(of as never, fit)) seen.push(step.loss);
  const weights = Object.values((await training.freeze()).stateDict()).flatMap((t) => [...t.data]);
  training.dispose();
  return { seen, weights };
}

const how = { temperature: 3, alpha: 0.6 };

describe.each(backends.filter(({ name }) => name !== 'wasm relaxed'))('a student on $name', (place) => {
  let engine: Engine;
  let teachers: { f32: FrozenModel; int8: QuantizedModel };
  beforeAll(async () => {
    if (place.absent) return;
    engine = new AnyEngine(await place.create(), { provider: undefined as never, findings: [] });
    const f32 = await taught(referenceEngine());
    teachers = { f32, int8: await engine.quantize(f32, { calibration: input }) };
  });
  afterAll(() => engine?.dispose());

  it.skipIf(place.absent).each(['f32', 'int8'] as const)(
    'learns from the %s logits that its teacher serves',
    async (kind) => {
      const teacher = teachers[kind];
      const infer = await engine.infer(teacher, { batchSize: 48 });
      const served = Float32Array.from(await infer(input));
      infer.dispose();
      const known = data.fromArrays({
        inputs: { input: { values: input, shape: [FEATURES] } },
        targets: { target, logits: { values: served, shape: [CLASSES] } },
      });
      const apart = (y: Tensor, t: { target: Tensor; logits: Tensor }) =>
        distillation(y, t.logits, t.target, { ...how, loss: nn.crossEntropy });
      const a = await losses(engine, distill({ teacher, ...how }) as never);
      const b = await losses(engine, apart as never, known);
      expect(a.seen).toHaveLength(9);
      a.seen.forEach((x, i) => void expect(x).toBeCloseTo(b.seen[i], 4));
      a.weights.forEach((x, i) => void expect(x).toBeCloseTo(b.weights[i], 3));
      // And something else than alone.
      expect(Math.abs(a.seen[0] - (await losses(engine, nn.crossEntropy as never)).seen[0])).toBeGreaterThan(
        0.01,
      );
    },
  );
});

describe('distillation', () => {
  const folder = mkdtempSync(join(tmpdir(), 'biphase-distill-'));
  const engine = referenceEngine();
  let teacher: FrozenModel;
  let other: FrozenModel;
  beforeAll(async () => {
    teacher = await taught(engine);
    const training = await engine.train(large(), { ...plain, seed: 6 });
    other = await training.freeze();
  });
  afterAll(() => {
    engine.dispose();
    rmSync(folder, { recursive: true });
  });
  const start = (of: FrozenModel | QuantizedModel) =>
    engine.train(small(), { ...plain, loss: distill({ teacher: of, ...how }) });

  it('keeps nothing of the teacher, and does not change it', async () => {
    const before = Object.values(teacher.stateDict()).map(({ data }) => [...data]);
    const training = await start(teacher);
    for await (const _ of training.fit(set, fit));
    const { tensors } = parseSafetensors(await training.checkpoint());
    const own = ['0.weight', '0.bias', '2.weight', '2.bias'];
    expect(Object.keys((await training.freeze()).stateDict()).sort()).toEqual([...own].sort());
    expect(tensors.size).toBe(3 * own.length);
    expect(Object.values(teacher.stateDict()).map(({ data }) => [...data])).toEqual(before);
  });

  it('goes on after an interruption to the same bits, and with no other teacher', async () => {
    const path = join(folder, 'student.safetensors');
    const whole = await start(teacher);
    for await (const _ of whole.fit(set, fit));
    const checkpoint = { path, everySteps: 2, resume: true };
    const first = await start(teacher);
    for await (const { done } of first.fit(set, { ...fit, checkpoint })) if (done === 5) break;
    const foreign = await start(other);
    const error = await foreign.load(path).then(
      () => Promise.reject(new Error('it went on')),
      (e: BiphaseError) => e,
    );
    expect(error).toMatchObject({ code: 'invalid_argument' });
    expect(error.message).toMatch(/the loss was .*a constant \[.*\] of digest .* when the checkpoint/);
    expect(error.message.length).toBeLessThan(1500);
    const second = await start(teacher);
    let made = 0;
    for await (const _ of second.fit(set, { ...fit, checkpoint })) made++;
    expect(made).toBeLessThan(9);
    expect((await second.freeze()).stateDict()).toEqual((await whole.freeze()).stateDict());
  });

  it('counts in evaluations, with batches that are not whole, and in parts', async () => {
    const training = await start(teacher);
    const one = await training.evaluate(set, { batchSize: 48 });
    const many = await training.evaluate(set, { batchSize: 7 });
    expect(many.loss).toBeCloseTo(one.loss, 5);
    const loss = distill({ teacher, ...how }) as never;
    const [a, b] = [await losses(engine, loss), await losses(engine, loss, set, { accumulate: 4 })];
    a.seen.forEach((x, i) => void expect(x).toBeCloseTo(b.seen[i], 5));
  });

  it('weighs samples in both parts', async () => {
    const weight = Float32Array.from(target, (_, i) => +(i % 3 > 0));
    const inputs = { input: { values: input, shape: [FEATURES] } };
    const weighted = data.fromArrays({ inputs, targets: { target, weight } });
    const kept = Array.from(target.keys()).filter((i) => weight[i] > 0);
    const rest = data.fromArrays({
      ...{
        input: Float32Array.from(kept.flatMap((i) => [...input.subarray(i * FEATURES, (i + 1) * FEATURES)])),
      },
      ...{ inputShape: [FEATURES], target: Int32Array.from(kept, (i) => target[i]) },
    });
    const loss = distill({ teacher, ...how });
    const named = await engine.train(small(), { ...plain, loss, targets: weighted.targets } as never);
    const some = await start(teacher);
    const a = await named.evaluate(weighted as never, { batchSize: 48 });
    const b = await some.evaluate(rest, { batchSize: 32 });
    expect(a.loss).toBeCloseTo(b.loss, 5);
  });

  it('with a share of 0 is the loss alone', async () => {
    const alone = await losses(engine, nn.crossEntropy as never);
    expect(await losses(engine, distill({ teacher, alpha: 0 }) as never)).toEqual(alone);
  });

  it('refuses a teacher of something else', async () => {
    const message = async (of: FrozenModel, model: nn.Module, shape: number[]) => {
      const training = await engine.train(model, { ...plain, input: shape, loss: distill({ teacher: of }) });
      const values = new Float32Array(16 * shape[0]);
      const some = data.fromArrays({ input: values, inputShape: shape, target: new Int32Array(16) });
      return training.evaluate(some, { batchSize: 8 }).then(
        () => 'it went on',
        (e: BiphaseError) => `${e.code}: ${e.message}`,
      );
    };
    expect(await message(teacher, nn.sequential(nn.linear(9, CLASSES)), [9])).toMatch(
      /shape_mismatch: .*the teacher takes 'input', f32 \[20\] of each sample, the student f32 \[9\]/,
    );
    expect(await message(await taught(engine, 8), small(), [FEATURES])).toMatch(
      /shape_mismatch: .*the teacher gives \[\d+, 8\], the student \[\d+, 6\]; they need the same classes/,
    );
    const both = nn.module({ a: nn.linear(FEATURES, 2) }, (x: Tensor, { a }) => ({ a: a.forward(x), b: x }));
    const training = await engine.train(both, {
      ...{ ...plain, loss: ((y: { a: Tensor }) => nn.mse(y.a, y.a)) as never },
      targets: { target: { dtype: 'f32', shape: [2] } },
    } as never);
    expect(await message((await training.freeze()) as never, small(), [FEATURES])).toMatch(
      /invalid_argument: .*the teacher gives outputs.a, outputs.b; expected one output without a name/,
    );
    expect(() => distill({ teacher: small() as never })).toThrow(
      /teacher is .*expected a frozen or a quantized/,
    );
  });
});
