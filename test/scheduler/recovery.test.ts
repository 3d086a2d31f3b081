import { afterAll, describe, expect, it } from 'vitest';
import { ReferenceBackend } from '../../src/backend/reference/backend.ts';
import { createWasmBackend } from '../../src/backend/wasm/backend.ts';
import { sections } from '../../src/graph/plan.ts';
import { data, nn, optim, Random, type StepReport, type Training } from '../../src/index.ts';
import type { Provider } from '../../src/scheduler/choose/choose.ts';
import { Engine } from '../../src/scheduler/engine.ts';
import { stateSlots } from '../../src/scheduler/train/snapshots.ts';
import { onClock, virtualClock } from '../../tools/simulated/clock.ts';
import { type Fault, FaultPlan, faultyProvider } from '../support/faults.ts';
import { collectGarbage } from '../support/garbage.ts';
import { codeOf, int8Model, samples } from '../support/serving.ts';

const set = data.fromArrays({
  input: samples(60, 1, 12),
  inputShape: [12],
  target: Int32Array.from({ length: 60 }, (_, i) => i % 3),
});
const options = { loss: nn.crossEntropy, optimizer: optim.adam({ lr: 1e-2 }), seed: 4, input: [12] };
const model = () => nn.sequential(nn.linear(12, 10), nn.relu(), nn.dropout(0.3), nn.linear(10, 3));
const wasm = () => createWasmBackend({ threads: 1, build: 'simd128', tiles: 'usual' });

/** An engine whose backends break as planned. */
async function engineOn(plan: FaultPlan, create = wasm): Promise<Engine> {
  const provider = faultyProvider(plan, 'wasm', create);
  return new Engine(await provider.create(), { provider, providers: [provider], findings: [] });
}

interface Job {
  readonly everySteps: number;
  readonly lossEvery: number;
}

/** Two fits of different batch sizes; the losses told, and the whole state at the end. */
async function run(training: Training, { lossEvery }: Pick<Job, 'lossEvery'>) {
  const reports: StepReport[] = [];
  for await (const r of training.fit(set, { batchSize: 12, epochs: 3, lossEvery })) reports.push(r);
  for await (const r of training.fit(set, { batchSize: 20, epochs: 2, seed: 9, lossEvery })) reports.push(r);
  return { reports, state: Buffer.from(await training.checkpoint()).toString('base64') };
}

async function runWith(plan: FaultPlan, { everySteps, lossEvery }: Job) {
  const engine = await engineOn(plan);
  const training = await engine.train(model(), { ...options, recovery: { everySteps } });
  const result = await run(training, { lossEvery });
  const { recoveries } = training;
  engine.dispose();
  return { ...result, recoveries };
}

describe('faults at random moments', () => {
  const struck: string[] = [];
  let during = 0;
  afterAll(() => {
    // All kinds of moments, and many of them.
    for (const what of ['compile', 'restoring', 'writing a batch', 'mid-step', 'readback', 'snapshot'])
      expect([what, struck.filter((s) => s === what).length]).toEqual([
        what,
        expect.toSatisfy((n) => n >= 10),
      ]);
    expect(struck.length).toBeGreaterThan(400);
    expect(during).toBeGreaterThan(40);
  });

  it.each([
    { everySteps: 1, lossEvery: 1 },
    { everySteps: 3, lossEvery: 1 },
    { everySteps: 50, lossEvery: 1 },
    { everySteps: 2, lossEvery: 3 },
    { everySteps: 7, lossEvery: 5 },
  ])('the same losses and state, bit for bit, as undisturbed: %j', async (job) => {
    const undisturbed = new FaultPlan();
    const want = await runWith(undisturbed, job);
    expect(want.recoveries).toEqual([]);
    const random = new Random(job.everySteps * 10 + job.lossEvery);
    for (let round = 0; round < 60; round++) {
      const planned = new Map<number, Fault>();
      const count = 1 + random.int(3);
      for (let i = 0; i < count; i++) {
        const at = random.int(undisturbed.operations);
        const code = (['device_lost', 'worker_lost', 'out_of_memory'] as const)[random.int(3)];
        planned.set(at, { code, after: random.uniform(), late: random.int(2) === 0 });
        // Every other time something breaks again soon: during the recovery.
        if (random.int(2))
          planned.set(at + 1 + random.int(12), { code: 'device_lost', after: 1, late: false });
      }
      const plan = new FaultPlan(planned);
      const got = await runWith(plan, job);
      expect(got.reports).toEqual(want.reports);
      expect(got.state).toBe(want.state);
      expect(got.recoveries.length).toBeGreaterThan(0);
      for (const r of got.recoveries) {
        expect(r.replayedSteps).toBeLessThanOrEqual(Math.min(job.everySteps + job.lossEvery, r.step));
        if (r.attempts > 1) during++;
      }
      struck.push(...plan.struck);
    }
  });
});

