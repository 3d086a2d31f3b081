import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nn, optim, type Plan } from '../../src/index.ts';
import type { FrozenModel } from '../../src/model/frozen.ts';
import { inferPlan } from '../../src/plans/infer.ts';
import type { Choice, Provider } from '../../src/scheduler/choose/choose.ts';
import { Ledger } from '../../src/scheduler/choose/ledger.ts';
import { Engine } from '../../src/scheduler/engine.ts';
import { type VirtualClock, virtualClock } from '../support/clock.ts';
import { int8Model, referenceEngine, samples, wasmEngine } from '../support/serving.ts';
import { type Speeds, simulatedMs, simulated as simulatedOn } from '../support/simulated.ts';

const cpu: Speeds = { runMs: 0.005, stepMs: 0.001, flopsPerMs: 2e7, bytesPerMs: 1e7 };
const gpu: Speeds = { runMs: 0.5, stepMs: 0.01, flopsPerMs: 1e9, bytesPerMs: 1e8 };

async function engineOf(providers: Provider[], free = true): Promise<Engine> {
  const choice: Choice = { provider: providers[0], providers, free, findings: [] };
  return new Engine(await providers[0].create(), choice);
}
const square = (width: number) => nn.sequential(nn.linear(width, width), nn.relu(), nn.linear(width, width));
const options = (width: number) => ({ loss: nn.mse, optimizer: optim.sgd(), input: [width], seed: 1 });

async function frozen(width: number): Promise<FrozenModel> {
  return (await referenceEngine().train(square(width), options(width))).freeze();
}

let clock: VirtualClock;
beforeEach(() => {
  clock = virtualClock();
});
afterEach(() => clock.restore());
const simulated = (name: Provider['name'], speeds: Speeds, software = false) =>
  simulatedOn(name, speeds, clock, software);

describe('choosing where a plan runs, with simulated backends of known speeds', () => {
  it.each([
    [32, 1, 'wasm'],
    [256, 4, 'wasm'],
    [512, 256, 'webgpu'],
    [1024, 128, 'webgpu'],
  ])('width %i, batch %i: %s', async (width, batch, want) => {
    const engine = await engineOf([simulated('wasm', cpu), simulated('webgpu', gpu)]);
    const model = await frozen(width);
    const plan = inferPlan(model, batch);
    const explained = await engine.explain(plan);
    const chosen = explained.backends.filter((b) => b.chosen);
    expect(chosen.map((b) => b.backend)).toEqual([want]);
    // What it says it takes is what the simulation takes.
    for (const { backend, predicted } of explained.backends) {
      const s = backend === 'wasm' ? cpu : gpu;
      const real = s.runMs + simulatedMs(plan, s);
      expect(predicted!.ms / real).toBeGreaterThan(0.5);
      expect(predicted!.ms / real).toBeLessThan(2);
    }
    const training = await engine.train(square(width), options(width));
    await training.stepOn(new Float32Array(batch * width), new Float32Array(batch * width), batch);
    expect(training.backend.name).toBe(want);
    engine.dispose();
  });

  it('small plans look for no GPU at all', async () => {
    const there = simulated('webgpu', gpu);
    const engine = await engineOf([simulated('wasm', cpu), there]);
    const infer = await engine.infer(await frozen(32), { batchSize: 1 });
    await infer(new Float32Array(32));
    expect(there.made).toBe(0);
    engine.dispose();
  });

  it('never a software GPU, however fast it says it is; and nothing but what was asked for', async () => {
    const soft = simulated('webgpu', { ...gpu, runMs: 0.001, flopsPerMs: 1e12 }, true);
    const plan = inferPlan(await frozen(512), 256);
    const auto = await engineOf([simulated('wasm', cpu), soft]);
    expect((await auto.explain(plan)).backends).toMatchObject([
      { backend: 'wasm', chosen: true },
      {
        backend: 'webgpu',
        chosen: false,
        predicted: undefined,
        reason: /never chosen by 'auto', a GPU simulated on the CPU/,
      },
    ]);
    expect(soft.made).toBe(0);
    const asked = await engineOf([simulated('wasm', cpu), simulated('webgpu', gpu)], false);
    const { backends } = await asked.explain(plan);
    expect(backends[0]).toMatchObject({ chosen: true, reason: 'chosen: it was asked for' });
    expect(backends[1]).toMatchObject({ chosen: false, reason: 'not chosen: another was asked for' });
    auto.dispose();
    asked.dispose();
  });

  it('a plan that one backend has no kernel for goes to the other, and the table says why', async () => {
    const plan = inferPlan(await frozen(32), 1);
    const engine = await engineOf([
      simulated('wasm', { ...cpu, without: 'matmul' }),
      simulated('webgpu', gpu),
    ]);
    const { backends } = await engine.explain(plan);
    expect(backends).toMatchObject([
      {
        backend: 'wasm',
        chosen: false,
        predicted: undefined,
        reason: "can't run it: matmul: the test says so",
      },
      { backend: 'webgpu', chosen: true },
    ]);
    engine.dispose();
  });

  it('each batch size trains where it is faster', async () => {
    const engine = await engineOf([simulated('wasm', cpu), simulated('webgpu', { ...gpu, runMs: 5 })]);
    const training = await engine.train(square(512), options(512));
    const [x, y] = [new Float32Array(256 * 512), new Float32Array(256 * 512)];
    await training.stepOn(x, y, 256);
    expect(training.backend.name).toBe('webgpu');
    // The weights move with the plan when a small batch is better off elsewhere.
    await training.stepOn(x.subarray(0, 512), y.subarray(0, 512), 1);
    expect(training.backend.name).toBe('wasm');
    expect(training.step).toBe(2);
    engine.dispose();
  });
});

