import { afterAll, describe, expect, it } from 'vitest';
import type { Program } from '../../src/backend/backend.ts';
import { createWasmBackend } from '../../src/backend/wasm/backend.ts';
import { createWebgpuBackend } from '../../src/backend/webgpu/backend.ts';
import { nodeGPU } from '../../src/backend/webgpu/node.ts';
import { growing } from '../../src/graph/growing.ts';
import { buildPlan, data, nn, ops, optim, Tracer } from '../../src/index.ts';
import { evaluatePlan } from '../../src/plans/evaluate.ts';
import { trainPlan } from '../../src/plans/train.ts';
import { reference } from '../support/backends.ts';
import { missing } from '../support/parts.ts';
import { FEATURES, samples, wasmEngine } from '../support/serving.ts';

const CLASSES = 5;
const labels = (count: number) => Int32Array.from({ length: count }, (_, i) => (i * 7) % CLASSES);
const setOf = (count: number, seed: number) =>
  data.fromArrays({ input: samples(count, seed), inputShape: [FEATURES], target: labels(count) });
const model = () =>
  nn.sequential(nn.linear(FEATURES, 32), nn.relu(), nn.dropout(0.5), nn.linear(32, CLASSES));
const options = { loss: nn.crossEntropy, optimizer: optim.adam({ lr: 0.01 }), seed: 3, input: [FEATURES] };

const engine = await wasmEngine();
afterAll(() => engine.dispose());

/** The mean cross entropy of a model's answers, in f64. */
function lossOf(logits: Float32Array, count: number): number {
  let sum = 0;
  labels(count).forEach((label, i) => {
    const row = logits.subarray(i * CLASSES, (i + 1) * CLASSES);
    const most = Math.max(...row);
    sum += most + Math.log(row.reduce((s, x) => s + Math.exp(x - most), 0)) - row[label];
  });
  return sum / count;
}

describe('training.evaluate()', () => {
  it('gives the loss of the frozen model, before, between and after steps, which stay what they are', async () => {
    const [set, unseen] = [setOf(40, 1), setOf(23, 2)];
    const [training, alone] = [await engine.train(model(), options), await engine.train(model(), options)];
    const check = async () => {
      const infer = await engine.infer(await training.freeze(), { batchSize: 8 });
      const want = lossOf(await infer(samples(23, 2)), 23);
      infer.dispose();
      const got = await training.evaluate(unseen, { batchSize: 8 });
      expect(got.samples).toBe(23);
      expect(got.loss).toBeCloseTo(want, 5);
    };
    await check();
    for (const lossEvery of [1, 3]) {
      const fit = { batchSize: 16, epochs: 3, lossEvery };
      const losses: number[] = [];
      for await (const { step, loss } of training.fit(set, fit)) {
        losses.push(loss);
        if (step % 2 === 0) await check();
      }
      const want: number[] = [];
      for await (const { loss } of alone.fit(set, fit)) want.push(loss);
      expect(losses).toEqual(want);
    }
    await check();
    expect((await training.freeze()).stateDict()).toEqual((await alone.freeze()).stateDict());
    training.dispose();
    await expect(training.evaluate(unseen)).rejects.toMatchObject({ code: 'disposed' });
    alone.dispose();
  });

  it('refuses what it can not look at, and trains on', async () => {
    const training = await engine.train(model(), options);
    const wrong = data.fromArrays({
      input: samples(4, 1),
      inputShape: [FEATURES],
      target: new Float32Array(4),
    });
    await expect(training.evaluate(wrong)).rejects.toMatchObject({ code: 'shape_mismatch' });
    const outside = data.fromArrays({
      ...{ input: samples(2, 1), inputShape: [FEATURES] },
      target: Int32Array.of(0, CLASSES),
    });
    await expect(training.evaluate(outside)).rejects.toMatchObject({ code: 'out_of_range' });
    await expect(training.evaluate(setOf(4, 1), { batchSize: 0 })).rejects.toThrow(/batchSize/);
    for await (const { loss } of training.fit(setOf(16, 1), { batchSize: 16 }))
      expect(loss).toBeGreaterThan(0);
    training.dispose();
  });
});