describe('what a recovery tells and leaves', () => {
  const fault = (at: number, code: Fault['code'] = 'device_lost') =>
    new FaultPlan(new Map([[at, { code, after: 0.5, late: false }]]));

  it('is reported, with the steps that were made again', async () => {
    const told: unknown[] = [];
    const counting = new FaultPlan();
    await runWith(counting, { everySteps: 4, lossEvery: 1 });
    const plan = fault(Math.floor(counting.operations / 3), 'worker_lost');
    const engine = await engineOn(plan);
    const recovery = { everySteps: 4, onRecovery: (r: unknown) => void told.push(r) };
    const training = await engine.train(model(), { ...options, recovery });
    await run(training, { lossEvery: 1 });
    expect(told).toEqual(training.recoveries);
    expect(training.recoveries).toEqual([
      expect.objectContaining({ code: 'worker_lost', from: 'wasm', to: 'wasm', attempts: 1 }),
    ]);
    expect(training.recoveries[0].replayedSteps).toBeLessThanOrEqual(4);
    engine.dispose();
  });

  it('goes to another backend where the device does not come back, and stays within the bounds', async () => {
    const want = await runWith(new FaultPlan(), { everySteps: 3, lossEvery: 1 });
    const gpu = faultyProvider(fault(100), 'webgpu', async () => new ReferenceBackend());
    let made = 0;
    const once: Provider = {
      ...gpu,
      create: () => (made++ ? Promise.reject(new Error('no adapter')) : gpu.create()),
    };
    const cpu = faultyProvider(new FaultPlan(), 'wasm', wasm);
    const engine = new Engine(await once.create(), { provider: once, providers: [cpu, once], findings: [] });
    expect(engine.backend.name).toBe('webgpu');
    const training = await engine.train(model(), { ...options, recovery: { everySteps: 3 } });
    const { reports } = await run(training, { lossEvery: 1 });
    expect(training.recoveries).toEqual([
      expect.objectContaining({ code: 'device_lost', from: 'webgpu', to: 'wasm' }),
    ]);
    expect([engine.backend.name, training.backend.name]).toEqual(['wasm', 'wasm']);
    expect(engine.describe()).toMatch(/wasm .*took over after webgpu was lost: device_lost, as planned/);
    expect(reports.length).toBe(want.reports.length);
    reports.forEach((r, i) => {
      expect(r.loss).toBeCloseTo(want.reports[i].loss, 4);
    });
    engine.dispose();
  });

  it('memory refused: that training alone moves', async () => {
    const plan = new FaultPlan(
      new Map(Array.from({ length: 3 }, (_, i) => [i, { code: 'out_of_memory', after: 0, late: false }])),
    );
    const small = faultyProvider(plan, 'wasm', wasm);
    const other = faultyProvider(new FaultPlan(), 'webgpu', async () => new ReferenceBackend());
    const engine = new Engine(await small.create(), {
      provider: small,
      providers: [small, other],
      findings: [],
    });
    const training = await engine.train(model(), options);
    await run(training, { lossEvery: 1 });
    expect(training.backend.name).toBe('webgpu');
    expect(engine.backend.name).toBe('wasm');
    engine.dispose();
  });

  it('never takes the reference or a simulated GPU: then the error is thrown, and the weights are the snapshot', async () => {
    const lost = faultyProvider(fault(60), 'webgpu', wasm);
    let made = 0;
    const gone: Provider = { ...lost, create: () => (made++ ? Promise.reject(new Error()) : lost.create()) };
    const simulated: Provider = {
      ...faultyProvider(new FaultPlan(), 'wasm', wasm),
      probe: async () => ({ available: true, description: 'simulated', software: true }),
    };
    const reference: Provider = {
      ...faultyProvider(new FaultPlan(), 'reference', async () => new ReferenceBackend()),
    };
    const engine = new Engine(await gone.create(), {
      ...{ provider: gone, findings: [] },
      providers: [gone, simulated, reference],
    });
    const training = await engine.train(model(), { ...options, recovery: { everySteps: 2 } });
    let last = 0;
    const error = await (async () => {
      for await (const { step } of training.fit(set, { batchSize: 12, epochs: 9 })) last = step;
    })().catch((e) => e);
    expect(error).toMatchObject({
      code: 'device_lost',
      message: /nothing to go on with, so the training stands at step/,
    });
    expect(training.step).toBe(last - (last % 2));
    engine.dispose();
  });

  it('a step that always breaks ends the training with the error, soon', async () => {
    const planned = new Map<number, Fault>();
    for (let i = 70; i < 2000; i++) planned.set(i, { code: 'worker_lost', after: 0, late: false });
    const engine = await engineOn(new FaultPlan(planned));
    const training = await engine.train(model(), { ...options, recovery: { everySteps: 3 } });
    expect(await codeOf(run(training, { lossEvery: 1 }))).toBe('worker_lost');
    engine.dispose();
  });

  it('with recovery off, the first fault ends it', async () => {
    const engine = await engineOn(fault(60));
    const training = await engine.train(model(), { ...options, recovery: false });
    expect(await codeOf(run(training, { lossEvery: 1 }))).toBe('device_lost');
    expect(training.recoveries).toEqual([]);
    engine.dispose();
  });

  it.each([
    { stepMs: 0.2, snapshotMs: 0.1 },
    { stepMs: 5, snapshotMs: 20 },
    { stepMs: 40, snapshotMs: 0.1 },
  ])('snapshots cost less than 2 % of the steps, whatever both take: %j', async ({ stepMs, snapshotMs }) => {
    const clock = virtualClock();
    try {
      const engine = await engineOn(new FaultPlan());
      Object.assign(engine.backend, { peak: { f32: 1e9, i8: 2e9 } });
      onClock(engine.backend, clock, {
        // One step of 64 runs in sections, to be timed.
        run: (_, section) => (section ? stepMs / sections.length : stepMs),
        read: ({ plan }, slot) => (slot.role === 'state' ? snapshotMs / stateSlots(plan.slots).length : 0),
      });
      const training = await engine.train(nn.linear(12, 3), options);
      for await (const _ of training.fit(set, { batchSize: 12, epochs: 400 }));
      const { snapshots, stepMs: total, flops, flopsPerSecond, shareOfLimit } = training.cost();
      expect(flopsPerSecond).toBeCloseTo((1000 * flops) / total);
      expect(shareOfLimit).toBeCloseTo(flopsPerSecond! / 1e9);
      expect(total).toBeCloseTo(2000 * stepMs);
      expect(snapshots.ms).toBeCloseTo(snapshots.taken * snapshotMs);
      expect(snapshots.ms / total).toBeLessThanOrEqual(0.02);
      // And as often as that allows: between two of them lie the steps that pay for one.
      const apart = Math.ceil((50 * snapshotMs) / stepMs);
      // One more where sums of times fall short by a rounding.
      expect(snapshots.everySteps! - apart).toBeOneOf([0, 1]);
      expect(snapshots.taken).toBeGreaterThanOrEqual(Math.floor(2000 / (apart + 1)) - 1);
      engine.dispose();
    } finally {
      clock.restore();
    }
  });
});