describe('explain', () => {
  it('on WebAssembly: predicted beside measured, and what bounds it', async () => {
    clock.restore();
    const engine = await wasmEngine();
    const model = await int8Model([128, 256, 256, 10]);
    const infer = await engine.infer(model, { batchSize: 64 });
    const before = await engine.explain(infer.plan);
    expect(before.backends).toMatchObject([{ backend: 'wasm', chosen: true, measuredMs: undefined }]);
    const x = samples(64, 1, 128);
    for (let i = 0; i < 60; i++) await infer(x);
    const after = await engine.explain(infer.plan);
    const { predicted, measuredMs } = after.backends[0];
    // How near the two are on real machines is the benchmark suite's to tell.
    expect(measuredMs).toBeGreaterThan(0);
    expect(predicted!.bound).toBe('products');
    expect(Object.values(predicted!.parts).reduce((a, b) => a + b)).toBeCloseTo(predicted!.ms);
    expect(String(after)).toMatch(/infer int8, batch 64: [\d.]+ MFLOP.*\n.*predicted +measured +bound by/);
    expect(String(after)).toMatch(/\* +wasm +[\d.]+ (us|ms) +[\d.]+ (us|ms) +arithmetic of products +chosen/);
    expect(after.layers.map(({ path }) => path)).toEqual(['0', '2', '4', '']);
    expect(String(after)).toMatch(/layer +MFLOP +MB\n0 +4\.[\d]+ +[\d.]+\n2 /);
    engine.dispose();
  });

  it('the ledger takes the shortest of the first runs, then follows, unmoved by a single long one', () => {
    const ledger = new Ledger();
    const plan = { name: 'p', arenaBytes: 1, steps: [] } as unknown as Plan;
    ledger.note('wasm', plan, 50);
    expect(ledger.measured('wasm', plan)).toBeUndefined();
    for (const ms of [4, 3, 5, 4]) ledger.note('wasm', plan, ms);
    expect(ledger.measured('wasm', plan)).toBe(3);
    ledger.note('wasm', plan, 1000);
    expect(ledger.measured('wasm', plan)).toBeCloseTo(3.6);
    for (let i = 0; i < 60; i++) ledger.note('wasm', plan, 2);
    expect(ledger.measured('wasm', plan)).toBeCloseTo(2, 1);
    expect(ledger.measured('webgpu', plan)).toBeUndefined();
  });
});