const made = {
  reference: async () => reference(),
  wasm: () => createWasmBackend({ threads: 1, build: 'simd128' }),
  webgpu: async () => createWebgpuBackend({ gpu: (await nodeGPU()) as GPU }),
};

for (const [name, create] of Object.entries(made)) {
  const absent = name === 'webgpu' ? await missing('webgpu') : false;
  describe.skipIf(absent)(`a program with entries on ${name}`, () => {
    it('has states in common, and one memory for the rest', async () => {
      const plain = nn.sequential(nn.linear(FEATURES, 8), nn.relu(), nn.linear(8, CLASSES));
      const train = trainPlan(plain, { dtype: 'f32', shape: [FEATURES] }, 6, options);
      const evaluate = growing(
        (rows) => evaluatePlan(plain, { dtype: 'f32', shape: [FEATURES] }, rows, options, train),
        { most: 4 },
      );
      const backend = await create();
      const both = await backend.compile({ train: train.plan, evaluate });
      const alone = await backend.compile(train.plan);
      expect(both.bytes).toBeLessThan(1.5 * alone.bytes + 16_384);
      const weights = samples(train.plan.slots.parameters.shape[0], 9, 1);
      const step = async (program: Program) => {
        const { slots } = program.plan;
        program.write(slots.input, samples(6, 4));
        program.write(slots.target, labels(6));
        const hyper = new Float32Array(4);
        options.optimizer.hyper(1, hyper);
        program.write(slots.hyper, hyper);
        program.run();
        return (await program.read(slots.loss))[0];
      };
      for (const program of [both, alone]) program.write(program.plan.slots.parameters, weights);
      const slots = both.plans.evaluate.slots;
      for (const rows of [4, 1, 3]) {
        expect(await step(both)).toBe(await step(alone));
        both.write(slots.input, samples(rows, 5));
        both.write(slots.target, labels(rows));
        both.run({ entry: 'evaluate', rows });
        const [loss] = await both.read(slots.loss);
        const fixed = await backend.compile(evaluate.planOf(rows));
        const own = fixed.plan.slots;
        fixed.write(own.parameters, await alone.read(alone.plan.slots.parameters));
        fixed.write(own.input, samples(rows, 5));
        fixed.write(own.target, labels(rows));
        fixed.run();
        expect(loss).toBe((await fixed.read(own.loss))[0]);
        fixed.dispose();
      }
      expect(await both.read(both.plan.slots.parameters)).toEqual(
        await alone.read(alone.plan.slots.parameters),
      );
      expect(() => both.write(alone.plan.slots.input, samples(6, 1))).toThrow(/not a slot of this plan/);
      for (const program of [both, alone]) program.dispose();
      expect(backend.allocatedBytes).toBe(0);
      backend.dispose();
    });

    it('holds a constant of several entries once, and refuses states that differ', async () => {
      const backend = await create();
      const big = samples(1000, 1, 16);
      const plan = (rows: number, states: number) => {
        const tracer = new Tracer({ training: false });
        const x = tracer.input('input', { dtype: 'f32', shape: [rows, 1000] });
        const w = tracer.constant(big, { dtype: 'f32', shape: [1000, 16] });
        const s = tracer.state('state', { dtype: 'f32', shape: [states] });
        tracer.output('output', ops.add(ops.matmul(x, w), s));
        return buildPlan(tracer.graph, { name: `rows ${rows}` });
      };
      const one = await backend.compile(plan(1, 16));
      const two = await backend.compile({ one: plan(1, 16), again: plan(1, 16) });
      expect(two.bytes - one.bytes).toBeLessThan(16_000);
      await expect(backend.compile({ a: plan(1, 16), b: plan(2, 1) })).rejects.toThrow(
        /the state 'state' is f32 \[16\] in 'rows 1' and f32 \[1\] in 'rows 2'/,
      );
      await expect(backend.compile({})).rejects.toThrow(/at least one entry/);
      backend.dispose();
    });
  });
}