describe('serving', () => {
  it('a lost backend delays answers, and changes none', async () => {
    const int8 = await int8Model([12, 16, 4]);
    const random = new Random(8);
    for (let round = 0; round < 40; round++) {
      const planned = new Map<number, Fault>();
      for (let i = 0; i < 4; i++) {
        const code = (['device_lost', 'worker_lost', 'out_of_memory'] as const)[random.int(3)];
        planned.set(random.int(120), { code, after: random.uniform(), late: random.int(2) === 0 });
      }
      const plan = new FaultPlan(planned);
      const engine = await engineOn(plan);
      const p = await engine.predictor(int8, { maxBatch: 4, cache: false, maxDelayMs: 0 });
      const infer = await engine.infer(int8, { batchSize: 3 });
      for (let i = 0; i < 12; i++) {
        const x = samples(1 + (i % 4), i, 12);
        const [a, b] = await Promise.all([p.predict(x), infer(x)]);
        expect(a).toEqual(b);
      }
      const { failed, answered } = p.stats();
      expect({ failed, answered }).toEqual({ failed: 0, answered: 12 });
      await p.close();
      engine.dispose();
    }
  });

  it('a recovery leaves nothing behind, and what the runs before it cost still counts', async () => {
    const int8 = await int8Model([12, 16, 4]);
    const runs = 40;
    const plan = new FaultPlan();
    const engine = await engineOn(plan);
    const programs: WeakRef<object>[] = [];
    const compile = engine.backend.compile.bind(engine.backend);
    engine.backend.compile = async (source) => {
      const program = await compile(source);
      programs.push(new WeakRef(program));
      return program;
    };
    const p = await engine.predictor(int8, { maxBatch: 1, cache: false });
    await p.predict(samples(1, 0, 12));
    const each = p.cost().flops;
    for (let i = 0; i < runs; i++) {
      plan.breakNext({ code: 'worker_lost', after: 0, late: false });
      await p.predict(samples(1, i, 12));
    }
    expect(p.stats()).toMatchObject({ retried: runs, answered: runs + 1 });
    expect(p.cost().flops).toBe(each * (runs + 1));
    await collectGarbage();
    expect(programs).toHaveLength(runs + 1);
    expect(programs.filter((ref) => ref.deref()).length).toBeLessThan(4);
    await p.close();
    engine.dispose();
  });
});
